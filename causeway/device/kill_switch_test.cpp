#include "causeway/device/kill_switch.h"

#include <doctest/doctest.h>

#include <bit>

namespace causeway::device {
namespace {

using Hook = FirewallChain::Hook;

std::string story_of(const FirewallChain& chain) {
    std::string story;
    for (const auto& rule : chain.rules) story += text(rule) + "\n";
    return story;
}

/// One chain's rules, a line each.
std::string rules(const KillSwitch& wanted, Hook hook) {
    for (const auto& table : tables_of(wanted))
        for (const auto& chain : table.chains)
            if (chain.hook == hook) return story_of(chain);
    return "no chain";
}

KillSwitch closed() { return {"causeway-1", {Family::ipv4, Family::ipv6}, {7}}; }

// Indexes and marks are in this machine's byte order.
static_assert(std::endian::native == std::endian::little);

TEST_CASE("what a program sends passes by loopback, by the tunnel, when protected and for a link") {
    CHECK(rules(closed(), Hook::output) ==
          "oif == 01000000 accept\n"
          "oif == 07000000 accept\n"
          "mark & 0000ffff == 00005743 accept\n"
          "family == 02 transport == 11 payload[0+4] == 00440043 accept\n"
          "family == 0a transport == 11 payload[0+4] == 02220223 ip[24+16] == "
          "ff020000000000000000000000010002 accept\n"
          "family == 0a transport == 11 payload[0+4] == 02220223 ip[24+2] & ffc0 == fe80 accept\n"
          "family == 0a transport == 3a payload[0+1] == 85 ip[7+1] == ff accept\n"
          "family == 0a transport == 3a payload[0+1] == 87 ip[7+1] == ff accept\n"
          "family == 0a transport == 3a payload[0+1] == 88 ip[7+1] == ff accept\n"
          "family == 02 count reject\n"
          "family == 0a count reject\n");
}

TEST_CASE("what is forwarded passes by the tunnel alone, whatever mark it has") {
    CHECK(rules(closed(), Hook::forward) ==
          "oif == 01000000 accept\n"
          "oif == 07000000 accept\n"
          "family == 02 count reject\n"
          "family == 0a count reject\n");
}

TEST_CASE("what is rerouted later and what packet sockets send is held against the same list") {
    auto wanted = closed();
    CHECK(rules(wanted, Hook::egress) == "no chain");
    wanted.links = {"eth0", "wlan0"};
    const auto tables = tables_of(wanted);
    REQUIRE(tables.size() == 2);
    CHECK(tables[1].kind == FirewallTable::Kind::frames);
    CHECK(tables[1].chains.front().links == wanted.links);

    auto packets = rules(wanted, Hook::output);
    while (packets.find("reject") != std::string::npos)
        packets.replace(packets.find("reject"), 6, "drop");
    CHECK(rules(wanted, Hook::postrouting) == packets);

    // Links are chosen already; families are types of frames; tags may hide packets.
    packets = packets.substr(packets.find("mark"));
    for (const auto& [family, type] :
         {std::pair{"family == 02", "ether == 0800"}, std::pair{"family == 0a", "ether == 86dd"}})
        while (packets.find(family) != std::string::npos)
            packets.replace(packets.find(family), 12, type);
    CHECK(rules(wanted, Hook::egress) ==
          packets + "ether == 8100 count drop\nether == 88a8 count drop\n");
}

TEST_CASE("the surroundings are reached, forwarded to as well, but their name servers are not") {
    auto wanted = closed();
    wanted.outside = {*Prefix::parse("192.168.1.0/24")};
    CHECK(rules(wanted, Hook::forward) ==
          "oif == 01000000 accept\n"
          "oif == 07000000 accept\n"
          "family == 02 transport == 11 payload[2+2] == 0035 count reject\n"
          "family == 02 transport == 11 payload[2+2] == 0355 count reject\n"
          "family == 02 transport == 06 payload[2+2] == 0035 count reject\n"
          "family == 02 transport == 06 payload[2+2] == 0355 count reject\n"
          "family == 02 ip[16+4] in outside4 accept\n"
          "family == 02 count reject\n"
          "family == 0a count reject\n");
    const auto tables = tables_of(wanted);
    REQUIRE(tables.front().sets.size() == 1);
    CHECK(tables.front().sets.front().name == "outside4");
}

TEST_CASE("one family alone is closed leniently: what stays on a link passes, and name queries") {
    KillSwitch wanted{"causeway-1", {Family::ipv6}, {7}, {}, {*Prefix::parse("2001:db8::/32")}};
    wanted.is_lenient = true;
    CHECK(rules(wanted, Hook::forward) ==
          "oif == 01000000 accept\n"
          "oif == 07000000 accept\n"
          "family == 0a ip[24+2] & ffc0 == fe80 accept\n"
          "family == 0a ip[24+2] == ff02 accept\n"
          "family == 0a ip[24+16] in outside6 accept\n"
          "family == 0a count reject\n");
}

TEST_CASE("of some users only their packets are held back") {
    auto wanted = closed();
    wanted.families = {Family::ipv4};
    wanted.users = {{1000, 1000}, {2000, 2999}};
    CHECK(rules(wanted, Hook::forward) ==
          "oif == 01000000 accept\n"
          "oif == 07000000 accept\n"
          "family == 02 user ordered >= 000003e8 <= 000003e8 count reject\n"
          "family == 02 user ordered >= 000007d0 <= 00000bb7 count reject\n");
}

TEST_CASE("of some applications only what has their mark is held back") {
    auto wanted = closed();
    wanted.families = {Family::ipv4};
    wanted.mark = 0x43580001;
    CHECK(rules(wanted, Hook::forward) ==
          "oif == 01000000 accept\n"
          "oif == 07000000 accept\n"
          "family == 02 mark == 01005843 count reject\n");
}

TEST_CASE("a portal is reached by one user over two ports, until the kernel forgets it") {
    auto wanted = closed();
    wanted.families = {Family::ipv4};
    wanted.portal = Portal{1000, {*IpAddress::parse("192.0.2.9"), *IpAddress::parse("fd00::9")}};
    const auto output = rules(wanted, Hook::output);
    for (const auto* port : {"0050", "01bb"})
        CHECK(output.find("family == 02 user == e8030000 ip[16+4] in portal4 transport == 06 "
                          "payload[2+2] == " +
                          std::string(port) + " accept\n") != std::string::npos);
    CHECK(rules(wanted, Hook::forward).find("portal") == std::string::npos);
    const auto tables = tables_of(wanted);
    CHECK(tables.front().sets == std::vector<FirewallSet>{{"portal4",
                                                           Family::ipv4,
                                                           {{*IpAddress::parse("192.0.2.9"), {}}},
                                                           std::chrono::minutes(5)}});
}

}  // namespace
}  // namespace causeway::device
