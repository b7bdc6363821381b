// CSTP framing: packets in and out of the byte stream inside the TLS channel.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/error/error.h"
#include "causeway/protocol/limits.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace causeway::protocol {

enum class PacketType : std::uint8_t {
    data = 0,
    dpd_request = 3,
    dpd_response = 4,
    disconnect = 5,
    keepalive = 7,
    compressed = 8,
    terminate = 9,
};

struct CstpPacket {
    PacketType type;
    ByteView payload;
};

inline constexpr std::size_t cstp_header_size = 8;

/// The header in front of every payload:
///
///     byte   0    1    2    3    4      5     6     7
///            'S'  'T'  'F'  1    length (BE)  type  0
using CstpHeader = std::array<std::byte, cstp_header_size>;

CstpHeader cstp_header(PacketType type, std::size_t payload_size);

/// The first packet of `bytes`, or nothing when it is not there whole. The payload is a view into
/// `bytes`. Refuses a header as soon as its eight bytes are there.
///
/// Fails with errSSLDecodeError (not a CSTP header), errSSLProtocol (a type nobody defined, or a
/// compressed packet, which nobody negotiated) or errSSLRecordOverflow (a payload above the limit).
Result<std::optional<CstpPacket>> first_cstp_packet(ByteView bytes,
                                                    std::size_t payload_limit = cstp_payload_limit);

}  // namespace causeway::protocol
