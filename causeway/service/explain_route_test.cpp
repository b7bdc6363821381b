#include "causeway/service/explain_route.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <string>

namespace causeway::service {
namespace {

device::Plan plan(std::vector<const char*> included, std::vector<const char*> excluded,
                  std::uint32_t number) {
    device::NetworkSettings wanted;
    wanted.interface = "cw0";
    wanted.addresses = {*Prefix::parse(fmt::format("10.{}.0.2/24", number))};
    for (const char* network : included) wanted.included.push_back(*Prefix::parse(network));
    for (const char* network : excluded) wanted.excluded.push_back(*Prefix::parse(network));
    return *device::make_plan(wanted, {{1, 1400, true}, true, true, device::DnsBackend::file},
                              {number});
}

std::string verdict(const char* destination, const std::vector<RoutedTunnel>& tunnels) {
    const auto found = explain_route(*IpAddress::parse(destination), tunnels);
    constexpr std::array<const char*, 3> ways = {"outside", "tunnel", "blocked"};
    std::string text = ways[static_cast<std::size_t>(found.way)];
    if (found.tunnel)
        text += fmt::format(" {} {}", found.tunnel->session, device::text(*found.route));
    for (const auto& passed : found.passed) text += "; passed " + passed;
    return text;
}

TEST_CASE("without tunnels the machine's own routes decide") {
    CHECK(verdict("9.9.9.9", {}) == "outside");
}

TEST_CASE("the longest route decides, and what is excluded passes") {
    const auto split = plan({"10.0.0.0/8", "10.9.0.0/16"}, {"10.9.9.0/24"}, 1);
    const std::vector<RoutedTunnel> tunnels{{7, "cw0", {1}, &split}};
    CHECK(verdict("10.200.0.1", tunnels) == "tunnel 7 10.0.0.0/8");
    CHECK(verdict("10.9.1.1", tunnels) == "tunnel 7 10.9.0.0/16");
    CHECK(verdict("10.1.0.99", tunnels) == "tunnel 7 10.1.0.0/24");
    CHECK(verdict("10.9.9.1", tunnels) == "outside; passed cw0: 10.9.9.0/24 is excluded");
    CHECK(verdict("9.9.9.9", tunnels) == "outside; passed cw0: no route");
    CHECK(verdict("2001:db8::1", tunnels) == "outside");
}

TEST_CASE("a tunnel for everything blocks the family that it does not carry") {
    const auto full = plan({"0.0.0.0/0"}, {}, 1);
    const std::vector<RoutedTunnel> tunnels{{7, "cw0", {1}, &full}};
    CHECK(verdict("9.9.9.9", tunnels) == "tunnel 7 0.0.0.0/0");
    CHECK(verdict("2001:db8::1", tunnels) == "blocked 7 unreachable ::/0 metric 4278198272");
}

TEST_CASE("a later tunnel comes before an earlier one") {
    const auto first = plan({"10.0.0.0/8"}, {}, 1);
    const auto second = plan({"10.64.0.0/16"}, {"10.64.7.0/24"}, 2);
    const std::vector<RoutedTunnel> tunnels{{7, "cw0", {1}, &first}, {8, "cw1", {2}, &second}};
    CHECK(verdict("10.64.1.1", tunnels) == "tunnel 8 10.64.0.0/16");
    CHECK(verdict("10.65.1.1", tunnels) == "tunnel 7 10.0.0.0/8; passed cw1: no route");
    CHECK(verdict("10.64.7.1", tunnels) ==
          "tunnel 7 10.0.0.0/8; passed cw1: 10.64.7.0/24 is excluded");
}

}  // namespace
}  // namespace causeway::service
