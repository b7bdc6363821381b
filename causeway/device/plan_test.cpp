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
        if (const auto* rule = std::get_if<AddRule>(&step)) has_rule |= rule->rule.family == family;
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
    CHECK(order(*plan) == "link address address routes routes rule rule dns");
    CHECK(plan->notes.empty());
}

TEST_CASE("each step has the undo that fits it") {
    auto wanted = settings({"10.0.0.2/24"}, {"10.0.0.0/8"});
    wanted.dns.servers = {*IpAddress::parse("10.0.0.1")};
    const auto plan = make_plan(wanted, a_machine(), run);
    REQUIRE(plan.has_value());
    const Rule rule{Family::ipv4, 0x43570001, 17999};
    const std::vector<Undo> wanted_undo = {
        RestoreLink{{7, 1500, false}}, RemoveAddress{*Prefix::parse("10.0.0.2/24")},
        FlushTable{Family::ipv4, 0x43570001}, RemoveRule{rule}, RestoreDns{DnsBackend::file}};
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
    CHECK(missing_routes(done, done)->empty());

    auto other = wanted;
    other.gateways.push_back(*IpAddress::parse("192.0.2.8"));
    const auto missing = missing_routes(done, plan_of(other));
    REQUIRE(missing.has_value());
    REQUIRE(missing->size() == 1);
    CHECK(missing->front().table == 0x43570001);
    REQUIRE(missing->front().routes.size() == 1);
    CHECK(text(missing->front().routes.front()) == "throw 192.0.2.8/32");

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
        CHECK_FALSE(missing_routes(done, plan_of(changed)).has_value());
    }
}

TEST_CASE("runs differ in marks, tables and priorities, and the later comes first") {
    CHECK(RunNumbers{1}.mark() == 0x43570001);
    CHECK(RunNumbers{2}.table() == 0x43570002);
    CHECK(RunNumbers{2}.priority() < RunNumbers{1}.priority());
    CHECK(RunNumbers{run_limit}.priority() > 0);
}

}  // namespace
}  // namespace causeway::device
