#include "causeway/device/plan.h"

#include "causeway/device/protect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <tuple>

namespace causeway::device {
namespace {

using Routes = std::map<Prefix, RouteKind>;

template <typename... Handlers>
struct overloaded : Handlers... {
    using Handlers::operator()...;
};

std::string_view name(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

Prefix default_of(Family family) {
    return *Prefix::parse(family == Family::ipv4 ? "0.0.0.0/0" : "::/0");
}

Prefix host(const IpAddress& address) { return {address, address.bits()}; }

bool carries(const NetworkSettings& wanted, Family family) {
    return std::ranges::any_of(wanted.addresses,
                               [&](const Prefix& a) { return a.family() == family; });
}

bool contains(const std::vector<Prefix>& prefixes, const IpAddress& address) {
    return std::ranges::any_of(prefixes, [&](const Prefix& p) { return p.contains(address); });
}

/// A full tunnel lets nothing pass beside it, in the family it does not carry neither.
bool blocks_the_rest(const NetworkSettings& wanted, Family family) {
    const bool has_default = std::ranges::any_of(
        wanted.included, [&](const Prefix& p) { return p.family() == family && p.length == 0; });
    if (has_default && carries(wanted, family)) return true;
    return is_full_tunnel(wanted) && !wanted.allow_other_family;
}

/// What goes through the tunnel: the networks that are asked for, those the addresses are on, and
/// name servers that would not be reached otherwise.
void add_inside(Routes& routes, const NetworkSettings& wanted, Family family) {
    const bool carried = carries(wanted, family);
    if (!carried && wanted.allow_other_family) return;
    const auto kind = carried ? RouteKind::tunnel : RouteKind::unreachable;
    for (const auto& prefix : wanted.included)
        if (prefix.family() == family && (carried || prefix.length > 0))
            routes[prefix.network()] = kind;
    for (const auto& address : wanted.addresses)
        if (address.family() == family && address.length < address.address.bits())
            routes[address.network()] = RouteKind::tunnel;
    for (const auto& server : wanted.dns.servers)
        if (carried && server.family() == family && !contains(wanted.included, server) &&
            !contains(wanted.addresses, server) && !contains(wanted.excluded, server))
            routes[host(server)] = RouteKind::tunnel;
}

/// What does not, by its own longer or equal prefix.
void add_outside(Routes& routes, const NetworkSettings& wanted, Family family) {
    for (const auto& prefix : wanted.excluded)
        if (prefix.family() == family) routes[prefix.network()] = RouteKind::outside;
    for (const auto& gateway : wanted.gateways)
        if (gateway.family() == family) routes[host(gateway)] = RouteKind::outside;
    // Neighbours and routers of a link are found by addresses that never leave it.
    if (family == Family::ipv6 && blocks_the_rest(wanted, family))
        routes[*Prefix::parse("fe80::/10")] = RouteKind::outside;
}

std::vector<Route> routes_of(const NetworkSettings& wanted, Family family) {
    Routes routes;
    add_inside(routes, wanted, family);
    const bool blocks = blocks_the_rest(wanted, family);
    // Exceptions alone change nothing.
    if (routes.empty() && !blocks) return {};
    add_outside(routes, wanted, family);

    std::vector<Route> result;
    for (const auto& [destination, kind] : routes) result.push_back({destination, kind, 0});
    if (blocks) result.push_back({default_of(family), RouteKind::unreachable, worst_metric});
    return result;
}

/// The routes of `after` that `before` has not; nothing when `before` has any that `after` has not.
std::optional<AddRoutes> routes_beyond(const AddRoutes& before, const AddRoutes& after) {
    if (before.family != after.family || before.table != after.table) return std::nullopt;
    const auto key = [](const Route& r) { return std::tuple(r.destination, r.metric, r.kind); };
    auto had = before.routes;
    auto has = after.routes;
    std::ranges::sort(had, {}, key);
    std::ranges::sort(has, {}, key);
    if (!std::ranges::includes(has, had, {}, key, key)) return std::nullopt;
    AddRoutes more{after.family, after.table, {}};
    std::ranges::set_difference(has, had, std::back_inserter(more.routes), {}, key, key);
    return more;
}

std::unexpected<Error> needs_ipv6() {
    return fail(Vpn::configurationFailed, "the tunnel cannot be set up on this machine",
                Error{Service::CAPABILITY_NOT_SUPPORTED,
                      "the gateway gave only IPv6 addresses and this machine has no IPv6",
                      {{"step", "address"}, {"family", "IPv6"}}});
}

/// The settings without what needs an IPv6 address.
NetworkSettings without_ipv6(NetworkSettings wanted) {
    const auto is_v6 = [](const auto& item) { return item.family() == Family::ipv6; };
    std::erase_if(wanted.addresses, is_v6);
    std::erase_if(wanted.dns.servers, is_v6);
    return wanted;
}

bool has_ipv6_address(const NetworkSettings& wanted) { return carries(wanted, Family::ipv6); }

void add_steps(Plan& plan, const NetworkSettings& wanted, const Machine& machine, RunNumbers run) {
    plan.steps.push_back(
        {RaiseLink{wanted.mtu, machine.link_takes_ipv6}, RestoreLink{machine.link}});
    for (const auto& address : wanted.addresses)
        plan.steps.push_back({AddAddress{address}, RemoveAddress{address}});

    // Rules come last: a table takes effect all at once.
    std::vector<PlannedStep> rules;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        if (family == Family::ipv6 && !machine.kernel_has_ipv6) continue;
        auto routes = routes_of(wanted, family);
        if (routes.empty()) continue;
        plan.steps.push_back(
            {AddRoutes{family, run.table(), std::move(routes)}, FlushTable{family, run.table()}});
        const Rule rule{family, run.table(), run.priority()};
        rules.push_back({AddRule{rule}, RemoveRule{rule}});
    }
    plan.steps.insert(plan.steps.end(), rules.begin(), rules.end());
    if (!wanted.dns.servers.empty())
        plan.steps.push_back({SetDns{machine.dns, wanted.dns}, RestoreDns{machine.dns}});
}

}  // namespace

std::uint32_t RunNumbers::mark() const { return mark_base | number; }

Result<Plan> make_plan(const NetworkSettings& wanted, const Machine& machine, RunNumbers run) {
    if (auto valid = check(wanted); !valid) return pass(valid);
    Plan plan;
    if (machine.link_takes_ipv6 || !has_ipv6_address(wanted)) {
        add_steps(plan, wanted, machine, run);
    } else {
        const auto rest = without_ipv6(wanted);
        if (rest.addresses.empty()) return needs_ipv6();
        plan.notes.push_back("IPv6 is left out of the tunnel: this machine has none");
        add_steps(plan, rest, machine, run);
    }
    if (wanted.dns.servers.empty() && !wanted.dns.search_domains.empty())
        plan.notes.push_back("the search domains are not used: there are no name servers to ask");
    return plan;
}

std::optional<std::vector<AddRoutes>> missing_routes(const Plan& done, const Plan& wanted) {
    if (done.steps.size() != wanted.steps.size()) return std::nullopt;
    std::vector<AddRoutes> missing;
    for (std::size_t i = 0; i < done.steps.size(); ++i) {
        const auto* before = std::get_if<AddRoutes>(&done.steps[i].step);
        const auto* after = std::get_if<AddRoutes>(&wanted.steps[i].step);
        if (!before && done.steps[i].step == wanted.steps[i].step) continue;
        if (!before || !after) return std::nullopt;
        auto more = routes_beyond(*before, *after);
        if (!more) return std::nullopt;
        if (!more->routes.empty()) missing.push_back(std::move(*more));
    }
    return missing;
}

std::string_view name(const Step& step) {
    constexpr std::array<std::string_view, 5> names = {"link", "address", "routes", "rule", "dns"};
    return names[step.index()];
}

std::string text(const Step& step) {
    return std::visit(
        overloaded{
            [](const RaiseLink& s) {
                return fmt::format("the interface with an MTU of {}", s.mtu);
            },
            [](const AddAddress& s) { return fmt::format("the address {}", s.address.text()); },
            [](const AddRoutes& s) {
                return fmt::format("the {} routes ({})", name(s.family), s.routes.size());
            },
            [](const AddRule& s) { return fmt::format("the {} rule", name(s.rule.family)); },
            [](const SetDns& s) {
                return fmt::format("the name servers through {}", name(s.backend));
            }},
        step);
}

}  // namespace causeway::device
