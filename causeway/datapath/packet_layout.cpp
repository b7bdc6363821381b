#include "causeway/datapath/packet_layout.h"

#include "causeway/datapath/limits.h"

namespace causeway::datapath {
namespace {

constexpr auto malformed = std::unexpected(Drop::malformed);

// IPv6 extension headers that others may follow (IANA, "IPv6 Extension Header Types").
constexpr std::uint8_t hop_by_hop = 0;
constexpr std::uint8_t routing = 43;
constexpr std::uint8_t fragment = 44;
constexpr std::uint8_t authentication = 51;
constexpr std::uint8_t destination_options = 60;
constexpr std::uint8_t mobility = 135;
constexpr std::uint8_t host_identity = 139;
constexpr std::uint8_t shim6 = 140;

std::uint8_t number(std::byte byte) { return std::to_integer<std::uint8_t>(byte); }

/// How long the extension header is that begins `bytes`; 0 for what is none, or is cut.
std::size_t extension_size(std::uint8_t kind, ByteView bytes) {
    if (bytes.size() < 8) return 0;
    std::size_t size = 0;
    switch (kind) {
        case hop_by_hop:
        case routing:
        case destination_options:
        case mobility:
        case host_identity:
        case shim6: size = (std::size_t{number(bytes[1])} + 1) * 8; break;
        case fragment: size = 8; break;
        // RFC 4302 section 2.2: in words of 4 bytes, minus 2.
        case authentication: size = (std::size_t{number(bytes[1])} + 2) * 4; break;
        default: return 0;
    }
    return size <= bytes.size() ? size : 0;
}

std::expected<PacketLayout, Drop> layout_of_v4(ByteView bytes) {
    if (bytes.size() < ipv4_header_size) return malformed;
    PacketLayout layout;
    layout.transport = (std::size_t{number(bytes[0])} & 0x0f) * 4;
    layout.length = big_endian_16(bytes.subspan(2, 2));
    if (layout.transport < ipv4_header_size || layout.length < layout.transport ||
        layout.length > bytes.size())
        return malformed;
    layout.protocol = number(bytes[9]);
    layout.is_fragment = (big_endian_16(bytes.subspan(6, 2)) & 0x3fff) != 0;
    layout.is_later_fragment = (big_endian_16(bytes.subspan(6, 2)) & 0x1fff) != 0;
    return layout;
}

std::expected<PacketLayout, Drop> layout_of_v6(ByteView bytes) {
    if (bytes.size() < ipv6_header_size) return malformed;
    PacketLayout layout;
    layout.is_v4 = false;
    layout.length = ipv6_header_size + big_endian_16(bytes.subspan(4, 2));
    if (layout.length > bytes.size()) return malformed;
    layout.protocol = number(bytes[6]);
    layout.transport = ipv6_header_size;
    for (int i = 0; i < extension_header_limit; ++i) {
        const auto rest = bytes.subspan(layout.transport, layout.length - layout.transport);
        const std::size_t size = extension_size(layout.protocol, rest);
        if (size == 0) break;
        if (layout.protocol == fragment) {
            layout.is_fragment = true;
            layout.is_later_fragment = (big_endian_16(rest.subspan(2, 2)) & 0xfff8) != 0;
        }
        layout.protocol = number(rest[0]);
        layout.transport += size;
    }
    return layout;
}

}  // namespace

std::expected<PacketLayout, Drop> layout_of(ByteView bytes) {
    if (bytes.empty()) return malformed;
    switch (number(bytes[0]) >> 4) {
        case 4: return layout_of_v4(bytes);
        case 6: return layout_of_v6(bytes);
        default: return malformed;
    }
}

}  // namespace causeway::datapath
