// Tables of the kernel's firewall, over a netlink socket: put in place and taken away whole.
//
// Failures as in netlink_socket.h. What is removed and was not there counts as removed.

#pragma once

#include "causeway/device/firewall.h"
#include "causeway/device/netlink_socket.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace causeway::device {

class FirewallBatch;

/// What the kernel's firewall can look at.
enum class FirewallReach : std::uint8_t {
    none,     ///< It has none, or this process may not change it.
    packets,  ///< What programs send and what is forwarded.
    frames,   ///< What packet sockets send, too.
};

class NetlinkFirewall {
public:
    static Result<NetlinkFirewall> open();

    /// Tried out by a transaction that is not ended, and so changes nothing.
    FirewallReach reach();

    /// Puts tables in place of those of the same name, in one transaction: no packet sees neither.
    /// Where the kernel can (see `reach`), only this object may change them from then on, and they
    /// outlive it.
    Result<void> replace(const std::string& name, std::span<const FirewallTable> tables);

    /// Removes the tables of that name, of both kinds, in one transaction.
    Result<void> remove(const std::string& name);

    /// What is in the tables of that name, to be compared with what was; nothing without a table.
    /// Counters, elements with a lifetime and the links of frames do not count.
    Result<std::optional<std::string>> contents(const std::string& name);

private:
    explicit NetlinkFirewall(NetlinkSocket socket) : socket_(std::move(socket)) {}
    Result<bool> has(FirewallTable::Kind kind, const std::string& name);
    Result<bool> add_removal(FirewallBatch& batch, const std::string& name);
    Result<void> commit(FirewallBatch& batch);
    bool accepts(const FirewallTable& table, std::uint32_t flags);
    Result<std::string> chains(FirewallTable::Kind kind, const std::string& name);
    Result<std::string> rules(FirewallTable::Kind kind, const std::string& name);
    Result<std::string> sets(FirewallTable::Kind kind, const std::string& name);
    Result<std::string> elements(FirewallTable::Kind kind, const std::string& name,
                                 const std::string& set);

    NetlinkSocket socket_;
    std::uint32_t flags_ = 0;  ///< Of our tables.
};

}  // namespace causeway::device
