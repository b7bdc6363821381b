#include "causeway/device/netlink.h"

#include "causeway/base/clock.h"
#include "causeway/device/netlink_message.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

namespace causeway::device {
namespace {

/// How long an IPv6 address may take to become the machine's own; it takes a millisecond or two.
constexpr std::chrono::milliseconds local_patience(200);

}  // namespace

Result<Netlink> Netlink::open() {
    auto socket = NetlinkSocket::open(NETLINK_ROUTE);
    if (!socket) return pass(socket);
    return Netlink(std::move(*socket));
}

Result<std::optional<Link>> Netlink::link(const std::string& name) {
    NetlinkMessage message(RTM_GETLINK, 0);
    message.fixed<ifinfomsg>();
    message.put(IFLA_IFNAME, name);
    return ask_link(message.bytes());
}

Result<std::optional<Link>> Netlink::link(int index) {
    NetlinkMessage message(RTM_GETLINK, 0);
    message.fixed<ifinfomsg>().ifi_index = index;
    return ask_link(message.bytes());
}

Result<std::optional<Link>> Netlink::ask_link(std::span<std::byte> message) {
    std::optional<Link> found;
    auto asked = socket_.ask(message, [&](const nlmsghdr& answer) {
        const auto& info = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&answer));
        found = Link{info.ifi_index, 0, (info.ifi_flags & IFF_UP) != 0};
        for_each_attribute(answer, sizeof(ifinfomsg), [&](const nlattr& attribute) {
            if (mnl_attr_get_type(&attribute) == IFLA_MTU)
                found->mtu = static_cast<int>(mnl_attr_get_u32(&attribute));
        });
    });
    if (!asked && is_errno(asked.error(), ENODEV)) return std::nullopt;
    if (!asked) return pass(asked);
    return found;
}

Result<void> Netlink::set_link(const Link& wanted) {
    NetlinkMessage message(RTM_NEWLINK, 0);
    auto& info = message.fixed<ifinfomsg>();
    info.ifi_index = wanted.index;
    info.ifi_flags = wanted.is_up ? IFF_UP : 0;
    info.ifi_change = IFF_UP;
    message.put(IFLA_MTU, static_cast<std::uint32_t>(wanted.mtu));
    return socket_.transact(message.bytes());
}

Result<void> Netlink::set_queue(int link, const LinkQueue& wanted) {
    NetlinkMessage message(RTM_NEWLINK, 0);
    message.fixed<ifinfomsg>().ifi_index = link;
    message.put(IFLA_TXQLEN, wanted.length);
    message.put(IFLA_GSO_MAX_SIZE, wanted.super_packet_size);
    message.put(IFLA_GSO_MAX_SEGS, wanted.super_packet_segments);
    return socket_.transact(message.bytes());
}

Result<void> Netlink::leave_unnumbered(int link) {
    return set_numbering(link, IN6_ADDR_GEN_MODE_NONE);
}

Result<void> Netlink::set_numbering(int link, std::uint8_t mode) {
    NetlinkMessage message(RTM_NEWLINK, 0);
    message.fixed<ifinfomsg>().ifi_index = link;
    auto* families = message.open_nest(IFLA_AF_SPEC);
    auto* family = message.open_nest(AF_INET6);
    message.put_byte(IFLA_INET6_ADDR_GEN_MODE, mode);
    message.close_nest(family);
    message.close_nest(families);
    return socket_.transact(message.bytes());
}

Result<std::optional<std::uint8_t>> Netlink::numbering(int link) {
    NetlinkMessage message(RTM_GETLINK, 0);
    message.fixed<ifinfomsg>().ifi_index = link;
    std::optional<std::uint8_t> mode;
    auto asked = socket_.ask(message.bytes(), [&](const nlmsghdr& answer) {
        for_each_attribute(answer, sizeof(ifinfomsg), [&](const nlattr& families) {
            if (mnl_attr_get_type(&families) != IFLA_AF_SPEC) return;
            for_each_inside(families, [&](const nlattr& family) {
                if (mnl_attr_get_type(&family) != AF_INET6) return;
                for_each_inside(family, [&](const nlattr& attribute) {
                    if (mnl_attr_get_type(&attribute) == IFLA_INET6_ADDR_GEN_MODE)
                        mode = mnl_attr_get_u8(&attribute);
                });
            });
        });
    });
    if (!asked) return pass(asked);
    return mode;
}

Result<void> Netlink::add_address(int link, const Prefix& address, OnLinkRoute route) {
    auto added = put_address(link, address, route);
    if (!added || address.address.is_v4()) return added;
    return wait_until_local(address.address);
}

Result<void> Netlink::add_addresses(int link, std::span<const Prefix> addresses,
                                    OnLinkRoute route) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        auto added = put_address(link, addresses[i], route);
        if (added) continue;
        added.error().with("address", addresses[i].text());
        if (auto removed = remove_addresses(link, addresses.first(i)); !removed)
            added.error().with("left_behind", removed.error().detail);
        return added;
    }
    for (const auto& address : addresses)
        if (!address.address.is_v4())
            if (auto waited = wait_until_local(address.address); !waited) return waited;
    return {};
}

