// Which client a packet from the TUN is for: inner address to session and transport, for all
// shards.
//
// One hash look-up per packet, however many sessions there are. Packets come in batches and a batch
// takes the lock once; it is taken for writing only when a client comes or goes.

#pragma once

#include "causeway/base/address.h"

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <shared_mutex>
#include <span>
#include <unordered_map>

namespace causeway::gateway {

/// Spreads addresses over buckets. Inner addresses are handed out by ourselves, so nobody outside
/// can choose them to collide.
struct AddressHash {
    std::size_t operator()(const IpAddress& address) const noexcept;
};

/// Where the transport of a client is: a connection or a datagram channel of a shard.
struct Place {
    std::uint32_t shard = 0;
    std::uint64_t connection = 0;
    auto operator<=>(const Place&) const = default;
};

/// Inner addresses and the places where their packets go. For any thread.
class RouteTable {
public:
    /// From now on packets for `address` go to `place`, whoever had them before.
    void set(const IpAddress& address, Place place);
    /// Forgets the address, if it still belongs to `place`: a transport that was replaced must not
    /// take the route of its successor away.
    void remove(const IpAddress& address, Place place);

    /// While `place` has the address, its packets go to `datagrams`. False when another place has
    /// it by now.
    bool divert(const IpAddress& address, Place place, Place datagrams);
    /// They go to the place itself again, if they went to `datagrams`.
    void restore(const IpAddress& address, Place datagrams);
    /// The places of several addresses, in their order; `places` is as long as `addresses`.
    void find(std::span<const IpAddress> addresses, std::span<std::optional<Place>> places) const;
    std::size_t size() const;

private:
    struct Route {
        Place place;
        std::optional<Place> datagrams;
    };

    mutable std::shared_mutex mutex_;
    // Side by side in a few pages, not strewn among all else: every packet looks here.
    std::pmr::unsynchronized_pool_resource nodes_;
    std::pmr::unordered_map<IpAddress, Route, AddressHash> routes_{&nodes_};
};

}  // namespace causeway::gateway
