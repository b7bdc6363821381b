#include "causeway/gateway/packet_gate.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

namespace causeway::gateway {
namespace {

IpAddress address(std::string_view text) { return *IpAddress::parse(text); }

const std::array pools = {
    Pool{*Prefix::parse("10.9.0.0/24"), address("10.9.0.1"), address("10.9.0.2"),
         address("10.9.0.254")},
    Pool{*Prefix::parse("fd00:9::/64"), address("fd00:9::1"), address("fd00:9::2"),
         address("fd00:9::ffff")},
};
const InnerAddresses sender{address("10.9.0.7"), address("fd00:9::7")};

/// "device", "client", or the name of the drop.
std::string judged(std::string_view from, std::string_view to, bool client_to_client = false,
                   const InnerAddresses& who = sender) {
    datapath::IpHeader header;
    header.source = address(from);
    header.destination = address(to);
    const auto way = judge(header, who, pools, client_to_client);
    if (!way) return std::string(datapath::name(way.error()));
    return *way == Way::device ? "device" : "client";
}

TEST_CASE("a client sends from its own addresses only") {
    CHECK(judged("10.9.0.7", "192.0.2.1") == "device");
    CHECK(judged("fd00:9::7", "2001:db8::1") == "device");
    CHECK(judged("10.9.0.8", "192.0.2.1") == "wrong_source");
    CHECK(judged("10.9.0.1", "192.0.2.1") == "wrong_source");
    CHECK(judged("127.0.0.1", "192.0.2.1") == "wrong_source");
    CHECK(judged("fd00:9::8", "2001:db8::1") == "wrong_source");
    CHECK(judged("fe80::1", "ff02::2") == "wrong_source");
}

TEST_CASE("a client without an address of a family sends nothing in it") {
    const InnerAddresses only4{address("10.9.0.7"), std::nullopt};
    CHECK(judged("fd00:9::7", "2001:db8::1", false, only4) == "wrong_source");
    CHECK(judged("::", "ff02::1", false, only4) == "wrong_source");
}

TEST_CASE("clients are isolated from each other unless the configuration says otherwise") {
    CHECK(judged("10.9.0.7", "10.9.0.8") == "isolated");
    CHECK(judged("fd00:9::7", "fd00:9::8") == "isolated");
    CHECK(judged("10.9.0.7", "10.9.0.8", true) == "client");
    CHECK(judged("fd00:9::7", "fd00:9::8", true) == "client");
}

TEST_CASE("the gateway's own inner address can always be reached") {
    CHECK(judged("10.9.0.7", "10.9.0.1") == "device");
    CHECK(judged("fd00:9::7", "fd00:9::1") == "device");
}

}  // namespace
}  // namespace causeway::gateway
