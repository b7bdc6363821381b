#include "causeway/protocol/datagram_suites.h"
#include "causeway/protocol/datagram_mtu.h"
#include "causeway/protocol/limits.h"
#include "causeway/protocol/moving_datagram.h"

#include <doctest/doctest.h>

#include <string>

namespace causeway::protocol {
namespace {

// As openconnect 9.01 sends them.
constexpr std::string_view stock_list =
    "PSK-NEGOTIATE:OC-DTLS1_2-AES256-GCM:OC2-DTLS1_2-CHACHA20-POLY1305:OC-DTLS1_2-AES128-GCM:"
    "DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA";
constexpr std::string_view stock_list_12 =
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-GCM-SHA256:"
    "DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA";

TEST_CASE("a stock client's lists say what it can do") {
    CHECK(lists_suite(stock_list, psk_negotiate));
    CHECK(lists_suite(stock_list, "aes128-sha"));
    CHECK_FALSE(lists_suite(stock_list_12, psk_negotiate));
    CHECK_FALSE(lists_suite(stock_list, "PSK"));
    CHECK_FALSE(lists_suite("", psk_negotiate));

    const auto known = known_suites(stock_list_12);
    REQUIRE(known.size() == 4);
    CHECK(known[0].number == 0x009d);
    CHECK(known[1].number == 0x009c);
    CHECK(known[2].number == 0x0035);
    CHECK(known[3].number == 0x002f);
}

TEST_CASE("our own list is read as it is written, and a name given twice counts once") {
    CHECK(known_suites(resumed_suite_list()).size() == resumed_suites().size());
    CHECK(known_suites("AES128-SHA: aes128-sha :AES128-SHA").size() == 1);
    CHECK(resumed_suite("AES256-GCM-SHA384")->number == 0x009d);
    CHECK_FALSE(resumed_suite("DES-CBC3-SHA"));
}

TEST_CASE("of a list without end only the beginning is looked at") {
    std::string list;
    for (std::size_t i = 0; i < suite_count_limit; ++i) list += "X:";
    CHECK_FALSE(lists_suite(list + "AES128-SHA", "AES128-SHA"));
    CHECK(lists_suite("X:" + std::string("AES128-SHA"), "AES128-SHA"));
}

TEST_CASE("the sizes of packets are those that stock peers compute") {
    CHECK(tunnel_mtu(1500, Family::ipv4, 37) == 1434);
    CHECK(tunnel_mtu(1500, Family::ipv6, 37) == 1414);
    CHECK(tunnel_mtu(1500, Family::ipv4, 29) == 1442);
    CHECK(tunnel_mtu(60, Family::ipv4, 37) == 0);
    CHECK(tunnel_mtu(0, Family::ipv6, 37) == 0);
}

TEST_CASE("with CBC every record of the computed size fits, and one byte more does not") {
    for (const auto outer : {Family::ipv4, Family::ipv6}) {
        for (int link = 600; link <= 1600; ++link) {
            const auto datagram = [&](int packet) {
                const int plain = packet + payload_type_size + 20;
                const int padded = (plain / 16 + 1) * 16;  // at least one byte of padding
                return ip_header_size(outer) + udp_header_size + 13 + 16 + padded;
            };
            const int mtu = tunnel_mtu_of_cbc(link, outer);
            CAPTURE(link);
            CHECK(datagram(mtu) <= link);
            CHECK(datagram(mtu + 1) > link);
        }
    }
}

TEST_CASE("a moving datagram has a name and a record, and nothing else is one") {
    const Bytes id = *from_hex("0123456789abcdef");
    const auto header = moving_header(id);
    Bytes datagram(header.begin(), header.end());
    CHECK_FALSE(read_moving_datagram(datagram));
    append(datagram, as_bytes("record"));
    const auto read = read_moving_datagram(datagram);
    REQUIRE(read);
    CHECK(hex(read->connection_id) == "0123456789abcdef");
    CHECK(as_text(read->record) == "record");
    // The content types of DTLS, of which none may be mistaken for it.
    for (const int type : {20, 21, 22, 23, 24, 25, 26}) {
        datagram.front() = static_cast<std::byte>(type);
        CHECK_FALSE(read_moving_datagram(datagram));
    }
    CHECK_FALSE(read_moving_datagram({}));
}

}  // namespace
}  // namespace causeway::protocol
