#include "causeway/base/address.h"

#include <doctest/doctest.h>

namespace causeway {
namespace {

Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }

TEST_CASE("addresses and prefixes are written as they are read") {
    for (const auto* text : {"10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0", "192.0.2.1/32"})
        CHECK(prefix(text).text() == text);
    CHECK(prefix("10.88.0.0/255.255.255.0").text() == "10.88.0.0/24");
    CHECK(prefix("2001:db8::1").length == 128);
}

TEST_CASE("what is no prefix is refused") {
    for (const auto* bad : {"", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/255.0.255.0",
                            "10.0.0.0/", "fd00::/255.0.0.0", "10.0.0.0/-1", "::%eth0/64"})
        CHECK_FALSE(Prefix::parse(bad));
}

TEST_CASE("a prefix contains what shares its leading bits, in its own family only") {
    CHECK(prefix("10.128.0.0/9").contains(*IpAddress::parse("10.200.1.1")));
    CHECK_FALSE(prefix("10.128.0.0/9").contains(*IpAddress::parse("10.127.1.1")));
    CHECK(prefix("0.0.0.0/0").contains(*IpAddress::parse("255.255.255.255")));
    CHECK_FALSE(prefix("0.0.0.0/0").contains(*IpAddress::parse("::1")));
    CHECK(prefix("10.0.0.0/8").overlaps(prefix("10.1.0.0/16")));
    CHECK(prefix("10.1.0.0/16").overlaps(prefix("10.0.0.0/8")));
    CHECK_FALSE(prefix("10.1.0.0/16").overlaps(prefix("10.2.0.0/16")));
    CHECK(prefix("10.1.2.3/8").network().text() == "10.0.0.0/8");
    CHECK(prefix("10.0.0.0/9").mask().text() == "255.128.0.0");
    CHECK(prefix("0.0.0.0/0").mask().text() == "0.0.0.0");
}

TEST_CASE("endpoints need brackets around IPv6 and none around IPv4") {
    CHECK(Endpoint::parse("192.0.2.1:443")->text() == "192.0.2.1:443");
    CHECK(Endpoint::parse("[::1]:443")->text() == "[::1]:443");
    for (const auto* bad : {"[192.0.2.1]:1", "::1:443", "192.0.2.1", "192.0.2.1:65536", "[::1]"})
        CHECK_FALSE(Endpoint::parse(bad));
}

TEST_CASE("an endpoint survives the way through a socket address") {
    for (const auto* text : {"192.0.2.1:443", "[2001:db8::1]:65535"}) {
        sockaddr_storage storage;
        const auto endpoint = Endpoint::parse(text).value();
        endpoint.to_sockaddr(storage);
        CHECK(Endpoint::from_sockaddr(storage) == endpoint);
    }
}

}  // namespace
}  // namespace causeway
