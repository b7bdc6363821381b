#include "causeway/protocol/cstp_frame.h"

#include <fmt/format.h>

#include <algorithm>

namespace causeway::protocol {
namespace {

constexpr std::array magic{std::byte{'S'}, std::byte{'T'}, std::byte{'F'}, std::byte{1}};

bool is_spoken(PacketType type) {
    switch (type) {
        case PacketType::data:
        case PacketType::dpd_request:
        case PacketType::dpd_response:
        case PacketType::disconnect:
        case PacketType::keepalive:
        case PacketType::terminate: return true;
        case PacketType::compressed: break;
    }
    return false;
}

std::unexpected<Error> refuse_type(PacketType type, ByteView head) {
    if (type == PacketType::compressed)
        return fail(Tls::errSSLProtocol,
                    "a compressed CSTP packet, and nobody agreed on compression: " + hex(head));
    return fail(Tls::errSSLProtocol, "unknown CSTP packet type: " + hex(head));
}

}  // namespace

CstpHeader cstp_header(PacketType type, std::size_t payload_size) {
    return {magic[0],
            magic[1],
            magic[2],
            magic[3],
            static_cast<std::byte>(payload_size >> 8 & 0xff),
            static_cast<std::byte>(payload_size & 0xff),
            static_cast<std::byte>(type),
            std::byte{0}};
}

Result<std::optional<CstpPacket>> first_cstp_packet(ByteView bytes, std::size_t payload_limit) {
    if (bytes.size() < cstp_header_size) return std::nullopt;
    const auto head = bytes.first<cstp_header_size>();
    const auto type = static_cast<PacketType>(head[6]);
    const std::size_t size = big_endian_16(head.subspan<4, 2>());

    if (!std::ranges::equal(head.first<4>(), magic) || head[7] != std::byte{0})
        return fail(Tls::errSSLDecodeError, "not a CSTP header: " + hex(head));
    if (!is_spoken(type)) return refuse_type(type, head);
    if (size > payload_limit)
        return fail(Tls::errSSLRecordOverflow,
                    fmt::format("a CSTP payload of {} bytes, limit {}", size, payload_limit),
                    {{"limit", std::to_string(payload_limit)}});
    if (bytes.size() < cstp_header_size + size) return std::nullopt;
    return CstpPacket{type, bytes.subspan(cstp_header_size, size)};
}

}  // namespace causeway::protocol
