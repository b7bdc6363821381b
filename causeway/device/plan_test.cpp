#include "causeway/device/plan.h"

#include "causeway/device/limits.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

namespace causeway::device {
namespace {

const RunNumbers run{1};

Machine a_machine() { return {{7, 1500, false}, true, true, DnsBackend::file}; }

std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
    std::vector<Prefix> result;
    for (const auto* text : texts) result.push_back(*Prefix::parse(text));
    return result;
}

NetworkSettings settings(std::initializer_list<const char*> addresses,
                         std::initializer_list<const char*> included) {
    NetworkSettings wanted;
    wanted.interface = "cw0";
    wanted.addresses = prefixes(addresses);
    wanted.included = prefixes(included);
    return wanted;
}

/// The routes of one family, each as text; "no rule" when the family has no rule.
std::string routes(const NetworkSettings& wanted, Family family, Machine machine = a_machine()) {
    const auto plan = make_plan(wanted, machine, run);
    REQUIRE(plan.has_value());
    std::string story = "no rule";
    bool has_rule = false;
    for (const auto& [step, undo] : plan->steps) {
        if (const auto* rules = std::get_if<AddRules>(&step))
            has_rule |= rules->rules.front().family == family;
        const auto* added = std::get_if<AddRoutes>(&step);
        if (!added || added->family != family) continue;
        story.clear();
        for (const auto& route : added->routes) story += (story.empty() ? "" : ", ") + text(route);
    }
    CHECK(has_rule == (story != "no rule"));
    return story;
}

std::string order(const Plan& plan) {
    std::string story;
    for (const auto& planned : plan.steps)
        story += (story.empty() ? "" : " ") + std::string(name(planned.step));
    return story;
}

TEST_CASE("the steps come in an order in which nothing leaks and nothing is asked too early") {
    auto wanted = settings({"10.0.0.2/24", "fd00::2/64"}, {"0.0.0.0/0", "::/0"});
    wanted.dns.servers = {*IpAddress::parse("10.0.0.1")};
    const auto plan = make_plan(wanted, a_machine(), run);
    REQUIRE(plan.has_value());
    CHECK(order(*plan) == "link address routes routes rule rule dns");
    CHECK(plan->notes.empty());
}

TEST_CASE("each step has the undo that fits it") {
    auto wanted = settings({"10.0.0.2/24"}, {"10.0.0.0/8"});
    wanted.dns.servers = {*IpAddress::parse("10.0.0.1")};
    const auto plan = make_plan(wanted, a_machine(), run);
    REQUIRE(plan.has_value());
    const Rule rule{Family::ipv4, 0x43570001, 17999};
    const std::vector<Undo> wanted_undo = {
        RestoreLink{{7, 1500, false}}, RemoveAddresses{prefixes({"10.0.0.2/24"})},
        FlushTable{Family::ipv4, 0x43570001}, RemoveRules{{rule}}, RestoreDns{DnsBackend::file}};
    std::vector<Undo> undo;
    for (const auto& planned : plan->steps) undo.push_back(planned.undo);
    CHECK(undo == wanted_undo);
}

TEST_CASE("a full tunnel has an unreachable default behind its routes in both families") {
    const auto wanted = settings({"10.0.0.2/32", "fd00::2/128"}, {"0.0.0.0/0", "::/0"});
    CHECK(routes(wanted, Family::ipv4) == "0.0.0.0/0, unreachable 0.0.0.0/0 metric 4278198272");
    CHECK(routes(wanted, Family::ipv6) ==
          "::/0, throw fe80::/10, unreachable ::/0 metric 4278198272");
}

TEST_CASE("a full tunnel blocks the family it has no address in, unless that is allowed") {
    auto wanted = settings({"10.0.0.2/32"}, {"0.0.0.0/0", "::/0", "fd00::/8"});
    CHECK(routes(wanted, Family::ipv6) ==
          "unreachable fd00::/8, throw fe80::/10, unreachable ::/0 metric 4278198272");
    wanted.allow_other_family = true;
    CHECK(routes(wanted, Family::ipv6) == "no rule");
    CHECK(routes(wanted, Family::ipv4) == "0.0.0.0/0, unreachable 0.0.0.0/0 metric 4278198272");
}

TEST_CASE("a tunnel that is full in one family lets nothing of the other pass beside it") {
    const auto wanted = settings({"10.0.0.2/32", "fd00::2/128"}, {"0.0.0.0/0", "fd00::/8"});
    CHECK(routes(wanted, Family::ipv6) ==
          "fd00::/8, throw fe80::/10, unreachable ::/0 metric 4278198272");
}

TEST_CASE("a split tunnel has only its networks, its own one among them") {
    const auto wanted = settings({"10.0.0.2/24"}, {"10.5.6.7/16"});
    CHECK(routes(wanted, Family::ipv4) == "10.0.0.0/24, 10.5.0.0/16");
    CHECK(routes(wanted, Family::ipv6) == "no rule");
}

TEST_CASE("excluded networks and the gateway go outside, also when they are included") {
    auto wanted = settings({"10.0.0.2/32"}, {"0.0.0.0/0", "192.0.2.7/32", "10.5.0.0/16"});
    wanted.excluded = prefixes({"10.5.0.0/16", "172.16.0.0/12", "fd00::/8"});
    wanted.gateways = {*IpAddress::parse("192.0.2.7"), *IpAddress::parse("2001:db8::7")};
    CHECK(routes(wanted, Family::ipv4) ==
          "0.0.0.0/0, throw 10.5.0.0/16, throw 172.16.0.0/12, throw 192.0.2.7/32, "
          "unreachable 0.0.0.0/0 metric 4278198272");
    CHECK(routes(wanted, Family::ipv6) ==
          "throw 2001:db8::7/128, throw fd00::/8, throw fe80::/10, "
          "unreachable ::/0 metric 4278198272");
}

TEST_CASE("exceptions alone make no rule") {
    auto wanted = settings({"10.0.0.2/32"}, {});
    wanted.excluded = prefixes({"172.16.0.0/12"});
    wanted.gateways = {*IpAddress::parse("192.0.2.7")};
    CHECK(routes(wanted, Family::ipv4) == "no rule");
}

TEST_CASE("name servers of a split tunnel are reached through it, unless they are excluded") {
    auto wanted = settings({"10.0.0.2/24"}, {"10.5.0.0/16"});
    wanted.excluded = prefixes({"172.16.0.0/12"});
    for (const auto* server : {"10.0.0.1", "10.5.0.1", "172.16.0.1", "198.51.100.1", "fd00::1"})
        wanted.dns.servers.push_back(*IpAddress::parse(server));
    CHECK(routes(wanted, Family::ipv4) ==
          "10.0.0.0/24, 10.5.0.0/16, throw 172.16.0.0/12, 198.51.100.1/32");
    CHECK(routes(wanted, Family::ipv6) == "no rule");
}

TEST_CASE("what the resolver in use cannot do for the name servers is said") {
    auto wanted = settings({"10.0.0.2/24"}, {});
    for (const auto* server : {"10.0.0.1", "10.0.0.3", "10.0.0.4", "10.0.0.5"})
        wanted.dns.servers.push_back(*IpAddress::parse(server));
    wanted.dns.split_domains = {"corp.example", "lab.example"};
    auto machine = a_machine();
    for (const auto backend : {DnsBackend::file, DnsBackend::resolvconf}) {
        machine.dns = backend;
        CHECK(make_plan(wanted, machine, run)->notes ==
              std::vector<std::string>{
                  "only the first 3 of 4 name servers are used: the resolver's file has room for "
                  "no more",
                  "the tunnel's name servers are asked for all names, not only those below "
                  "corp.example, lab.example: the resolver's file has one list"});
    }
    machine.dns = DnsBackend::systemd_resolved;
    CHECK(make_plan(wanted, machine, run)->notes.empty());
}

TEST_CASE("servers that another process tells the resolver of have their way, and no more") {
    auto wanted = settings({"10.0.0.2/24"}, {"10.5.0.0/16"});
    wanted.dns.servers = {*IpAddress::parse("198.51.100.1")};
    wanted.dns.is_told_elsewhere = true;
    CHECK(routes(wanted, Family::ipv4) == "10.0.0.0/24, 10.5.0.0/16, 198.51.100.1/32");
    const auto plan = make_plan(wanted, a_machine(), run);
    REQUIRE(plan.has_value());
    CHECK(std::ranges::none_of(plan->steps, [](const PlannedStep& planned) {
        return std::holds_alternative<SetDns>(planned.step);
    }));
}

TEST_CASE("a kernel without IPv6 has nothing of it to block") {
    auto machine = a_machine();
    machine.kernel_has_ipv6 = machine.link_takes_ipv6 = false;
    CHECK(routes(settings({"10.0.0.2/32"}, {"0.0.0.0/0"}), Family::ipv6, machine) == "no rule");
}

TEST_CASE("where interfaces take no IPv6, a tunnel of both families goes without and says so") {
    auto machine = a_machine();
    machine.link_takes_ipv6 = false;
    const auto wanted = settings({"10.0.0.2/32", "fd00::2/128"}, {"0.0.0.0/0", "::/0"});
    const auto plan = make_plan(wanted, machine, run);
    REQUIRE(plan.has_value());
    CHECK(plan->notes ==
          std::vector<std::string>{"IPv6 is left out of the tunnel: this machine has none"});
    CHECK(routes(wanted, Family::ipv6, machine) ==
          "throw fe80::/10, unreachable ::/0 metric 4278198272");
}

TEST_CASE("where interfaces take no IPv6, a tunnel of nothing else is refused") {
    auto machine = a_machine();
    machine.link_takes_ipv6 = false;
    const auto plan = make_plan(settings({"fd00::2/128"}, {"::/0"}), machine, run);
    REQUIRE_FALSE(plan.has_value());
    CHECK(plan.error().code == Code(Vpn::configurationFailed));
    CHECK(plan.error().find(Service::CAPABILITY_NOT_SUPPORTED) != nullptr);
}

TEST_CASE("one more gateway is one more route, and anything else is done anew") {
    const auto plan_of = [](const NetworkSettings& wanted) {
        return make_plan(wanted, a_machine(), run).value();
    };
    auto wanted = settings({"10.0.0.2/24", "fd00::2/64"}, {"0.0.0.0/0", "::/0", "10.5.0.1/32"});
    wanted.gateways = {*IpAddress::parse("192.0.2.7")};
    const auto done = plan_of(wanted);
    CHECK(missing_steps(done, done)->empty());

    auto other = wanted;
    other.gateways.push_back(*IpAddress::parse("192.0.2.8"));
    const auto missing = missing_steps(done, plan_of(other));
    REQUIRE(missing.has_value());
    REQUIRE(missing->size() == 1);
    const auto& more = std::get<AddRoutes>(missing->front());
    CHECK(more.table == 0x43570001);
    REQUIRE(more.routes.size() == 1);
    CHECK(text(more.routes.front()) == "throw 192.0.2.8/32");

    const std::vector<std::function<void(NetworkSettings&)>> changes = {
        [](NetworkSettings& s) { s.gateways.clear(); },
        [](NetworkSettings& s) { s.gateways = {*IpAddress::parse("10.5.0.1")}; },
        [](NetworkSettings& s) { s.mtu = 1300; },
        [](NetworkSettings& s) { s.addresses.pop_back(); },
        [](NetworkSettings& s) { s.dns.servers = {*IpAddress::parse("10.0.0.1")}; },
    };
    for (const auto& change : changes) {
        auto changed = wanted;
        change(changed);
        CHECK_FALSE(missing_steps(done, plan_of(changed)).has_value());
    }
}

/// The kill switch of a plan, or nothing.
std::optional<KillSwitch> kill_switch_in(const NetworkSettings& wanted,
                                         const Machine& machine = a_machine()) {
    const auto plan = make_plan(wanted, machine, run);
    REQUIRE(plan.has_value());
    const auto* step = std::get_if<CloseOutside>(&plan->steps.front().step);
    for (std::size_t i = 1; i < plan->steps.size(); ++i)
        CHECK(!std::holds_alternative<CloseOutside>(plan->steps[i].step));
    if (!step) return std::nullopt;
    CHECK(plan->steps.front().undo == Undo{OpenOutside{"causeway-1"}});
    return step->kill_switch;
}

Machine with_links() {
    auto machine = a_machine();
    machine.links = {{1, "lo", true}, {2, "eth0", false}, {5, "cw9", false}, {7, "cw0", false}};
    return machine;
}

TEST_CASE("a kill switch comes before everything else and closes both families") {
    auto wanted = settings({"10.0.0.2/24"}, {"10.0.0.0/8"});
    wanted.kill_switch = KillSwitchSettings{prefixes({"192.168.1.0/24", "fd01::/64"}), {"cw9"}};
    const auto closed = kill_switch_in(wanted, with_links());
    REQUIRE(closed.has_value());
    CHECK(*closed == KillSwitch{"causeway-1",
                                {Family::ipv4, Family::ipv6},
                                {7, 5},
                                {"eth0"},
                                prefixes({"192.168.1.0/24", "fd01::/64"})});
    CHECK(routes(wanted, Family::ipv4, with_links()) ==
          "10.0.0.0/8, 10.0.0.0/24, throw 192.168.1.0/24");

    wanted.allow_other_family = true;
    CHECK(kill_switch_in(wanted, with_links())->families == std::vector{Family::ipv4});
}

TEST_CASE("a kill switch needs a firewall, and interfaces that are there") {
    auto wanted = settings({"10.0.0.2/24"}, {"10.0.0.0/8"});
    wanted.kill_switch = KillSwitchSettings{};
    auto machine = with_links();
    machine.firewall = FirewallReach::packets;
    CHECK(kill_switch_in(wanted, machine)->links.empty());
    CHECK(make_plan(wanted, machine, run)->notes.size() == 1);
    machine.firewall = FirewallReach::none;
    CHECK(make_plan(wanted, machine, run).error().find(Service::CAPABILITY_NOT_SUPPORTED));
    wanted.kill_switch->tunnels = {"cw8"};
    CHECK(make_plan(wanted, with_links(), run).error().find(Service::INVALID_PARAMETER_VALUE));
}

TEST_CASE("the family a full tunnel does not carry is closed by the firewall too") {
    auto wanted = settings({"10.0.0.2/32"}, {"0.0.0.0/0"});
    wanted.gateways = {*IpAddress::parse("2001:db8::7"), *IpAddress::parse("192.0.2.7")};
    const auto closed = kill_switch_in(wanted, with_links());
    REQUIRE(closed.has_value());
    CHECK(closed->families == std::vector{Family::ipv6});
    CHECK(closed->is_lenient);
    CHECK(closed->outside == prefixes({"2001:db8::7/128"}));

    auto without_firewall = with_links();
    without_firewall.firewall = FirewallReach::none;
    CHECK_FALSE(kill_switch_in(wanted, without_firewall).has_value());
    CHECK(make_plan(wanted, without_firewall, run)->notes.size() == 1);

    wanted.allow_other_family = true;
    CHECK_FALSE(kill_switch_in(wanted, with_links()).has_value());
    CHECK_FALSE(uses_firewall(wanted));
}

TEST_CASE("a split tunnel closes the family it does not carry only when it is told to") {
    auto wanted = settings({"10.0.0.2/32"}, {"10.0.0.0/8"});
    CHECK_FALSE(uses_firewall(wanted));
    wanted.block_other_family = true;
    CHECK(uses_firewall(wanted));
    CHECK(kill_switch_in(wanted, with_links())->families == std::vector{Family::ipv6});
    CHECK(routes(wanted, Family::ipv6) == "throw fe80::/10, unreachable ::/0 metric 4278198272");
    CHECK(routes(wanted, Family::ipv4) == "10.0.0.0/8");
}

TEST_CASE("a gateway more changes the kill switch of a family in place") {
    auto wanted = settings({"10.0.0.2/32"}, {"0.0.0.0/0"});
    const auto done = make_plan(wanted, with_links(), run).value();
    wanted.gateways = {*IpAddress::parse("2001:db8::7")};
    const auto missing = missing_steps(done, make_plan(wanted, with_links(), run).value());
    REQUIRE(missing.has_value());
    REQUIRE(missing->size() == 2);
    CHECK(name(missing->front()) == "firewall");
    CHECK(name(missing->back()) == "routes");
}

TEST_CASE("a tunnel of some users leads only them into its table, and marked packets past it") {
    auto wanted = settings({"10.0.0.2/24"}, {"0.0.0.0/0"});
    wanted.users = {{1000, 1000}, {1001, 1999}, {5000, 5000}};
    wanted.dns.servers = {*IpAddress::parse("10.0.0.1")};
    const auto plan = make_plan(wanted, a_machine(), run);
    REQUIRE(plan.has_value());
    std::string story;
    for (const auto& [step, undo] : plan->steps) {
        const auto* rules = std::get_if<AddRules>(&step);
        if (!rules || rules->rules.front().family != Family::ipv4) continue;
        CHECK(undo == Undo{RemoveRules{rules->rules}});
        for (const auto& rule : rules->rules) story += text(rule) + "\n";
    }
    CHECK(story ==
          "IPv4 rule 13999: nop lookup 0x43570001\n"
          "IPv4 rule 13997: marked goto 13999 lookup 0x43570001\n"
          "IPv4 rule 13998: from 10.0.0.2 lookup 0x43570001\n"
          "IPv4 rule 13998: to 10.0.0.1 lookup 0x43570001\n"
          "IPv4 rule 13998: users 1000-1999 lookup 0x43570001\n"
          "IPv4 rule 13998: users 5000-5000 lookup 0x43570001\n");
    CHECK(kill_switch_in(wanted)->users == std::vector<UserRange>{{1000, 1999}, {5000, 5000}});
}

TEST_CASE("a tunnel of some applications leads what has their mark into its table") {
    auto wanted = settings({"10.0.0.2/24"}, {"0.0.0.0/0"});
    wanted.applications = {ApplicationSettings::Way::inside, {"browser.service"}};
    wanted.allow_other_family = true;
    wanted.kill_switch = KillSwitchSettings{};
    const auto plan = make_plan(wanted, a_machine(), run);
    REQUIRE(plan.has_value());
    CHECK(order(*plan) == "firewall link address application routes rule");
    CHECK(plan->steps.at(3) ==
          PlannedStep{MarkApplications{{"browser.service"}, 0x43580001}, ReleaseApplications{}});
    CHECK(text(std::get<AddRules>(plan->steps.back().step).rules.back()) ==
          "IPv4 rule 13998: marked 0x43580001 lookup 0x43570001");
    CHECK(kill_switch_in(wanted)->mark == 0x43580001);
}

TEST_CASE(
    "applications outside of a tunnel have their sockets protected, and nothing else changes") {
    auto wanted = settings({"10.0.0.2/24", "fd00::2/64"}, {"0.0.0.0/0", "::/0"});
    const auto without = make_plan(wanted, a_machine(), run).value();
    wanted.applications = {ApplicationSettings::Way::outside, {"/sys/fs/cgroup/game"}};
    auto plan = make_plan(wanted, a_machine(), run).value();
    CHECK(order(plan) == "link address application routes routes rule rule");
    CHECK(plan.steps.at(2).step == Step{MarkApplications{{"/sys/fs/cgroup/game"}, 0x43570001}});
    plan.steps.erase(plan.steps.begin() + 2);
    CHECK(plan.steps == without.steps);
}

TEST_CASE("an address that is there already is not taken away at the end") {
    auto machine = a_machine();
    machine.addresses = prefixes({"10.0.0.2/24"});
    machine.numbering = 3;
    const auto plan = make_plan(settings({"10.0.0.2/24", "10.0.0.3/24"}, {}), machine, run);
    REQUIRE(plan.has_value());
    CHECK(plan->steps.at(0).undo == Undo{RestoreLink{{7, 1500, false}, 3}});
    CHECK(plan->steps.at(1).undo == Undo{RemoveAddresses{prefixes({"10.0.0.3/24"})}});
}

TEST_CASE("runs differ in marks, tables and priorities, and the later comes first") {
    CHECK(RunNumbers{1}.mark() == 0x43570001);
    CHECK(RunNumbers{2}.table() == 0x43570002);
    CHECK(RunNumbers{2}.priority() < RunNumbers{1}.priority());
    CHECK(RunNumbers{run_limit}.priority() > RunNumbers{1}.user_priority() + 2);
    CHECK(RunNumbers{2}.user_priority() + 2 < RunNumbers{1}.user_priority());
    CHECK(RunNumbers{run_limit}.user_priority() > 0);
}

}  // namespace
}  // namespace causeway::device
