// The kernel's links, addresses, routes and rules, over a netlink socket.
//
// Failures as in netlink_socket.h. What is removed and was not there counts as removed.

#pragma once

#include "causeway/device/netlink_socket.h"
#include "causeway/device/route.h"
#include "causeway/error/error.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace causeway::device {

struct Link {
    int index;
    int mtu;
    bool is_up;

    bool operator==(const Link&) const = default;
};

/// What may wait in front of an interface, and how large it may be.
struct LinkQueue {
    std::uint32_t length = 0;             ///< Packets or super-packets.
    std::uint32_t super_packet_size = 0;  ///< Bytes of headers and payload.
    std::uint32_t super_packet_segments = 0;
};

class Netlink {
public:
    static Result<Netlink> open();

    /// Nothing when there is no such interface.
    Result<std::optional<Link>> link(const std::string& name);
    Result<std::optional<Link>> link(int index);
    /// Sets the MTU and brings the interface up or down.
    Result<void> set_link(const Link& wanted);
    Result<void> set_queue(int link, const LinkQueue& wanted);
    /// Keeps the kernel from giving the interface an IPv6 address of its own.
    Result<void> leave_unnumbered(int link);
    /// How it would choose one (IN6_ADDR_GEN_MODE_…); nothing without IPv6.
    Result<std::optional<std::uint8_t>> numbering(int link);
    Result<void> set_numbering(int link, std::uint8_t mode);

    struct NamedLink {
        int index;
        std::string name;
        bool is_loopback;
    };
    Result<std::vector<NamedLink>> links();

    enum class OnLinkRoute { none, by_kernel };
    /// An IPv6 address is usable on return: duplicates are not looked for on a tunnel, and what
    /// the kernel does later is waited for, a fifth of a second at most.
    Result<void> add_address(int link, const Prefix& address, OnLinkRoute route);
    Result<void> remove_address(int link, const Prefix& address);
    /// Adds all, or none: those before one that is refused are taken back. Evidence `address`.
    Result<void> add_addresses(int link, std::span<const Prefix> addresses, OnLinkRoute route);
    /// Removes all it can; fails with the first that it could not.
    Result<void> remove_addresses(int link, std::span<const Prefix> addresses);
    Result<std::vector<Prefix>> addresses(int link);

    /// Adds all routes of one family to a table, many a system call; the first refusal ends it.
    Result<void> add_routes(Family family, std::uint32_t table, int link,
                            std::span<const Route> routes);
    /// Removes every route of ours in a table.
    Result<void> flush_table(Family family, std::uint32_t table);
    /// The routes of ours in a table; one of the tunnel's kind leads by `link`.
    Result<std::vector<Route>> routes(Family family, std::uint32_t table, int link);

    Result<void> add_rule(const Rule& rule);
    Result<void> remove_rule(const Rule& rule);
    /// The rules of ours that lead to a table.
    Result<std::vector<Rule>> rules(Family family, std::uint32_t table);

private:
    explicit Netlink(NetlinkSocket socket) : socket_(std::move(socket)) {}
    Result<void> put_address(int link, const Prefix& address, OnLinkRoute route);
    Result<bool> is_local(const IpAddress& address);
    Result<void> wait_until_local(const IpAddress& address);
    Result<std::optional<Link>> ask_link(std::span<std::byte> message);
    Result<void> remove_routes(std::span<const Bytes> found);

    NetlinkSocket socket_;
};

}  // namespace causeway::device
