#include "causeway/device/inspection.h"

#include "causeway/base/overloaded.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>

namespace causeway::device {
namespace {

auto key(const Route& route) { return std::tuple(route.destination, route.metric, route.kind); }

/// What is in `from` and not in `other`.
std::vector<Route> without(std::vector<Route> from, std::vector<Route> other) {
    std::ranges::sort(from, {}, key);
    std::ranges::sort(other, {}, key);
    std::vector<Route> rest;
    std::ranges::set_difference(from, other, std::back_inserter(rest), {}, key, key);
    return rest;
}

template <typename Thing>
std::vector<Thing> without(const std::vector<Thing>& from, const std::vector<Thing>& other) {
    std::vector<Thing> rest;
    std::ranges::copy_if(from, std::back_inserter(rest), [&](const Thing& thing) {
        return std::ranges::find(other, thing) == other.end();
    });
    return rest;
}

std::string_view name(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

template <typename Thing>
std::vector<Thing> seen_of(const std::map<Family, std::vector<Thing>>& seen, Family family) {
    const auto at = seen.find(family);
    return at == seen.end() ? std::vector<Thing>{} : at->second;
}

/// One sentence for many.
std::string words(std::size_t count, std::string_view things, const std::string& first,
                  std::string_view what) {
    return count == 1 ? fmt::format("{} {}", first, what)
                      : fmt::format("{} {} {}, such as {}", count, things, what, first);
}

/// The deviations of a plan's steps, one by one.
class Comparison {
public:
    Comparison(const Seen& seen, const std::optional<std::string>& firewall)
        : seen_(seen), firewall_(firewall) {}

    std::vector<Deviation> of(const Plan& plan) {
        for (const auto& planned : plan.steps)
            std::visit([&](const auto& step) { compare(step); }, planned.step);
        return std::move(found_);
    }

private:
    void compare(const CloseOutside& step) {
        if (!seen_.firewall)
            add(step, "the firewall's table has gone", step);
        else if (seen_.firewall != firewall_)
            add(step, "the firewall's table has been changed", step);
    }

    void compare(const RaiseLink& step) {
        if (!seen_.link) return add(step, "the interface has gone", {});
        if (!seen_.link->is_up) add(step, "the interface is down", step);
        if (seen_.link->mtu != step.mtu)
            add(step, fmt::format("the interface has an MTU of {}", seen_.link->mtu), step);
    }

    void compare(const AddAddresses& step) {
        if (!seen_.link) return;
        auto missing = without(step.addresses, seen_.addresses);
        if (missing.empty()) return;
        const auto what =
            words(missing.size(), "addresses", "the address " + missing.front().text(), "missing");
        add(step, what, AddAddresses{std::move(missing)});
    }

    void compare(const AddRoutes& step) {
        const auto there = seen_of(seen_.routes, step.family);
        auto missing = without(step.routes, there);
        // They went with the interface, and cannot be without it.
        if (!seen_.link)
            std::erase_if(missing, [](const Route& r) { return r.kind == RouteKind::tunnel; });
        const auto more = without(there, step.routes);
        const auto route = [&](const Route& r) {
            return fmt::format("the {} route {}", name(step.family), text(r));
        };
        if (!missing.empty())
            add(step, words(missing.size(), "routes", route(missing.front()), "missing"),
                AddRoutes{step.family, step.table, missing});
        if (!more.empty())
            add(step, words(more.size(), "routes", route(more.front()), "not ours, in our table"),
                {});
    }

    void compare(const AddRules& step) {
        const auto there = seen_of(seen_.rules, step.rules.front().family);
        auto missing = without(step.rules, there);
        const auto more = without(there, step.rules);
        if (!missing.empty()) {
            const auto what =
                words(missing.size(), "rules", "the " + text(missing.front()), "missing");
            add(step, what, AddRules{std::move(missing)});
        }
        if (!more.empty())
            add(step,
                words(more.size(), "rules", "the " + text(more.front()),
                      "not ours, with our number"),
                {});
    }

    /// It hangs on a descriptor of ours.
    void compare(const MarkApplications&) {}

    /// Whoever writes the resolver's file meanwhile knows more than we do.
    void compare(const SetDns&) {}

    void add(const Step& step, std::string what, std::optional<Step> repair) {
        found_.push_back({device::name(step), std::move(what), std::move(repair)});
    }

    const Seen& seen_;
    const std::optional<std::string>& firewall_;
    std::vector<Deviation> found_;
};

}  // namespace

Result<Seen> look(const Plan& plan, RunNumbers run, int link, Kernel& kernel) {
    Seen seen;
    auto there = kernel.netlink.link(link);
    if (!there) return pass(there);
    seen.link = *there;
    for (const auto& planned : plan.steps) {
        auto read = std::visit(
            overloaded{[&](const CloseOutside& s) -> Result<void> {
                           auto contents = kernel.firewall->contents(s.kill_switch.table);
                           if (!contents) return pass(contents);
                           seen.firewall = std::move(*contents);
                           return {};
                       },
                       [&](const AddAddresses&) -> Result<void> {
                           auto addresses = kernel.netlink.addresses(link);
                           if (!addresses) return pass(addresses);
                           seen.addresses = std::move(*addresses);
                           return {};
                       },
                       [&](const AddRoutes& s) -> Result<void> {
                           auto routes = kernel.netlink.routes(s.family, s.table, link);
                           if (!routes) return pass(routes);
                           seen.routes[s.family] = std::move(*routes);
                           return {};
                       },
                       [&](const AddRules& s) -> Result<void> {
                           const auto family = s.rules.front().family;
                           auto rules = kernel.netlink.rules(family, run.table());
                           if (!rules) return pass(rules);
                           seen.rules[family] = std::move(*rules);
                           return {};
                       },
                       [](const auto&) -> Result<void> { return {}; }},
            planned.step);
        if (!read) return pass(read);
    }
    return seen;
}

std::vector<Deviation> deviations(const Plan& plan, const Seen& seen,
                                  const std::optional<std::string>& firewall) {
    return Comparison(seen, firewall).of(plan);
}

}  // namespace causeway::device
