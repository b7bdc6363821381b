#include "causeway/datapath/icmp_too_big.h"

#include "causeway/base/address.h"
#include "causeway/datapath/checksum.h"
#include "causeway/datapath/packet_layout.h"

#include <algorithm>

namespace causeway::datapath {
namespace {

constexpr std::size_t icmp_header_size = 8;
constexpr std::size_t ipv4_answer_limit = 576;
constexpr std::uint8_t icmp = 1;
constexpr std::uint8_t icmpv6 = 58;
constexpr std::byte hops{64};

/// RFC 792 and RFC 1122: everything but questions and their answers is an error.
bool is_error_v4(std::byte type) {
    switch (std::to_integer<unsigned>(type)) {
        case 0:
        case 8:
        case 13:
        case 14: return false;
        default: return true;
    }
}

bool is_icmp_error(ByteView packet, const PacketLayout& layout) {
    if (layout.protocol != (layout.is_v4 ? icmp : icmpv6)) return false;
    if (layout.transport >= packet.size()) return true;
    const std::byte type = packet[layout.transport];
    // RFC 4443 section 2.1: the upper half of the types is informational.
    return layout.is_v4 ? is_error_v4(type) : std::to_integer<unsigned>(type) < 128;
}

bool is_one(const IpAddress& address) {
    if (address.is_multicast() || address.is_unspecified()) return false;
    return !address.is_v4() ||
           !std::ranges::all_of(address.bytes(), [](std::byte b) { return b == std::byte{0xff}; });
}

void write_v4_header(std::span<std::byte> answer, ByteView packet) {
    std::ranges::fill(answer.first(ipv4_header_size), std::byte{0});
    answer[0] = std::byte{0x45};
    write_16(answer.subspan(2), answer.size());
    answer[8] = hops;
    answer[9] = std::byte{icmp};
    std::ranges::copy(packet.subspan(16, 4), answer.subspan(12).begin());
    std::ranges::copy(packet.subspan(12, 4), answer.subspan(16).begin());
    write_header_checksum(answer.first(ipv4_header_size));
}

void write_v6_header(std::span<std::byte> answer, ByteView packet) {
    std::ranges::fill(answer.first(8), std::byte{0});
    answer[0] = std::byte{0x60};
    write_16(answer.subspan(4), answer.size() - ipv6_header_size);
    answer[6] = std::byte{icmpv6};
    answer[7] = hops;
    std::ranges::copy(packet.subspan(24, 16), answer.subspan(8).begin());
    std::ranges::copy(packet.subspan(8, 16), answer.subspan(24).begin());
}

}  // namespace

std::size_t write_icmp_too_big(ByteView packet, std::size_t mtu,
                               std::span<std::byte, icmp_too_big_limit> to) {
    const auto layout = layout_of(packet);
    if (!layout || is_icmp_error(packet, *layout) || layout->is_later_fragment) return 0;
    const auto addresses = layout->addresses(packet);
    const std::size_t half = addresses.size() / 2;
    if (!is_one(*IpAddress::from_bytes(addresses.first(half))) ||
        !is_one(*IpAddress::from_bytes(addresses.last(half))))
        return 0;

    const std::size_t header_size = layout->is_v4 ? ipv4_header_size : ipv6_header_size;
    const std::size_t limit = layout->is_v4 ? ipv4_answer_limit : icmp_too_big_limit;
    const auto quoted =
        packet.first(std::min(layout->length, limit - header_size - icmp_header_size));
    const auto answer = to.first(header_size + icmp_header_size + quoted.size());
    const auto message = answer.subspan(header_size);
    std::ranges::fill(message.first(icmp_header_size), std::byte{0});
    std::ranges::copy(quoted, message.subspan(icmp_header_size).begin());
    std::uint16_t pseudo = 0;
    if (layout->is_v4) {
        write_v4_header(answer, packet);
        message[0] = std::byte{3};
        message[1] = std::byte{4};
        write_16(message.subspan(6), std::min<std::size_t>(mtu, 0xffff));
    } else {
        write_v6_header(answer, packet);
        message[0] = std::byte{2};
        write_32(message.subspan(4), static_cast<std::uint32_t>(mtu));
        pseudo = add_sums(pseudo_header_sum(answer.subspan(8, 32), icmpv6),
                          static_cast<std::uint16_t>(message.size()));
    }
    write_16(message.subspan(2),
             static_cast<std::uint16_t>(~add_sums(pseudo, internet_sum(message))));
    return answer.size();
}

}  // namespace causeway::datapath
