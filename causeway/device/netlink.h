// The kernel's links, addresses, routes and rules, over a netlink socket.
//
// Every failure is a raw fact of the system domain; evidence `kernel` holds the kernel's own words,
// where it gave any. What is removed and was not there counts as removed.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/device/route.h"
#include "causeway/error/error.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct nlmsghdr;

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

    enum class OnLinkRoute { none, by_kernel };
    /// An IPv6 address is usable on return: duplicates are not looked for on a tunnel, and what
    /// the kernel does later is waited for, a fifth of a second at most.
    Result<void> add_address(int link, const Prefix& address, OnLinkRoute route);
    Result<void> remove_address(int link, const Prefix& address);

    /// Adds all routes of one family to a table, many a system call; the first refusal ends it.
    Result<void> add_routes(Family family, std::uint32_t table, int link,
                            std::span<const Route> routes);
    /// Removes every route of ours in a table.
    Result<void> flush_table(Family family, std::uint32_t table);

    Result<void> add_rule(const Rule& rule);
    Result<void> remove_rule(const Rule& rule);

private:
    using Handler = std::function<void(const nlmsghdr&)>;

    explicit Netlink(Fd socket) : socket_(std::move(socket)) {}
    Result<void> transact(std::span<std::byte> message);
    Result<bool> is_local(const IpAddress& address);
    Result<void> wait_until_local(const IpAddress& address);
    Result<void> dump(std::span<std::byte> message, const Handler& each);
    Result<void> exchange(std::span<const std::byte> messages, std::uint32_t last,
                          const Handler& each);
    Result<void> answers(std::uint32_t last, const Handler& each);
    Result<std::optional<Link>> ask_link(std::span<std::byte> message);
    Result<void> remove_routes(std::span<const std::vector<std::byte>> found);

    Fd socket_;
    std::uint32_t sequence_ = 0;
    std::uint32_t refused_ = 0;  ///< The number of the message that the last failure was about.
};

}  // namespace causeway::device
