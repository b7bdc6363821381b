// What a gateway has to know of a client's first datagram before it knows whose it is.

#pragma once

#include "causeway/base/bytes.h"

#include <optional>

namespace causeway::tls {

/// The parts of a DTLS ClientHello that name its session. The views are into the datagram.
struct ClientHelloParts {
    ByteView random;      ///< 32 bytes.
    ByteView session_id;  ///< 0 to 32 bytes.
    /// X-DTLS-App-ID as the client sends it back: the extension 48018 where there is one, else the
    /// session_id. Also what X-DTLS-Session-ID names. May be empty.
    ByteView app_id;
    ByteView cookie;  ///< Of a HelloVerifyRequest; empty when there was none.
};

/// Reads the hello that begins the datagram (RFC 6347 section 4.2); nothing when it begins with
/// anything else, when the hello is cut into fragments (none that names a session needs that), or
/// when it breaks its own lengths.
std::optional<ClientHelloParts> client_hello(ByteView datagram);

}  // namespace causeway::tls
