#include "causeway/device/inspection.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

namespace causeway::device {
namespace {

const RunNumbers run{1};

Prefix prefix(const char* text) { return *Prefix::parse(text); }

/// A full tunnel of IPv4 with a kill switch.
Plan a_plan() {
    NetworkSettings wanted;
    wanted.interface = "cw0";
    wanted.addresses = {prefix("10.0.0.2/24"), prefix("10.1.0.2/32")};
    wanted.included = {prefix("0.0.0.0/0"), prefix("10.5.0.0/16")};
    wanted.kill_switch = KillSwitchSettings{};
    return make_plan(wanted, {{7, 1500, false}}, run).value();
}

/// The kernel after it.
Seen as_planned() {
    Seen seen{Link{7, 1400, true}};
    seen.firewall = "rules";
    for (const auto& [step, undo] : a_plan().steps) {
        if (const auto* s = std::get_if<AddAddresses>(&step)) seen.addresses = s->addresses;
        if (const auto* s = std::get_if<AddRoutes>(&step)) seen.routes[s->family] = s->routes;
        if (const auto* s = std::get_if<AddRules>(&step))
            seen.rules[s->rules.front().family] = s->rules;
    }
    // In an order of its own.
    std::ranges::reverse(seen.addresses);
    std::ranges::reverse(seen.routes[Family::ipv4]);
    return seen;
}

std::string story_of(const std::vector<Deviation>& found) {
    std::string story;
    for (const auto& deviation : found)
        story += std::string(deviation.step) + ": " + deviation.what +
                 (deviation.repair ? " -> " + text(*deviation.repair) : "") + "\n";
    return story;
}

std::string story(const std::function<void(Seen&)>& change) {
    auto seen = as_planned();
    change(seen);
    return story_of(deviations(a_plan(), seen, "rules"));
}

TEST_CASE("a kernel that has what was planned deviates in nothing, whatever the order") {
    CHECK(story([](Seen&) {}).empty());
}

TEST_CASE("what is missing is named, with the step that puts it back and no more than it") {
    CHECK(story([](Seen& s) { s.rules.clear(); }) ==
          "rule: the IPv4 rule 17999: not marked lookup 0x43570001 missing -> the IPv4 rule\n"
          "rule: the IPv6 rule 17999: not marked lookup 0x43570001 missing -> the IPv6 rule\n");
    CHECK(story([](Seen& s) { s.addresses.pop_back(); }) ==
          "address: the address 10.0.0.2/24 missing -> the address 10.0.0.2/24\n");
    CHECK(story([](Seen& s) {
              std::erase_if(s.routes[Family::ipv4],
                            [](const Route& r) { return r.destination.length == 16; });
          }) == "routes: the IPv4 route 10.5.0.0/16 missing -> the IPv4 routes (1)\n");
    CHECK(story([](Seen& s) { s.routes[Family::ipv4].clear(); }) ==
          "routes: 4 routes missing, such as the IPv4 route 0.0.0.0/0 -> the IPv4 routes (4)\n");
    CHECK(story([](Seen& s) { s.firewall.reset(); }) ==
          "firewall: the firewall's table has gone -> the way beside the tunnel\n");
    CHECK(story([](Seen& s) { s.firewall = "fewer"; }) ==
          "firewall: the firewall's table has been changed -> the way beside the tunnel\n");
    CHECK(story([](Seen& s) { s.link = Link{7, 1400, false}; }) ==
          "link: the interface is down -> the interface with an MTU of 1400\n");
    CHECK(story([](Seen& s) { s.link->mtu = 9000; }) ==
          "link: the interface has an MTU of 9000 -> the interface with an MTU of 1400\n");
}

TEST_CASE("what somebody added is named and left to them") {
    CHECK(story([](Seen& s) { s.routes[Family::ipv4].push_back({prefix("10.7.0.0/16")}); }) ==
          "routes: the IPv4 route 10.7.0.0/16 not ours, in our table\n");
    CHECK(story([](Seen& s) {
              s.rules[Family::ipv4].push_back({Family::ipv4, run.table(), 5, UserRange{5, 5}});
          }) == "rule: the IPv4 rule 5: users 5-5 lookup 0x43570001 not ours, with our number\n");
}

TEST_CASE("a route that leads elsewhere now is both missing and somebody's") {
    CHECK(story([](Seen& s) {
              for (auto& route : s.routes[Family::ipv4])
                  if (route.destination.length == 16) route.kind = RouteKind::outside;
          }) ==
          "routes: the IPv4 route 10.5.0.0/16 missing -> the IPv4 routes (1)\n"
          "routes: the IPv4 route throw 10.5.0.0/16 not ours, in our table\n");
}

TEST_CASE("when the interface has gone, what went with it is not missed") {
    CHECK(story([](Seen& s) {
              s.link.reset();
              s.addresses.clear();
              std::erase_if(s.routes[Family::ipv4],
                            [](const Route& r) { return r.kind == RouteKind::tunnel; });
          }) == "link: the interface has gone\n");
}

}  // namespace
}  // namespace causeway::device
