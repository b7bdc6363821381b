#include "causeway/provider/own_flow.h"

#include <doctest/doctest.h>
#include <netinet/in.h>

#include <algorithm>

namespace causeway::provider {
namespace {

/// The headers that the flow's packets have; `back`: of what comes back.
Bytes packet_of(const OwnFlow& flow, bool back = false) {
    const auto& from = back ? flow.remote : flow.local;
    const auto& to = back ? flow.local : flow.remote;
    const bool v4 = from.address.is_v4();
    Bytes packet(v4 ? 48 : 68);
    const std::size_t transport = v4 ? 20 : 40;
    packet[0] = v4 ? std::byte{0x45} : std::byte{0x60};
    packet[v4 ? 9 : 6] = static_cast<std::byte>(flow.protocol);
    const std::size_t source = v4 ? 12 : 8;
    std::ranges::copy(from.address.bytes(), packet.begin() + static_cast<std::ptrdiff_t>(source));
    std::ranges::copy(
        to.address.bytes(),
        packet.begin() + static_cast<std::ptrdiff_t>(source + from.address.bytes().size()));
    for (const auto port : {from.port, to.port}) {
        const std::size_t at = transport + (port == to.port ? 2 : 0);
        packet[at] = static_cast<std::byte>(port >> 8);
        packet[at + 1] = static_cast<std::byte>(port & 0xff);
    }
    return packet;
}

OwnFlow flow(const char* local, const char* remote, int protocol) {
    return {static_cast<std::uint8_t>(protocol), *Endpoint::parse(local), *Endpoint::parse(remote)};
}

}  // namespace

TEST_CASE("a flow knows its own packets, and none of another's") {
    for (const auto& own : {flow("192.0.2.1:40000", "198.51.100.1:443", IPPROTO_UDP),
                            flow("[2001:db8::1]:40000", "[2001:db8::2]:443", IPPROTO_TCP)}) {
        CAPTURE(own.local.text());
        CHECK(own.sent(packet_of(own)));
        CHECK_FALSE(own.sent(packet_of(own, true)));
        auto other = own;
        other.local.port = 40001;
        CHECK_FALSE(own.sent(packet_of(other)));
        other = own;
        other.remote.port = 80;
        CHECK_FALSE(own.sent(packet_of(other)));
        other = own;
        other.protocol = IPPROTO_ICMP;
        CHECK_FALSE(own.sent(packet_of(other)));
    }
}

TEST_CASE("a flow takes packets that are cut, and what is none, for another's") {
    const auto own = flow("192.0.2.1:40000", "198.51.100.1:443", IPPROTO_UDP);
    const auto whole = packet_of(own);
    for (std::size_t size = 0; size < 40; ++size)
        CHECK_FALSE(own.sent(ByteView(whole).first(size)));
    Bytes options = whole;
    options[0] = std::byte{0x4f};  // 60 bytes of header, and there are only 48
    CHECK_FALSE(own.sent(options));
    CHECK_FALSE(own.sent(Bytes(60)));
}

}  // namespace causeway::provider
