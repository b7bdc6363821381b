#include "causeway/datapath/ip_header.h"

#include <doctest/doctest.h>

#include <string_view>

namespace causeway::datapath {
namespace {

Bytes bytes(std::string_view text) {
    std::string digits(text);
    std::erase(digits, ' ');
    return *from_hex(digits);
}

const Bytes v4_packet = bytes("4500 0016 0000 0000 4011 0000 0a000001 0a000002 abcd");
const Bytes v6_packet = bytes(
    "60000000 0002 3a 40 fd000000000000000000000000000001 fd000000000000000000000000000002 abcd");

TEST_CASE("both families are told apart, with their addresses and lengths") {
    const auto v4 = parse_ip_header(v4_packet);
    REQUIRE(v4.has_value());
    CHECK(v4->source.text() == "10.0.0.1");
    CHECK(v4->destination.text() == "10.0.0.2");
    CHECK(v4->protocol == 17);
    CHECK(v4->header_size == 20);
    CHECK(v4->length == 22);

    const auto v6 = parse_ip_header(v6_packet);
    REQUIRE(v6.has_value());
    CHECK(v6->source.text() == "fd00::1");
    CHECK(v6->destination.text() == "fd00::2");
    CHECK(v6->protocol == 58);
    CHECK(v6->header_size == 40);
    CHECK(v6->length == 42);
}

TEST_CASE("a packet that is cut anywhere is malformed") {
    for (const auto* packet : {&v4_packet, &v6_packet})
        for (std::size_t size = 0; size < packet->size(); ++size) {
            const auto header = parse_ip_header(ByteView(*packet).first(size));
            REQUIRE_FALSE(header.has_value());
            CHECK(header.error() == Drop::malformed);
        }
}

TEST_CASE("bytes behind the packet's own length do not count") {
    Bytes padded = v4_packet;
    padded.resize(46);
    CHECK(parse_ip_header(padded)->length == 22);
}

TEST_CASE("headers whose lengths contradict each other are malformed") {
    auto short_header = v4_packet;
    short_header[0] = std::byte{0x44};
    CHECK_FALSE(parse_ip_header(short_header).has_value());

    auto header_beyond_length = v4_packet;
    header_beyond_length[0] = std::byte{0x46};
    CHECK_FALSE(parse_ip_header(header_beyond_length).has_value());

    auto length_below_header = v4_packet;
    length_below_header[3] = std::byte{19};
    CHECK_FALSE(parse_ip_header(length_below_header).has_value());
}

TEST_CASE("every version but 4 and 6 is malformed") {
    for (unsigned version = 0; version < 16; ++version) {
        auto packet = v4_packet;
        packet.resize(60);
        packet[0] = static_cast<std::byte>(version << 4 | 5);
        CHECK(parse_ip_header(packet).has_value() == (version == 4 || version == 6));
    }
}

}  // namespace
}  // namespace causeway::datapath
