#include "causeway/provider/resolver_settings.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cerrno>

namespace causeway::provider {

TEST_CASE("name servers, search domains and the number of dots are read from a resolver's file") {
    const auto settings = parse_resolver_settings(
        "# a comment\n"
        "nameserver 192.0.2.53\n"
        "nameserver\t2001:db8::53  # behind it\n"
        "nameserver fe80::1%eth0\n"
        "nameserver 192.0.2.54\n"
        "domain old.example\n"
        "search one.example two.example.\n"
        "options rotate ndots:2\n"
        "nameserver nonsense\n");
    REQUIRE(settings.servers.size() == 3);  // as many as the C library uses
    CHECK(settings.servers[0].text() == "192.0.2.53");
    CHECK(settings.servers[1].text() == "2001:db8::53");
    CHECK(settings.servers[2].text() == "fe80::1%eth0");
    CHECK(settings.search == std::vector<std::string>{"one.example", "two.example"});
    CHECK(settings.dots == 2);
}

TEST_CASE("a missing resolver's file is told apart from one that names nobody") {
    const auto missing = read_resolver_settings("/nonexistent/resolv.conf", "/nonexistent/hosts");
    CHECK(missing.servers.empty());
    CHECK(missing.unreadable == ENOENT);
    CHECK(read_resolver_settings("/dev/null", "/dev/null").unreadable == 0);
}

TEST_CASE("the hosts file gives every address of a name, whatever its case") {
    const auto hosts =
        "127.0.0.1 localhost\n"
        "192.0.2.7  vpn.example.com vpn # the gateway\n"
        "2001:db8::7 VPN.EXAMPLE.COM\n"
        "#192.0.2.8 vpn.example.com\n"
        "192.0.2.7 vpn.example.com\n"
        "garbage vpn.example.com\n";
    const std::vector expected{*IpAddress::parse("192.0.2.7"), *IpAddress::parse("2001:db8::7")};
    CHECK(addresses_in_hosts(hosts, "vpn.example.com") == expected);
    CHECK(addresses_in_hosts(hosts, "Vpn.Example.Com.") == expected);
    CHECK(addresses_in_hosts(hosts, "vpn") == std::vector{expected[0]});
    CHECK(addresses_in_hosts(hosts, "example.com").empty());
}

TEST_CASE("localhost is the loopback even where no hosts file says so") {
    CHECK(addresses_in_hosts("", "gateway.localhost").size() == 2);
    CHECK(addresses_in_hosts("192.0.2.1 localhost", "localhost").size() == 1);
}

TEST_CASE("a name with few dots is tried below the search domains first") {
    ResolverSettings settings;
    settings.search = {"corp.example"};
    using Names = std::vector<std::string>;
    CHECK(candidates_for("vpn", settings) == Names{"vpn.corp.example", "vpn"});
    CHECK(candidates_for("vpn.example", settings) ==
          Names{"vpn.example", "vpn.example.corp.example"});
    CHECK(candidates_for("vpn.", settings) == Names{"vpn"});
}

}  // namespace causeway::provider
