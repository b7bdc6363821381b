// The part of Netlink that speaks of routes and rules.

#include "causeway/device/netlink.h"
#include "causeway/device/netlink_message.h"
#include "causeway/device/protect.h"

#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

namespace causeway::device {
namespace {

/// Messages a system call: as many refusals must fit into the socket's receive buffer.
constexpr std::size_t batch_limit = 128;

std::uint8_t domain_of(Family family) { return family == Family::ipv4 ? AF_INET : AF_INET6; }

std::uint8_t type_of(RouteKind kind) {
    switch (kind) {
        case RouteKind::tunnel: return RTN_UNICAST;
        case RouteKind::outside: return RTN_THROW;
        case RouteKind::unreachable: return RTN_UNREACHABLE;
    }
    std::unreachable();
}

void append_route(std::vector<std::byte>& to, const Route& route, std::uint32_t table, int link,
                  std::uint32_t sequence, int flags) {
    NetlinkMessage message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | flags);
    auto& info = message.fixed<rtmsg>();
    info.rtm_family = domain_of(route.destination.family());
    info.rtm_dst_len = static_cast<std::uint8_t>(route.destination.length);
    info.rtm_protocol = our_protocol;
    info.rtm_type = type_of(route.kind);
    if (route.kind == RouteKind::tunnel && info.rtm_family == AF_INET)
        info.rtm_scope = RT_SCOPE_LINK;
    message.put(RTA_TABLE, table);
    message.put(RTA_DST, route.destination.network().address);
    if (route.kind == RouteKind::tunnel) message.put(RTA_OIF, static_cast<std::uint32_t>(link));
    if (route.metric != 0) message.put(RTA_PRIORITY, route.metric);
    const auto bytes = message.bytes();
    reinterpret_cast<nlmsghdr*>(bytes.data())->nlmsg_seq = sequence;
    to.insert(to.end(), bytes.begin(), bytes.end());
}

/// The table a dumped route is in.
std::uint32_t table_of(const nlmsghdr& message) {
    std::uint32_t table = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message))->rtm_table;
    for_each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == RTA_TABLE) table = mnl_attr_get_u32(&attribute);
    });
    return table;
}

bool is_ours(const nlmsghdr& message, Family family, std::uint32_t table) {
    if (message.nlmsg_type != RTM_NEWROUTE) return false;
    const auto& info = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
    return info.rtm_family == domain_of(family) && info.rtm_protocol == our_protocol &&
           (info.rtm_flags & RTM_F_CLONED) == 0 && table_of(message) == table;
}

bool is_absence(const Error& error) {
    const auto is = [&](int number) { return error.code == Code::raw(Domain::system, number); };
    return is(ENOENT) || is(ESRCH) || is(EAFNOSUPPORT);
}

void fill_rule(NetlinkMessage& message, const Rule& rule) {
    auto& info = message.fixed<fib_rule_hdr>();
    info.family = domain_of(rule.family);
    info.action = FR_ACT_TO_TBL;
    info.flags = FIB_RULE_INVERT;
    message.put(FRA_PRIORITY, rule.priority);
    message.put(FRA_FWMARK, mark_base);
    message.put(FRA_FWMASK, mark_mask);
    message.put(FRA_TABLE, rule.table);
    message.put_byte(FRA_PROTOCOL, our_protocol);
}

}  // namespace

std::string text(const Route& route) {
    std::string words;
    if (route.kind == RouteKind::outside) words = "throw ";
    if (route.kind == RouteKind::unreachable) words = "unreachable ";
    words += route.destination.text();
    if (route.metric != 0) words += fmt::format(" metric {}", route.metric);
    return words;
}

Result<void> Netlink::add_routes(Family family, std::uint32_t table, int link,
                                 std::span<const Route> routes) {
    std::vector<std::byte> batch;
    while (!routes.empty()) {
        const auto now = routes.first(std::min(routes.size(), batch_limit));
        const std::uint32_t first = sequence_ + 1;
        batch.clear();
        for (const auto& route : now)
            append_route(batch, route, table, link, ++sequence_,
                         &route == &now.back() ? NLM_F_ACK : 0);
        auto added = exchange(batch, sequence_, [](const nlmsghdr&) {});
        if (!added) {
            if (refused_ >= first) added.error().with("route", text(now[refused_ - first]));
            added.error().with("family", family == Family::ipv4 ? "IPv4" : "IPv6");
            return added;
        }
        routes = routes.subspan(now.size());
    }
    return {};
}

Result<void> Netlink::flush_table(Family family, std::uint32_t table) {
    NetlinkMessage message(RTM_GETROUTE, 0);
    message.fixed<rtmsg>().rtm_family = domain_of(family);
    message.put(RTA_TABLE, table);

    std::vector<std::vector<std::byte>> found;
    auto dumped = dump(message.bytes(), [&](const nlmsghdr& route) {
        if (!is_ours(route, family, table)) return;
        const auto* bytes = reinterpret_cast<const std::byte*>(&route);
        found.emplace_back(bytes, bytes + route.nlmsg_len);
    });
    if (!dumped) return is_absence(dumped.error()) ? Result<void>{} : dumped;
    return remove_routes(found);
}

/// Sends dumped routes back as what to remove.
Result<void> Netlink::remove_routes(std::span<const std::vector<std::byte>> found) {
    std::optional<Error> first;
    std::vector<std::byte> batch;
    for (std::size_t at = 0; at < found.size(); at += batch_limit) {
        const auto now = found.subspan(at, std::min(batch_limit, found.size() - at));
        batch.clear();
        for (const auto& route : now) {
            auto bytes = route;
            bytes.resize(MNL_ALIGN(bytes.size()));
            auto* header = reinterpret_cast<nlmsghdr*>(bytes.data());
            header->nlmsg_type = RTM_DELROUTE;
            header->nlmsg_flags = NLM_F_REQUEST | (&route == &now.back() ? NLM_F_ACK : 0);
            header->nlmsg_seq = ++sequence_;
            header->nlmsg_pid = 0;
            batch.insert(batch.end(), bytes.begin(), bytes.end());
        }
        auto removed = exchange(batch, sequence_, [](const nlmsghdr&) {});
        if (!removed && !is_absence(removed.error()) && !first) first = std::move(removed).error();
    }
    if (first) return std::unexpected(std::move(*first));
    return {};
}

Result<void> Netlink::add_rule(const Rule& rule) {
    NetlinkMessage message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
    fill_rule(message, rule);
    return transact(message.bytes());
}

Result<void> Netlink::remove_rule(const Rule& rule) {
    NetlinkMessage message(RTM_DELRULE, 0);
    fill_rule(message, rule);
    auto removed = transact(message.bytes());
    if (!removed && is_absence(removed.error())) return {};
    return removed;
}

}  // namespace causeway::device
