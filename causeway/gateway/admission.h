// Who may come in: connections from one address, bans after failures, sessions of a user.
//
// Pure data with the time as an argument; memory is bounded however many addresses try. Not for
// use by two threads at once.

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/clock.h"
#include "causeway/error/error.h"
#include "causeway/gateway/config.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace causeway::gateway {

class SessionTable;

/// A ban that holds now.
struct Ban {
    Prefix from;  ///< One IPv4 address, or the /64 of an IPv6 address.
    Instant until;
    std::size_t failures;  ///< That led to it.
};

/// What admission counts an address as: itself for IPv4 (also when mapped into IPv6), its /64
/// for IPv6.
Prefix origin_of(const IpAddress& address);

class Admission {
public:
    Admission(const BanRule& ban, const Limits& limits) : rule_(ban), limits_(limits) {}

    /// Rules of a reloaded configuration. Bans that hold go on as they are.
    void change(const BanRule& ban, const Limits& limits);

    /// A TCP connection was accepted; each that is let in is given back by `connection_closed`.
    /// Fails with the refusal of Reason::connections_of_address, and then it is not counted.
    Result<void> connection_opened(const IpAddress& from);
    void connection_closed(const IpAddress& from);

    /// The refusal of Reason::banned while a ban holds, with how much longer. Ask at accept and
    /// again when a password arrives.
    Result<void> not_banned(const IpAddress& from, Instant now) const;

    /// Counts a failure (ReasonRow::counts_for_ban); the ban when this one was the last allowed.
    std::optional<Ban> failed(const IpAddress& from, Instant now);

    /// A good login does away with the failures before it, not with a ban.
    void succeeded(const IpAddress& from);

    /// Those that hold, the longest first.
    std::vector<Ban> bans(Instant now) const;

    /// Ends the ban that holds for `address` and forgets its failures; false when there is none.
    bool unban(const IpAddress& address, Instant now);

    std::size_t remembered() const { return origins_.size(); }

private:
    struct Origin {
        std::size_t connections = 0;
        std::deque<Instant> failures;  ///< Within the window, oldest first; at most the rule's.
        std::optional<Instant> banned_until;
        std::size_t banned_for = 0;
    };
    struct Hash {
        std::size_t operator()(const Prefix& prefix) const;
    };

    void make_room(Instant now);

    BanRule rule_;
    Limits limits_;
    std::unordered_map<Prefix, Origin, Hash> origins_;
};

/// Whether `user` may have one more session in `group`, judged by the sessions that hold an
/// address now. Fails with the refusal of Reason::sessions_of_user, sessions_of_group or
/// sessions_in_all.
Result<void> admit_session(const SessionTable& sessions, const Limits& limits, const Group& group,
                           const std::string& user);

}  // namespace causeway::gateway
