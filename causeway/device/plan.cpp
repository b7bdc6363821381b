#include "causeway/device/plan.h"

#include "causeway/base/overloaded.h"
#include "causeway/base/text.h"
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

/// For them alone, that is.
bool is_for_applications(const NetworkSettings& wanted) {
    return wanted.applications && wanted.applications->way == ApplicationSettings::Way::inside;
}

/// A full tunnel lets nothing pass beside it, in the family it does not carry neither.
bool blocks_the_rest(const NetworkSettings& wanted, Family family) {
    const bool has_default = std::ranges::any_of(
        wanted.included, [&](const Prefix& p) { return p.family() == family && p.length == 0; });
    if (has_default && carries(wanted, family)) return true;
    if (is_full_tunnel(wanted)) return !wanted.allow_other_family;
    return wanted.block_other_family && !carries(wanted, family);
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
    if (wanted.kill_switch)
        for (const auto& prefix : wanted.kill_switch->lan)
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

Error cannot_be_set_up(Error below) {
    return Error{Vpn::configurationFailed, "the tunnel cannot be set up on this machine"}.because(
        std::move(below));
}

Error needs_ipv6() {
    return cannot_be_set_up({Service::CAPABILITY_NOT_SUPPORTED,
                             "the gateway gave only IPv6 addresses and this machine has no IPv6",
                             {{"step", "address"}, {"family", "IPv6"}}});
}

Error needs_firewall() {
    return cannot_be_set_up({Service::CAPABILITY_NOT_SUPPORTED,
                             "a kill switch needs nf_tables, and this kernel has none of it",
                             {{"step", "firewall"}}});
}

Error no_such_tunnel(const std::string& tunnel) {
    return cannot_be_set_up({Service::INVALID_PARAMETER_VALUE,
                             fmt::format("there is no interface {}", tunnel),
                             {{"field", "other tunnels"}, {"value", tunnel}}});
}

/// The settings without what needs an IPv6 address.
NetworkSettings without_ipv6(NetworkSettings wanted) {
    const auto is_v6 = [](const auto& item) { return item.family() == Family::ipv6; };
    std::erase_if(wanted.addresses, is_v6);
    std::erase_if(wanted.dns.servers, is_v6);
    return wanted;
}

bool has_ipv6_address(const NetworkSettings& wanted) { return carries(wanted, Family::ipv6); }

/// Families that are closed by the firewall: both, or what a tunnel does not carry. Routes alone do
/// not hold back a socket that is bound to an interface.
std::vector<Family> closed_families(const NetworkSettings& wanted, const Machine& machine) {
    std::vector<Family> families;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        if (family == Family::ipv6 && !machine.kernel_has_ipv6) continue;
        const bool carried = carries(wanted, family);
        if (!carried && wanted.allow_other_family) continue;
        if (wanted.kill_switch || (!carried && blocks_the_rest(wanted, family)))
            families.push_back(family);
    }
    return families;
}

Result<KillSwitch> kill_switch_of(const NetworkSettings& wanted, const Machine& machine,
                                  RunNumbers run) {
    KillSwitch result{run.firewall_table(), closed_families(wanted, machine)};
    result.tunnels = {machine.link.index};
    result.users = merged(wanted.users);
    if (is_for_applications(wanted)) result.mark = run.inside_mark();
    if (wanted.kill_switch) {
        result.outside = wanted.kill_switch->lan;
        for (const auto& tunnel : wanted.kill_switch->tunnels) {
            const auto at = std::ranges::find(machine.links, tunnel, &Netlink::NamedLink::name);
            if (at == machine.links.end()) return std::unexpected(no_such_tunnel(tunnel));
            result.tunnels.push_back(at->index);
        }
    } else {
        result.is_lenient = true;
        result.outside = wanted.excluded;
        for (const auto& gateway : wanted.gateways) result.outside.push_back(host(gateway));
    }
    std::erase_if(result.outside, [&](const Prefix& prefix) {
        return std::ranges::find(result.families, prefix.family()) == result.families.end();
    });
    if (machine.firewall == FirewallReach::frames)
        result.links = links_outside(machine.links, result.tunnels);
    return result;
}

