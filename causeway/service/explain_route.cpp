#include "causeway/service/explain_route.h"

#include "causeway/base/fd.h"
#include "causeway/device/protect.h"
#include "causeway/service/json.h"
#include "causeway/service/session.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace causeway::service {
namespace {

using Way = RouteVerdict::Way;

/// The longest prefix, and of those the smallest metric.
std::optional<device::Route> best_route(const device::Plan& plan, const IpAddress& destination) {
    const device::Route* best = nullptr;
    for (const auto& [step, undo] : plan.steps) {
        const auto* added = std::get_if<device::AddRoutes>(&step);
        if (!added || added->family != destination.family()) continue;
        for (const auto& route : added->routes) {
            if (!route.destination.contains(destination)) continue;
            const bool is_better = !best || route.destination.length > best->destination.length ||
                                   (route.destination.length == best->destination.length &&
                                    route.metric < best->metric);
            if (is_better) best = &route;
        }
    }
    if (!best) return std::nullopt;
    return *best;
}

bool has_rule(const device::Plan& plan, Family family) {
    return std::ranges::any_of(plan.steps, [&](const device::PlannedStep& planned) {
        const auto* added = std::get_if<device::AddRules>(&planned.step);
        return added && std::ranges::any_of(added->rules, [&](const device::Rule& rule) {
                   return rule.family == family;
               });
    });
}

std::string_view name_of(Way way) {
    switch (way) {
        case Way::outside: return "outside";
        case Way::tunnel: return "tunnel";
        case Way::blocked: return "blocked";
    }
    return {};
}

std::string why(const RouteVerdict& verdict) {
    if (!verdict.tunnel)
        return verdict.passed.empty()
                   ? "no tunnel has a route for it; the machine's own decide"
                   : "every tunnel lets it pass; the machine's own routes decide";
    if (verdict.way == Way::tunnel)
        return fmt::format("the route {} of {} takes it", verdict.route->destination.text(),
                           verdict.tunnel->interface);
    return fmt::format("{} takes everything and has no way for it, so that it does not pass beside",
                       verdict.tunnel->interface);
}

/// A connected datagram socket has looked its route up and sent nothing.
OrderedJson kernel_says(const IpAddress& destination) {
    constexpr std::uint16_t discard_port = 9;
    const Fd probe(socket(destination.domain(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage to;
    const socklen_t size = Endpoint{destination, discard_port}.to_sockaddr(to);
    if (!probe || connect(probe.get(), reinterpret_cast<const sockaddr*>(&to), size) != 0)
        return {{"errno", strerrorname_np(errno)}};
    sockaddr_storage own{};
    socklen_t own_size = sizeof own;
    if (getsockname(probe.get(), reinterpret_cast<sockaddr*>(&own), &own_size) != 0)
        return {{"errno", strerrorname_np(errno)}};
    const auto source = Endpoint::from_sockaddr(own);
    return {{"source", source ? source->address.text() : ""}};
}

}  // namespace

RouteVerdict explain_route(const IpAddress& destination, const std::vector<RoutedTunnel>& tunnels) {
    std::vector<const RoutedTunnel*> in_order;
    for (const auto& tunnel : tunnels) in_order.push_back(&tunnel);
    std::ranges::sort(in_order, {},
                      [](const RoutedTunnel* tunnel) { return tunnel->numbers.priority(); });
    RouteVerdict verdict;
    for (const RoutedTunnel* tunnel : in_order) {
        if (!has_rule(*tunnel->plan, destination.family())) continue;
        const auto route = best_route(*tunnel->plan, destination);
        if (!route || route->kind == device::RouteKind::outside) {
            verdict.passed.push_back(route ? fmt::format("{}: {} is excluded", tunnel->interface,
                                                         route->destination.text())
                                           : fmt::format("{}: no route", tunnel->interface));
            continue;
        }
        verdict.way = route->kind == device::RouteKind::tunnel ? Way::tunnel : Way::blocked;
        verdict.tunnel = tunnel;
        verdict.route = route;
        return verdict;
    }
    return verdict;
}

OrderedJson json_of(const IpAddress& destination, const RouteVerdict& verdict) {
    OrderedJson json{{"destination", destination.text()}, {"verdict", name_of(verdict.way)}};
    if (verdict.tunnel) {
        json["interface"] = verdict.tunnel->interface;
        json["rule"] = {{"priority", verdict.tunnel->numbers.priority()},
                        {"selector", fmt::format("not fwmark {:#x}/{:#x}", device::mark_base,
                                                 device::mark_mask)},
                        {"table", verdict.tunnel->numbers.table()}};
        json["route"] = device::text(*verdict.route);
    } else {
        json["rule"] = {{"priority", 32766}, {"selector", "all"}, {"table", "main"}};
    }
    json["passed"] = verdict.passed;
    json["why"] = why(verdict);
    json["kernel"] = kernel_says(destination);
    return json;
}

}  // namespace causeway::service
