// The datagram channels that clients may open or have open: by the name in a hello, by the id that
// a client of ours sends when it has moved, by the address that datagrams came from.
//
// Only datagrams from a source that no shard knows are looked up here: never a packet of a channel
// that is up.

#pragma once

#include "causeway/base/address.h"
#include "causeway/gateway/datagram_link.h"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace causeway::gateway {

/// For any thread.
class DatagramTable {
public:
    void add(std::shared_ptr<DatagramLink> link);
    /// Its names are unknown from now on.
    void remove(const DatagramLink& link);

    std::shared_ptr<DatagramLink> by_name(ByteView name) const;
    std::shared_ptr<DatagramLink> by_connection_id(ByteView id) const;

    /// Datagrams of that channel come from there now.
    void set_source(const std::shared_ptr<DatagramLink>& link, const IpAddress& address);
    /// The channels of an address whose datagrams came from there last, the newest first, at most
    /// `limit`: a client behind a NAT that has given it another port.
    std::vector<std::shared_ptr<DatagramLink>> of_source(const IpAddress& address,
                                                         std::size_t limit) const;
    std::size_t size() const;

private:
    struct Source {
        IpAddress address;
        std::uint64_t number;
        auto operator<=>(const Source&) const = default;
    };
    void forget_source(const DatagramLink& link);

    mutable std::mutex mutex_;
    // Names are made by ourselves, at random: nobody can choose them to collide.
    std::unordered_map<std::string, std::shared_ptr<DatagramLink>> by_name_;
    std::unordered_map<std::string, std::shared_ptr<DatagramLink>> by_id_;
    std::map<Source, std::shared_ptr<DatagramLink>> by_source_;
    std::unordered_map<const DatagramLink*, Source> sources_;
    std::uint64_t last_number_ = 0;
};

}  // namespace causeway::gateway
