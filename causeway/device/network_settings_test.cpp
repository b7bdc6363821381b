#include "causeway/device/network_settings.h"

#include "causeway/device/limits.h"
#include "causeway/device/tun.h"

#include <doctest/doctest.h>

#include <functional>

namespace causeway::device {
namespace {

NetworkSettings good() {
    NetworkSettings settings;
    settings.interface = "cw0";
    settings.addresses = {*Prefix::parse("10.0.0.2/24")};
    return settings;
}

/// "field=value" of the refusal, or "" when the settings pass.
std::string refusal(const NetworkSettings& settings) {
    const auto checked = check(settings);
    if (checked) return {};
    CHECK(checked.error().code == Code(Vpn::configurationFailed));
    const auto* service = checked.error().find(Service::INVALID_PARAMETER_VALUE);
    REQUIRE(service);
    return std::string(service->fact("field")) + "=" + std::string(service->fact("value"));
}

TEST_CASE("each wrong setting is refused under its own name with its value") {
    using Change = std::function<void(NetworkSettings&)>;
    constexpr auto inside = ApplicationSettings::Way::inside;
    const auto address = [](const char* text) {
        return [=](NetworkSettings& s) { s.addresses = {*Prefix::parse(text)}; };
    };
    const auto server = [](const char* text) {
        return [=](NetworkSettings& s) { s.dns.servers = {*IpAddress::parse(text)}; };
    };
    const auto search = [](std::string domain) {
        return [=](NetworkSettings& s) { s.dns.search_domains = {domain}; };
    };
    const std::vector<std::pair<Change, std::string>> cases = {
        {[](NetworkSettings&) {}, ""},
        {[](NetworkSettings& s) { s.interface = "a/b"; }, "interface=a/b"},
        {[](NetworkSettings& s) { s.addresses.clear(); }, "addresses=none"},
        {[](NetworkSettings& s) { s.addresses.push_back(s.addresses[0]); },
         "addresses=10.0.0.2/24"},
        {address("127.0.0.1/8"), "addresses=127.0.0.1/8"},
        {address("224.0.0.1/4"), "addresses=224.0.0.1/4"},
        {address("0.0.0.0/8"), "addresses=0.0.0.0/8"},
        {address("255.255.255.255/32"), "addresses=255.255.255.255/32"},
        {address("10.0.0.2/0"), "addresses=10.0.0.2/0"},
        {address("::1/128"), "addresses=::1/128"},
        {address("::ffff:10.0.0.1/128"), "addresses=::ffff:10.0.0.1/128"},
        {[](NetworkSettings& s) { s.mtu = 575; }, "mtu=575"},
        {[](NetworkSettings& s) { s.mtu = 576; }, ""},
        {[](NetworkSettings& s) { s.mtu = 65536; }, "mtu=65536"},
        {[](NetworkSettings& s) {
             s.mtu = 1279;
             s.addresses = {*Prefix::parse("fd00::2/64")};
         },
         "mtu=1279"},
        {[](NetworkSettings& s) { s.included.resize(route_limit + 1); }, "included routes=10001"},
        {[](NetworkSettings& s) { s.excluded = {{IpAddress::v4(0), 33}}; },
         "excluded routes=0.0.0.0/33"},
        {server("127.0.0.1"), "dns servers=127.0.0.1"},
        {server("ff02::1"), "dns servers=ff02::1"},
        {search("corp.example."), ""},
        {search("_tcp.corp-1.example"), ""},
        {search("corp.example\nnameserver 203.0.113.1"),
         "search domains=corp.example\\x0anameserver 203.0.113.1"},
        {search("corp example"), "search domains=corp example"},
        {search(".example"), "search domains=.example"},
        {search(""), "search domains="},
        {search(std::string(254, 'a')), "search domains=" + std::string(254, 'a')},
        {[](NetworkSettings& s) { s.dns.split_domains = {"a..b"}; }, "split domains=a..b"},
        {[](NetworkSettings& s) { s.users = {{1000, 1999}, {0, 0}}; }, ""},
        {[](NetworkSettings& s) { s.users = {{5, 4}}; }, "users=5-4"},
        {[](NetworkSettings& s) { s.users = {{0, no_user}}; }, "users=0-4294967295"},
        {[](NetworkSettings& s) {
             for (std::uint32_t i = 0; i <= user_range_limit; ++i)
                 s.users.push_back({2 * i, 2 * i});
         },
         "users=65"},
        {[](NetworkSettings& s) { s.kill_switch = {{*Prefix::parse("10.0.0.0/8")}, {"cw1"}}; }, ""},
        {[=](NetworkSettings& s) { s.applications = {inside, {"/sys/fs/cgroup/a", "b.service"}}; },
         ""},
        {[=](NetworkSettings& s) { s.applications = {inside, {}}; }, "applications=none"},
        {[=](NetworkSettings& s) { s.applications = {inside, {""}}; }, "applications="},
        {[=](NetworkSettings& s) { s.applications = {inside, {"a/../b"}}; }, "applications=a/../b"},
        {[=](NetworkSettings& s) {
             s.applications = {inside, std::vector<std::string>(257, "a.service")};
         },
         "applications=257"},
        {[=](NetworkSettings& s) {
             s.applications = {inside, {"a.service"}};
             s.users = {{0, 0}};
         },
         "users=1 ranges"},
        {[](NetworkSettings& s) { s.kill_switch = {{*Prefix::parse("0.0.0.0/0")}, {}}; },
         "lan=0.0.0.0/0"},
        {[](NetworkSettings& s) { s.kill_switch = {{{IpAddress::v4(0), 33}}, {}}; },
         "lan=0.0.0.0/33"},
        {[](NetworkSettings& s) { s.kill_switch = {{}, {"a/b"}}; }, "other tunnels=a/b"},
    };
    for (const auto& [change, story] : cases) {
        auto settings = good();
        change(settings);
        CHECK(refusal(settings) == story);
    }
}

TEST_CASE("several faults are all listed, and the first gives the name") {
    auto settings = good();
    settings.mtu = 1;
    settings.dns.servers = {*IpAddress::parse("0.0.0.0")};
    const auto checked = check(settings);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().fact("field") == "mtu");
    CHECK(checked.error().fact("faults") ==
          "mtu \"1\": it must be 576 to 65535; "
          "dns servers \"0.0.0.0\": no name server has this address");
}

TEST_CASE("two thousand addresses may be asked for, and not one more") {
    auto settings = good();
    settings.addresses.clear();
    for (std::uint32_t i = 1; i <= address_limit; ++i)
        settings.addresses.push_back({IpAddress::v4(0x0a000000 + i), 32});
    CHECK(settings.addresses.size() == 2000);
    CHECK(refusal(settings).empty());
    settings.addresses.push_back(*Prefix::parse("10.9.0.1/32"));
    CHECK(refusal(settings) == "addresses=2001");
}

TEST_CASE("ten thousand faults make a report that can be read") {
    auto settings = good();
    settings.included.assign(route_limit, {IpAddress::v4(0), 99});
    const auto checked = check(settings);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().fact("faults").ends_with("; and 9990 more"));
    CHECK(checked.error().fact("faults").size() < 2000);
}

TEST_CASE("an interface name is what the kernel can keep whole and a path can hold") {
    for (const auto* name : {"cw0", "a", "exactly15chars_", "tun.office"})
        CHECK(check_interface_name(name).has_value());
    for (const auto* name : {"", "sixteen_chars_xx", ".", "..", "a/b", "a b", "a\tb", "a:1", "cw%d",
                             "caf\xc3\xa9", "a\x01", "a\x7f"}) {
        const auto checked = check_interface_name(name);
        REQUIRE_FALSE(checked.has_value());
        CHECK(checked.error().code == Code(Service::INVALID_PARAMETER_VALUE));
        CHECK(checked.error().fact("field") == "interface");
    }
}

}  // namespace
}  // namespace causeway::device
