#include "causeway/device/netlink.h"

#include "causeway/base/clock.h"
#include "causeway/base/text.h"
#include "causeway/device/netlink_message.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <thread>

namespace causeway::device {
namespace {

/// The kernel answers at once; an answer that was lost must not hold us for ever.
constexpr timeval answer_timeout{5, 0};

/// How long an IPv6 address may take to become the machine's own; it takes a millisecond or two.
constexpr std::chrono::milliseconds local_patience(200);

void set_option(int socket, int option) {
    // Older kernels lack some of these; then there are fewer words, nothing else.
    const int on = 1;
    setsockopt(socket, SOL_NETLINK, option, &on, sizeof on);
}

nlmsghdr* header_of(std::span<std::byte> message) {
    return reinterpret_cast<nlmsghdr*>(message.data());
}

/// What the kernel says about a refusal besides its number (NLMSGERR_ATTR_MSG).
std::string words_of(const nlmsghdr& message) {
    if ((message.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
    const auto* refusal = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message));
    std::size_t offset = sizeof(nlmsgerr);
    if ((message.nlmsg_flags & NLM_F_CAPPED) == 0)
        offset += refusal->msg.nlmsg_len - sizeof(nlmsghdr);
    if (offset > mnl_nlmsg_get_payload_len(&message)) return {};

    std::string words;
    for_each_attribute(message, offset, [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == NLMSGERR_ATTR_MSG)
            words = printable(std::string_view(mnl_attr_get_str(&attribute)));
    });
    return words;
}

/// Nothing for an acknowledgement and for the end of a dump that went well. Both kinds of message
/// begin with a negative errno.
std::optional<Error> refusal_in(const nlmsghdr& message) {
    if (mnl_nlmsg_get_payload_len(&message) < sizeof(int)) return std::nullopt;
    int number;
    std::memcpy(&number, mnl_nlmsg_get_payload(&message), sizeof number);
    if (number >= 0) return std::nullopt;
    Error error = system_error(-number, "netlink");
    if (message.nlmsg_type != NLMSG_ERROR) return error;
    if (auto words = words_of(message); !words.empty()) error.with("kernel", std::move(words));
    return error;
}

bool is_errno(const Error& error, int number) {
    return error.code == Code::raw(Domain::system, number);
}

}  // namespace

Result<Netlink> Netlink::open() {
    Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!fd) return std::unexpected(system_error(errno, "socket AF_NETLINK"));
    if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &answer_timeout, sizeof answer_timeout) != 0)
        return std::unexpected(system_error(errno, "setsockopt SO_RCVTIMEO"));
    set_option(fd.get(), NETLINK_EXT_ACK);
    set_option(fd.get(), NETLINK_CAP_ACK);
    set_option(fd.get(), NETLINK_GET_STRICT_CHK);
    return Netlink(std::move(fd));
}

Result<void> Netlink::transact(std::span<std::byte> message) {
    header_of(message)->nlmsg_seq = ++sequence_;
    header_of(message)->nlmsg_flags |= NLM_F_ACK;
    return exchange(message, sequence_, [](const nlmsghdr&) {});
}

Result<void> Netlink::dump(std::span<std::byte> message, const Handler& each) {
    header_of(message)->nlmsg_seq = ++sequence_;
    header_of(message)->nlmsg_flags |= NLM_F_DUMP;
    return exchange(message, sequence_, each);
}

/// Sends messages numbered up to `last` and reads all answers. The kernel carries out every
/// message, also behind one that it refuses; the first refusal is returned.
Result<void> Netlink::exchange(std::span<const std::byte> messages, std::uint32_t last,
                               const Handler& each) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const auto count = sendto(socket_.get(), messages.data(), messages.size(), 0,
                              reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    if (count < 0) return std::unexpected(system_error(errno, "sendto netlink"));
    return answers(last, each);
}

Result<void> Netlink::answers(std::uint32_t last, const Handler& each) {
    std::optional<Error> first;
    alignas(nlmsghdr) std::array<char, 65536> buffer;
    while (true) {
        const auto count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::unexpected(system_error(errno, "recv netlink"));

        int left = static_cast<int>(count);
        const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
        for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            const bool ends =
                message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE;
            if (ends && !first) {
                first = refusal_in(*message);
                refused_ = message->nlmsg_seq;
            }
            if (!ends && message->nlmsg_seq == last) each(*message);
            if (!ends || message->nlmsg_seq != last) continue;
            if (first) return std::unexpected(std::move(*first));
            return {};
        }
    }
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
    header_of(message)->nlmsg_seq = ++sequence_;
    header_of(message)->nlmsg_flags |= NLM_F_ACK;
    auto asked = exchange(message, sequence_, [&](const nlmsghdr& answer) {
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
    return transact(message.bytes());
}

Result<void> Netlink::set_queue(int link, const LinkQueue& wanted) {
    NetlinkMessage message(RTM_NEWLINK, 0);
    message.fixed<ifinfomsg>().ifi_index = link;
    message.put(IFLA_TXQLEN, wanted.length);
    message.put(IFLA_GSO_MAX_SIZE, wanted.super_packet_size);
    message.put(IFLA_GSO_MAX_SEGS, wanted.super_packet_segments);
    return transact(message.bytes());
}

Result<void> Netlink::leave_unnumbered(int link) {
    NetlinkMessage message(RTM_NEWLINK, 0);
    message.fixed<ifinfomsg>().ifi_index = link;
    auto* families = message.open_nest(IFLA_AF_SPEC);
    auto* family = message.open_nest(AF_INET6);
    message.put_byte(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    message.close_nest(family);
    message.close_nest(families);
    return transact(message.bytes());
}

Result<void> Netlink::add_address(int link, const Prefix& address, OnLinkRoute route) {
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
    auto added = transact(message.bytes());
    if (!added || address.address.is_v4()) return added;
    return wait_until_local(address.address);
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
    header_of(message.bytes())->nlmsg_seq = ++sequence_;
    header_of(message.bytes())->nlmsg_flags |= NLM_F_ACK;

    bool found = false;
    auto asked = exchange(message.bytes(), sequence_, [&](const nlmsghdr& answer) {
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
    auto removed = transact(message.bytes());
    if (!removed && (is_errno(removed.error(), EADDRNOTAVAIL) || is_errno(removed.error(), ENODEV)))
        return {};
    return removed;
}

}  // namespace causeway::device
