// The records of TLS as they come from the wire, before OpenSSL sees them: where one ends, and
// whether this is TLS at all. Private to this layer.
//
//     byte   0      1        2        3      4      5 …
//            type   major=3  minor    length (BE)   payload

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/error/error.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace causeway::tls {

inline constexpr std::size_t record_header_size = 5;

enum class ContentType : std::uint8_t {
    change_cipher_spec = 20,
    alert = 21,
    handshake = 22,
    application_data = 23,
    heartbeat = 24,
};

struct RecordScan {
    std::size_t whole = 0;       ///< Bytes from the start that are whole records.
    std::optional<Error> fault;  ///< What is wrong with the header behind them.
};

/// Looks for whole records at the start of `bytes`. Faults: errSSLUnexpectedRecord (a type nobody
/// has defined), errSSLRecordOverflow (more announced than `limit`).
RecordScan scan_records(ByteView bytes, std::size_t limit);

/// How far the record at the start of `bytes` has come: "17 of 5 + 1200 bytes".
std::string how_far(ByteView bytes);

enum class Opening : std::uint8_t {
    tls,        ///< A record of TLS, or the start of one.
    undecided,  ///< Too little to tell, or more of a foreign text is worth waiting for.
    foreign,    ///< Something else: see `foreign_error`.
};

/// What the first bytes of a connection are. `is_all`: no more will come.
Opening opening_of(ByteView bytes, bool is_all);
/// Whether these first bytes can no longer become TLS.
bool is_foreign(ByteView bytes);

/// errSSLProtocol with what the other side seems to speak, as evidence `peer_speaks` (HTTP, SSH,
/// SSL 2, …), `first_bytes` and, where there are any, `http_status`, `location`, `banner`.
Error foreign_error(ByteView bytes);

}  // namespace causeway::tls
