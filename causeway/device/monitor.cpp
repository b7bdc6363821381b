#include "causeway/device/monitor.h"

#include "causeway/device/netlink_message.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <initializer_list>

namespace causeway::device {
namespace {

/// A listening socket of the groups, watched by `poll`; none when the kernel has no such protocol.
Result<Fd> listen(int protocol, std::initializer_list<int> groups, int poll) {
    Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
    if (!fd && errno == EPROTONOSUPPORT) return Fd{};
    if (!fd) return std::unexpected(system_error(errno, "socket AF_NETLINK"));
    // Without an address of its own it would be taken for the kernel's own end, which needs no
    // news.
    sockaddr_nl own{};
    own.nl_family = AF_NETLINK;
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
        return std::unexpected(system_error(errno, "bind AF_NETLINK"));
    for (const int group : groups)
        if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
            return std::unexpected(system_error(errno, "setsockopt NETLINK_ADD_MEMBERSHIP"));
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd.get(), &event) != 0)
        return std::unexpected(system_error(errno, "epoll_ctl"));
    return fd;
}

bool concerns(const nlmsghdr& message, std::uint32_t table, int link) {
    const auto* body = mnl_nlmsg_get_payload(&message);
    switch (message.nlmsg_type) {
        case RTM_NEWADDR:
        case RTM_DELADDR:
            return static_cast<const ifaddrmsg*>(body)->ifa_index ==
                   static_cast<std::uint32_t>(link);
        case RTM_NEWROUTE:
        case RTM_DELROUTE: {
            std::uint32_t in = static_cast<const rtmsg*>(body)->rtm_table;
            for_each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
                if (mnl_attr_get_type(&attribute) == RTA_TABLE) in = mnl_attr_get_u32(&attribute);
            });
            return in == table;
        }
        default: return true;
    }
}

}  // namespace

Result<Monitor> Monitor::open(std::uint32_t table, int link) {
    Fd poll(epoll_create1(EPOLL_CLOEXEC));
    if (!poll) return std::unexpected(system_error(errno, "epoll_create1"));
    auto route = listen(NETLINK_ROUTE,
                        {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                         RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE},
                        poll.get());
    if (!route) return pass(route);
    auto firewall = listen(NETLINK_NETFILTER, {NFNLGRP_NFTABLES}, poll.get());
    if (!firewall) return pass(firewall);
    return Monitor(std::move(poll), std::move(*route), std::move(*firewall), table, link);
}

bool Monitor::drain() {
    const bool first = drain(route_.get());
    return (firewall_ && drain(firewall_.get())) || first;
}

bool Monitor::drain(int socket) {
    bool any = false;
    alignas(nlmsghdr) std::array<char, 65536> buffer;
    while (true) {
        const auto count = recv(socket, buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == ENOBUFS) {
            // News was lost: it may have concerned us.
            any = true;
            continue;
        }
        if (count <= 0) return any;
        int left = static_cast<int>(count);
        const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
        for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
            any |= concerns(*message, table_, link_);
    }
}

}  // namespace causeway::device
