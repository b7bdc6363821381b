// How a client of ours tells a gateway of ours that its address has changed: a record with the
// session's name in front of it, so that no session has to be searched for.
//
//     byte   0    1 ... 8          9 ...
//            'W'  connection id    a DTLS record (a DPD request)
//
// 'W' is none of DTLS's content types. The name is not secret and proves nothing; the record does:
// the session moves when it is authentic and newer than all before it.

#pragma once

#include "causeway/base/bytes.h"

#include <array>
#include <cstddef>
#include <optional>

namespace causeway::protocol {

inline constexpr std::byte moving_mark{'W'};
inline constexpr std::size_t connection_id_size = 8;
inline constexpr std::size_t moving_header_size = 1 + connection_id_size;

/// Views into the datagram.
struct MovingDatagram {
    ByteView connection_id;
    ByteView record;
};

/// Nothing when it is not such a datagram, or has no record.
std::optional<MovingDatagram> read_moving_datagram(ByteView datagram);

/// What stands in front of the record. `connection_id` has `connection_id_size` bytes.
std::array<std::byte, moving_header_size> moving_header(ByteView connection_id);

}  // namespace causeway::protocol