Result<void> add_firewall(Plan& plan, const NetworkSettings& wanted, const Machine& machine,
                          RunNumbers run) {
    auto kill_switch = kill_switch_of(wanted, machine, run);
    if (!kill_switch) return pass(kill_switch);
    if (kill_switch->families.empty()) return {};
    if (machine.firewall == FirewallReach::none) {
        if (wanted.kill_switch) return std::unexpected(needs_firewall());
        plan.notes.push_back(
            fmt::format("{} is held back by routes alone, since this kernel has no nf_tables: "
                        "sockets that are bound to another interface leave by it",
                        name(kill_switch->families.front())));
        return {};
    }
    if (machine.firewall == FirewallReach::packets)
        plan.notes.push_back(
            "packet sockets are not held back: this kernel's firewall does not see their frames");
    // First to come and last to go: nothing leaves while the rest is half done.
    plan.steps.push_back(
        {CloseOutside{std::move(*kill_switch)}, OpenOutside{run.firewall_table()}});
    return {};
}

/// Packets of everybody without a mark of ours look into the table.
std::vector<Rule> rules_for_everybody(Family family, RunNumbers run) {
    return {{family, run.table(), run.priority()}};
}

/// Packets of some users or applications without a mark of ours. "not marked" cannot be said beside
/// it, since it would turn the users round as well: marked ones are led past instead. The tunnel's
/// own address belongs to the tunnel whoever uses it: the kernel's answers are root's, and its
/// check of the reverse path asks for nobody. So do name servers, which are everybody's.
std::vector<Rule> rules_for_some(const NetworkSettings& wanted, Family family, RunNumbers run) {
    const auto first = run.user_priority();
    const auto rule = [&](std::uint32_t priority, Rule::Packets packets) {
        return Rule{family, run.table(), priority, std::move(packets)};
    };
    std::vector<Rule> rules = {rule(first + 2, Landing{}), rule(first, Marked{first + 2})};
    for (const auto& address : wanted.addresses)
        if (address.family() == family) rules.push_back(rule(first + 1, From{address.address}));
    if (carries(wanted, family))
        for (const auto& server : wanted.dns.servers)
            if (server.family() == family && !contains(wanted.excluded, server))
                rules.push_back(rule(first + 1, To{server}));
    for (const auto& range : merged(wanted.users)) rules.push_back(rule(first + 1, range));
    if (is_for_applications(wanted)) rules.push_back(rule(first + 1, MarkedAs{run.inside_mark()}));
    return rules;
}

void add_steps(Plan& plan, const NetworkSettings& wanted, const Machine& machine, RunNumbers run) {
    plan.steps.push_back({RaiseLink{wanted.mtu, machine.link_takes_ipv6},
                          RestoreLink{machine.link, machine.numbering}});
    // An address that is there already is somebody else's: adding it fails, and it stays.
    RemoveAddresses ours;
    for (const auto& address : wanted.addresses)
        if (std::ranges::find(machine.addresses, address) == machine.addresses.end())
            ours.addresses.push_back(address);
    plan.steps.push_back({AddAddresses{wanted.addresses}, std::move(ours)});

    // Before there is a way: a socket that is made in between would be without a mark for ever.
    if (wanted.applications)
        plan.steps.push_back(
            {MarkApplications{wanted.applications->names,
                              is_for_applications(wanted) ? run.inside_mark() : run.mark()},
             ReleaseApplications{}});

    // Rules come last: a table takes effect all at once.
    std::vector<PlannedStep> rules;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        if (family == Family::ipv6 && !machine.kernel_has_ipv6) continue;
        auto routes = routes_of(wanted, family);
        if (routes.empty()) continue;
        plan.steps.push_back(
            {AddRoutes{family, run.table(), std::move(routes)}, FlushTable{family, run.table()}});
        const bool for_some = !wanted.users.empty() || is_for_applications(wanted);
        auto lead =
            for_some ? rules_for_some(wanted, family, run) : rules_for_everybody(family, run);
        rules.push_back({AddRules{lead}, RemoveRules{lead}});
    }
    plan.steps.insert(plan.steps.end(), rules.begin(), rules.end());
    if (!wanted.dns.servers.empty() && !wanted.dns.is_told_elsewhere)
        plan.steps.push_back({SetDns{machine.dns, wanted.dns}, RestoreDns{machine.dns}});
}

/// What the resolver in use does otherwise than wanted.
void note_dns(Plan& plan, const DnsSettings& wanted, DnsBackend backend) {
    if (wanted.is_told_elsewhere) return;
    if (wanted.servers.empty()) {
        if (!wanted.search_domains.empty())
            plan.notes.push_back(
                "the search domains are not used: there are no name servers to ask");
        return;
    }
    if (wanted.servers.size() > server_limit(backend))
        plan.notes.push_back(fmt::format(
            "only the first {} of {} name servers are used: the resolver's file has room for no "
            "more",
            server_limit(backend), wanted.servers.size()));
    if (!wanted.split_domains.empty() && !wanted.tunnel_all && !splits_names(backend))
        plan.notes.push_back(
            fmt::format("the tunnel's name servers are asked for all names, not only those below "
                        "{}: the resolver's file has one list",
                        join(wanted.split_domains, ", ")));
}

}  // namespace

