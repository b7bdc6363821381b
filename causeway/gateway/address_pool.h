// Addresses inside the tunnel: leased one by one, the same again for the same user.
//
// A pool may be as large as a /64: it keeps only what is leased or remembered, and finds a free
// address in logarithmic time.

#pragma once

#include "causeway/base/address.h"
#include "causeway/error/error.h"
#include "causeway/gateway/config.h"

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace causeway::gateway {

/// The leases of one Pool. Not for use by two threads.
class AddressPool {
public:
    explicit AddressPool(const Pool& pool);

    /// An address for one more session of `user`: the one this user had before when it is free,
    /// else one that follows from the name (so that it is the same after a restart), else any
    /// that nobody had, else the one whose last user has been away longest.
    ///
    /// Fails with serverDisconnected (Reason::pool_empty) when all are leased; evidence "pool" and
    /// "addresses".
    Result<IpAddress> lease(std::string_view user);

    /// Leases exactly `address` (sessions taken over from before a reload). False when it is
    /// leased already or no address of this pool.
    bool lease_again(const IpAddress& address, std::string_view user);

    /// Gives an address back. One that is not leased is left alone.
    void release(const IpAddress& address);

    bool is_leased(const IpAddress& address) const;
    const Pool& pool() const { return pool_; }
    /// How many may be leased in all; 2^63 stands for that many and more.
    std::uint64_t size() const { return size_; }
    std::uint64_t leased() const { return leased_; }

private:
    using Offset = std::uint64_t;  ///< From the pool's first address.
    struct Claim {
        std::string user;
        bool leased = false;
        std::list<Offset>::iterator away;  ///< Place in `away_`; valid only when not leased.
    };

    std::optional<Offset> offset_of(const IpAddress& address) const;
    IpAddress address_at(Offset offset) const;
    std::optional<Offset> remembered(std::string_view user) const;
    std::optional<Offset> unclaimed_from(Offset start) const;
    IpAddress take(Offset offset, std::string_view user);
    void claim(Offset offset);
    void forget(Offset offset);

    Pool pool_;
    std::uint64_t size_;
    std::uint64_t leased_ = 0;
    std::unordered_map<Offset, Claim> claims_;  ///< Leased, or remembered for who had it.
    std::map<Offset, Offset> claimed_runs_;     ///< The keys of `claims_` as runs: first -> last.
    std::multimap<std::string, Offset, std::less<>> by_user_;
    std::list<Offset> away_;  ///< Remembered ones, longest away first.
};

}  // namespace causeway::gateway
