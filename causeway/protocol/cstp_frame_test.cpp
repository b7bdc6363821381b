#include "causeway/protocol/cstp_frame.h"

#include "causeway/protocol/test_support.h"

#include <doctest/doctest.h>

#include <utility>

namespace causeway::protocol {
namespace {

std::string read(std::string_view hexadecimal, std::size_t limit = 1500) {
    const Bytes bytes = *from_hex(hexadecimal);
    const auto packet = first_cstp_packet(bytes, limit);
    if (!packet) return story(packet.error());
    if (!*packet) return "more";
    return std::to_string(std::to_underlying((*packet)->type)) + ":" + hex((*packet)->payload);
}

TEST_CASE("the packets that stock peers send are read") {
    CHECK(read("5354460100000700") == "7:");
    CHECK(read("5354460100060300616263646566") == "3:616263646566");
    CHECK(read("5354460100000500") == "5:");
    CHECK(read("5354460100050500b055736572") == "5:b055736572");
    CHECK(read("53544601000300004500005354") == "0:450000");
}

TEST_CASE("a packet that is not there whole waits for more") {
    CHECK(read("") == "more");
    CHECK(read("53544601000300") == "more");
    CHECK(read("53544601000300004500") == "more");
}

TEST_CASE("what is no CSTP is refused with its header") {
    CHECK(read("485454502f312e31") == "errSSLDecodeError: not a CSTP header: 485454502f312e31");
    CHECK(read("5354460200000000") == "errSSLDecodeError: not a CSTP header: 5354460200000000");
    CHECK(read("5354460100000001") == "errSSLDecodeError: not a CSTP header: 5354460100000001");
    CHECK(read("5354460100000200") == "errSSLProtocol: unknown CSTP packet type: 5354460100000200");
    CHECK(read("5354460100000800") ==
          "errSSLProtocol: a compressed CSTP packet, and nobody agreed on compression: "
          "5354460100000800");
}

TEST_CASE("a payload above the limit is refused before it arrives") {
    CHECK(read("5354460105dc0000") == "more");
    CHECK(read("5354460105dd0000") ==
          "errSSLRecordOverflow: a CSTP payload of 1501 bytes, limit 1500");
}

TEST_CASE("what cstp_header writes is read back") {
    for (const auto type : {PacketType::data, PacketType::keepalive, PacketType::terminate}) {
        Bytes bytes = copy(cstp_header(type, 300));
        bytes.resize(308);
        const auto packet = first_cstp_packet(bytes);
        REQUIRE(packet.has_value());
        REQUIRE(packet->has_value());
        CHECK((*packet)->type == type);
        CHECK((*packet)->payload.size() == 300);
    }
}

}  // namespace
}  // namespace causeway::protocol
