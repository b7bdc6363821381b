// The part of Netlink that speaks of routes.

#include "causeway/device/netlink.h"
#include "causeway/device/netlink_message.h"

#include <fmt/format.h>
#include <linux/ipv6_route.h>
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
    return is_errno(error, ENOENT) || is_errno(error, ESRCH) || is_errno(error, EAFNOSUPPORT);
}

/// A route of ours as it was wanted. One that leads by another link than the tunnel's is none of
/// ours: it gets a metric that none has.
Route route_in(const nlmsghdr& message, Family family, int link) {
    const auto& info = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
    Bytes destination(family == Family::ipv4 ? 4 : 16);
    Route route;
    std::uint32_t by = 0;
    for_each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
        const auto type = mnl_attr_get_type(&attribute);
        if (type == RTA_DST && mnl_attr_get_payload_len(&attribute) == destination.size())
            std::memcpy(destination.data(), mnl_attr_get_payload(&attribute), destination.size());
        if (type == RTA_PRIORITY) route.metric = mnl_attr_get_u32(&attribute);
        if (type == RTA_OIF) by = mnl_attr_get_u32(&attribute);
    });
    route.destination = {*IpAddress::from_bytes(destination), info.rtm_dst_len};
    if (info.rtm_type == RTN_THROW) route.kind = RouteKind::outside;
    if (info.rtm_type == RTN_UNREACHABLE) route.kind = RouteKind::unreachable;
    // Nobody's choice: what IPv6 gives a route without a metric.
    if (family == Family::ipv6 && route.metric == IP6_RT_PRIO_USER) route.metric = 0;
    if (route.kind == RouteKind::tunnel && by != static_cast<std::uint32_t>(link))
        route.metric = UINT32_MAX;
    return route;
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
        std::uint32_t first = 0;
        batch.clear();
        std::uint32_t last = 0;
        for (const auto& route : now) {
            last = socket_.next();
            if (first == 0) first = last;
            append_route(batch, route, table, link, last, &route == &now.back() ? NLM_F_ACK : 0);
        }
        auto added = socket_.exchange(batch, last, [](const nlmsghdr&) {});
        if (!added) {
            if (const auto at = socket_.refused() - first; at < now.size())
                added.error().with("route", text(now[at]));
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

    auto found = socket_.dump(message.bytes());
    if (!found) return is_absence(found.error()) ? Result<void>{} : std::unexpected(found.error());
    std::erase_if(*found,
                  [&](const Bytes& route) { return !is_ours(header_in(route), family, table); });
    return remove_routes(*found);
}

/// Sends dumped routes back as what to remove.
Result<void> Netlink::remove_routes(std::span<const Bytes> found) {
    std::optional<Error> first;
    std::vector<std::byte> batch;
    for (std::size_t at = 0; at < found.size(); at += batch_limit) {
        const auto now = found.subspan(at, std::min(batch_limit, found.size() - at));
        batch.clear();
        std::uint32_t last = 0;
        for (const auto& route : now) {
            auto bytes = route;
            bytes.resize(MNL_ALIGN(bytes.size()));
            auto* header = reinterpret_cast<nlmsghdr*>(bytes.data());
            header->nlmsg_type = RTM_DELROUTE;
            header->nlmsg_flags = NLM_F_REQUEST | (&route == &now.back() ? NLM_F_ACK : 0);
            header->nlmsg_seq = last = socket_.next();
            header->nlmsg_pid = 0;
            batch.insert(batch.end(), bytes.begin(), bytes.end());
        }
        auto removed = socket_.exchange(batch, last, [](const nlmsghdr&) {});
        if (!removed && !is_absence(removed.error()) && !first) first = std::move(removed).error();
    }
    if (first) return std::unexpected(std::move(*first));
    return {};
}

Result<std::vector<Route>> Netlink::routes(Family family, std::uint32_t table, int link) {
    NetlinkMessage message(RTM_GETROUTE, 0);
    message.fixed<rtmsg>().rtm_family = domain_of(family);
    message.put(RTA_TABLE, table);
    auto found = socket_.dump(message.bytes());
    if (!found && is_absence(found.error())) return std::vector<Route>{};
    if (!found) return pass(found);
    std::vector<Route> routes;
    for (const auto& bytes : *found)
        if (is_ours(header_in(bytes), family, table))
            routes.push_back(route_in(header_in(bytes), family, link));
    return routes;
}

}  // namespace causeway::device
