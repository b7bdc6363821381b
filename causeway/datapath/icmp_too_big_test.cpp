#include "causeway/datapath/icmp_too_big.h"

#include "causeway/datapath/checksum.h"
#include "tests/support/packets.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <utility>

namespace causeway::datapath {
namespace {

using test::Recipe;

Bytes answer_to(ByteView packet, std::size_t mtu) {
    std::array<std::byte, icmp_too_big_limit> room;
    const std::size_t size = write_icmp_too_big(packet, mtu, room);
    return copy(ByteView(room).first(size));
}

/// The same packet with another protocol and first byte of payload: what is inside does not matter.
Bytes carrying(Recipe recipe, std::uint8_t protocol, std::uint8_t type) {
    Bytes packet = test::packet_of(recipe);
    packet[recipe.is_v4 ? 9 : 6] = std::byte{protocol};
    packet[recipe.is_v4 ? 20 : 40] = std::byte{type};
    return packet;
}

}  // namespace

TEST_CASE("the answer quotes the packet, names the size, and its checksums are right") {
    for (const std::size_t payload : {10u, 100u, 1'400u, 9'000u}) {
        CAPTURE(payload);
        const Bytes v4 = test::packet_of({.payload = test::pattern(payload)});
        const Bytes four = answer_to(v4, 1'200);
        REQUIRE(four.size() == 28 + std::min<std::size_t>(v4.size(), 548));
        CHECK(hex(ByteView(four).first(4)) ==
              hex(*from_hex("4500")) + hex(Bytes{static_cast<std::byte>(four.size() >> 8),
                                                 static_cast<std::byte>(four.size())}));
        CHECK(internet_sum(ByteView(four).first(20)) == 0xffff);
        CHECK(internet_sum(ByteView(four).subspan(20)) == 0xffff);
        // It comes from where the packet was to go.
        CHECK(hex(ByteView(four).subspan(12, 8)) == "0a0000020a000001");
        CHECK(hex(ByteView(four).subspan(20, 2)) == "0304");
        CHECK(hex(ByteView(four).subspan(24, 4)) == "000004b0");
        CHECK(hex(ByteView(four).subspan(28)) == hex(ByteView(v4).first(four.size() - 28)));

        const Bytes v6 = test::packet_of({.is_v4 = false, .payload = test::pattern(payload)});
        const Bytes six = answer_to(v6, 1'300);
        REQUIRE(six.size() == 48 + std::min<std::size_t>(v6.size(), 1'232));
        const auto message = ByteView(six).subspan(40);
        const auto sum = add_sums(pseudo_header_sum(ByteView(six).subspan(8, 32), 58),
                                  static_cast<std::uint16_t>(message.size()));
        CHECK(add_sums(sum, internet_sum(message)) == 0xffff);
        CHECK(hex(ByteView(six).subspan(8, 16)) == hex(ByteView(v6).subspan(24, 16)));
        CHECK(hex(ByteView(six).subspan(24, 16)) == hex(ByteView(v6).subspan(8, 16)));
        CHECK(hex(message.first(2)) == "0200");
        CHECK(hex(message.subspan(4, 4)) == "00000514");
        CHECK(hex(message.subspan(8)) == hex(ByteView(v6).first(six.size() - 48)));
    }
}

TEST_CASE("there is no answer to what must have none") {
    const Recipe v4{.payload = test::pattern(100)};
    const Recipe v6{.is_v4 = false, .payload = test::pattern(100)};
    CHECK(answer_to({}, 100).empty());
    CHECK(answer_to(test::pattern(60, 0x10), 100).empty());
    // ICMP errors; but to questions there is.
    CHECK(answer_to(carrying(v4, 1, 3), 100).empty());
    CHECK(answer_to(carrying(v4, 1, 11), 100).empty());
    CHECK(!answer_to(carrying(v4, 1, 8), 100).empty());
    CHECK(answer_to(carrying(v6, 58, 1), 100).empty());
    CHECK(!answer_to(carrying(v6, 58, 128), 100).empty());
    Recipe fragment = v4;
    fragment.fragment = 0x2001;
    CHECK(answer_to(test::packet_of(fragment), 100).empty());
    fragment.fragment = 0x2000;
    CHECK(!answer_to(test::packet_of(fragment), 100).empty());
    // IPv6: an extension header in front of the transport's.
    const auto with_fragment_header = [&](std::uint8_t offset_low) {
        Bytes packet = test::packet_of(v6);
        const std::byte protocol = std::exchange(packet[6], std::byte{44});
        const std::array header{protocol,     std::byte{0}, std::byte{0}, std::byte{offset_low},
                                std::byte{0}, std::byte{0}, std::byte{0}, std::byte{7}};
        packet.insert(packet.begin() + 40, header.begin(), header.end());
        write_16(std::span(packet).subspan(4), packet.size() - 40);
        return packet;
    };
    CHECK(!answer_to(with_fragment_header(1), 100).empty());
    CHECK(answer_to(with_fragment_header(9), 100).empty());
    for (const char* many : {"e0000001", "ffffffff", "00000000"}) {
        for (const std::size_t at : {12u, 16u}) {
            Bytes packet = test::packet_of(v4);
            std::ranges::copy(*from_hex(many), packet.begin() + static_cast<std::ptrdiff_t>(at));
            CAPTURE(many);
            CHECK(answer_to(packet, 100).empty());
        }
    }
    Bytes multicast = test::packet_of(v6);
    multicast[24] = std::byte{0xff};
    CHECK(answer_to(multicast, 100).empty());
}

}  // namespace causeway::datapath