std::uint32_t RunNumbers::mark() const { return mark_base | number; }
std::uint32_t RunNumbers::inside_mark() const { return inside_mark_base | number; }

std::string RunNumbers::firewall_table() const {
    return fmt::format("{}{}", firewall_prefix, number);
}

bool uses_firewall(const NetworkSettings& wanted) { return !closed_families(wanted, {}).empty(); }

std::vector<std::string> links_outside(const std::vector<Netlink::NamedLink>& links,
                                       const std::vector<int>& tunnels) {
    std::vector<std::string> names;
    for (const auto& link : links)
        if (!link.is_loopback && std::ranges::find(tunnels, link.index) == tunnels.end())
            names.push_back(link.name);
    return names;
}

Result<Plan> make_plan(const NetworkSettings& wanted, const Machine& machine, RunNumbers run) {
    if (auto valid = check(wanted); !valid) return pass(valid);
    Plan plan;
    auto settings = wanted;
    if (!machine.link_takes_ipv6 && has_ipv6_address(wanted)) {
        settings = without_ipv6(wanted);
        if (settings.addresses.empty()) return std::unexpected(needs_ipv6());
        plan.notes.push_back("IPv6 is left out of the tunnel: this machine has none");
    }
    if (auto added = add_firewall(plan, settings, machine, run); !added) return pass(added);
    add_steps(plan, settings, machine, run);
    note_dns(plan, settings.dns, machine.dns);
    if ((!wanted.users.empty() || is_for_applications(wanted)) && !wanted.dns.servers.empty())
        plan.notes.push_back(
            "the name servers are asked for all users and programs, through the tunnel");
    return plan;
}

std::optional<std::vector<Step>> missing_steps(const Plan& done, const Plan& wanted) {
    if (done.steps.size() != wanted.steps.size()) return std::nullopt;
    std::vector<Step> missing;
    for (std::size_t i = 0; i < done.steps.size(); ++i) {
        const auto& before = done.steps[i].step;
        const auto& after = wanted.steps[i].step;
        if (before == after) continue;
        if (before.index() != after.index()) return std::nullopt;
        if (std::holds_alternative<CloseOutside>(after)) {
            missing.push_back(after);
            continue;
        }
        const auto* routes = std::get_if<AddRoutes>(&before);
        if (!routes) return std::nullopt;
        auto more = routes_beyond(*routes, std::get<AddRoutes>(after));
        if (!more) return std::nullopt;
        if (!more->routes.empty()) missing.push_back(std::move(*more));
    }
    return missing;
}

std::string_view name(const Step& step) {
    constexpr std::array<std::string_view, 7> names = {
        "firewall", "link", "address", "routes", "rule", "application", "dns"};
    return names[step.index()];
}

std::string_view name(const Undo& undo) {
    constexpr std::array<std::string_view, 7> names = {
        "firewall", "link", "address", "routes", "rule", "application", "dns"};
    return names[undo.index()];
}

std::string text(const Step& step) {
    return std::visit(
        overloaded{[](const CloseOutside&) { return std::string("the way beside the tunnel"); },
                   [](const RaiseLink& s) {
                       return fmt::format("the interface with an MTU of {}", s.mtu);
                   },
                   [](const AddAddresses& s) {
                       return s.addresses.size() == 1
                                  ? "the address " + s.addresses.front().text()
                                  : fmt::format("the {} addresses", s.addresses.size());
                   },
                   [](const AddRoutes& s) {
                       return fmt::format("the {} routes ({})", name(s.family), s.routes.size());
                   },
                   [](const AddRules& s) {
                       return s.rules.size() == 1
                                  ? fmt::format("the {} rule", name(s.rules.front().family))
                                  : fmt::format("the {} rules ({})", name(s.rules.front().family),
                                                s.rules.size());
                   },
                   [](const MarkApplications& s) {
                       return fmt::format("the marks of {} applications", s.names.size());
                   },
                   [](const SetDns& s) {
                       return fmt::format("the name servers through {}", name(s.backend));
                   }},
        step);
}

}  // namespace causeway::device
