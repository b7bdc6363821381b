#include "causeway/datapath/ip_header.h"

namespace causeway::datapath {
namespace {

constexpr auto malformed = std::unexpected(Drop::malformed);
constexpr std::size_t v4_header = 20;
constexpr std::size_t v6_header = 40;

std::expected<IpHeader, Drop> parse_v4(ByteView bytes) {
    if (bytes.size() < v4_header) return malformed;
    const std::size_t header_size = (std::to_integer<std::size_t>(bytes[0]) & 0x0f) * 4;
    const std::size_t length = big_endian_16(bytes.subspan(2, 2));
    if (header_size < v4_header || length < header_size || length > bytes.size()) return malformed;
    return IpHeader{*IpAddress::from_bytes(bytes.subspan(12, 4)),
                    *IpAddress::from_bytes(bytes.subspan(16, 4)),
                    std::to_integer<std::uint8_t>(bytes[9]), header_size, length};
}

std::expected<IpHeader, Drop> parse_v6(ByteView bytes) {
    if (bytes.size() < v6_header) return malformed;
    const std::size_t length = v6_header + big_endian_16(bytes.subspan(4, 2));
    if (length > bytes.size()) return malformed;
    return IpHeader{*IpAddress::from_bytes(bytes.subspan(8, 16)),
                    *IpAddress::from_bytes(bytes.subspan(24, 16)),
                    std::to_integer<std::uint8_t>(bytes[6]), v6_header, length};
}

}  // namespace

std::expected<IpHeader, Drop> parse_ip_header(ByteView bytes) {
    if (bytes.empty()) return malformed;
    switch (std::to_integer<unsigned>(bytes[0]) >> 4) {
        case 4: return parse_v4(bytes);
        case 6: return parse_v6(bytes);
        default: return malformed;
    }
}

}  // namespace causeway::datapath