Result<void> Netlink::put_address(int link, const Prefix& address, OnLinkRoute route) {
    NetlinkMessage message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    auto& info = message.fixed<ifaddrmsg>();
    info.ifa_family = static_cast<std::uint8_t>(address.address.domain());
    info.ifa_prefixlen = static_cast<std::uint8_t>(address.length);
    info.ifa_index = static_cast<std::uint32_t>(link);
    message.put(IFA_LOCAL, address.address);
    message.put(IFA_ADDRESS, address.address);
    std::uint32_t flags = address.address.is_v4() ? 0 : IFA_F_NODAD;
    if (route == OnLinkRoute::none) flags |= IFA_F_NOPREFIXROUTE;
    message.put(IFA_FLAGS, flags);
    return socket_.transact(message.bytes());
}

/// The kernel takes an IPv6 address at once and makes it its own a moment later.
Result<void> Netlink::wait_until_local(const IpAddress& address) {
    const Instant until = Clock::now() + local_patience;
    while (Clock::now() < until) {
        auto local = is_local(address);
        if (!local) return pass(local);
        if (*local) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return {};
}

/// Whether packets to the address are for this machine.
Result<bool> Netlink::is_local(const IpAddress& address) {
    NetlinkMessage message(RTM_GETROUTE, 0);
    auto& info = message.fixed<rtmsg>();
    info.rtm_family = static_cast<std::uint8_t>(address.domain());
    info.rtm_dst_len = static_cast<std::uint8_t>(address.bits());
    message.put(RTA_DST, address);

    bool found = false;
    auto asked = socket_.ask(message.bytes(), [&](const nlmsghdr& answer) {
        const auto& route = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&answer));
        found |= answer.nlmsg_type == RTM_NEWROUTE && route.rtm_type == RTN_LOCAL;
    });
    // No route at all is an answer too.
    if (!asked && !is_errno(asked.error(), ENETUNREACH) && !is_errno(asked.error(), EHOSTUNREACH))
        return pass(asked);
    return found;
}

Result<void> Netlink::remove_address(int link, const Prefix& address) {
    NetlinkMessage message(RTM_DELADDR, 0);
    auto& info = message.fixed<ifaddrmsg>();
    info.ifa_family = static_cast<std::uint8_t>(address.address.domain());
    info.ifa_prefixlen = static_cast<std::uint8_t>(address.length);
    info.ifa_index = static_cast<std::uint32_t>(link);
    message.put(IFA_LOCAL, address.address);
    message.put(IFA_ADDRESS, address.address);
    auto removed = socket_.transact(message.bytes());
    if (!removed && (is_errno(removed.error(), EADDRNOTAVAIL) || is_errno(removed.error(), ENODEV)))
        return {};
    return removed;
}

Result<void> Netlink::remove_addresses(int link, std::span<const Prefix> addresses) {
    Result<void> first;
    for (const auto& address : addresses)
        if (auto removed = remove_address(link, address); !removed && first) first = removed;
    return first;
}

Result<std::vector<Prefix>> Netlink::addresses(int link) {
    std::vector<Prefix> addresses;
    NetlinkMessage message(RTM_GETADDR, 0);
    message.fixed<ifaddrmsg>().ifa_index = static_cast<std::uint32_t>(link);
    auto found = socket_.dump(message.bytes());
    if (!found && is_errno(found.error(), ENODEV)) return addresses;
    if (!found) return pass(found);
    for (const auto& bytes : *found) {
        const auto& header = header_in(bytes);
        const auto& info = *static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&header));
        if (info.ifa_index != static_cast<std::uint32_t>(link)) continue;
        std::optional<IpAddress> local, address;
        for_each_attribute(header, sizeof(ifaddrmsg), [&](const nlattr& attribute) {
            const ByteView value{static_cast<const std::byte*>(mnl_attr_get_payload(&attribute)),
                                 mnl_attr_get_payload_len(&attribute)};
            if (mnl_attr_get_type(&attribute) == IFA_LOCAL) local = IpAddress::from_bytes(value);
            if (mnl_attr_get_type(&attribute) == IFA_ADDRESS)
                address = IpAddress::from_bytes(value);
        });
        // IPv6 names only the second unless there is a peer.
        if (local || address) addresses.push_back({local ? *local : *address, info.ifa_prefixlen});
    }
    return addresses;
}

Result<std::vector<Netlink::NamedLink>> Netlink::links() {
    NetlinkMessage message(RTM_GETLINK, 0);
    message.fixed<ifinfomsg>();
    auto found = socket_.dump(message.bytes());
    if (!found) return pass(found);
    std::vector<NamedLink> links;
    for (const auto& bytes : *found) {
        const auto& header = header_in(bytes);
        const auto& info = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&header));
        NamedLink link{info.ifi_index, {}, (info.ifi_flags & IFF_LOOPBACK) != 0};
        for_each_attribute(header, sizeof(ifinfomsg), [&](const nlattr& attribute) {
            if (mnl_attr_get_type(&attribute) == IFLA_IFNAME)
                link.name = mnl_attr_get_str(&attribute);
        });
        links.push_back(std::move(link));
    }
    return links;
}

}  // namespace causeway::device
