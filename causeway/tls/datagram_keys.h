// The keys of a DTLS channel, derived once more from what OpenSSL agreed on, and what little is
// opened with them here: alerts. Private to this layer.

#pragma once

#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/tls/datagram.h"
#include "causeway/tls/datagram_record.h"
#include "causeway/tls/handshake_watch.h"
#include "causeway/tls/openssl.h"

#include <optional>

namespace causeway::tls {

/// The key block of RFC 5246 section 6.3, in the view of the side that `ssl` is. Only of a complete
/// handshake with an AEAD suite. The write numbers are left at zero. Fails with errSSLCrypto.
Result<TrafficKeys> derive_keys(SSL* ssl, bool is_server);

/// The plaintext of a record that came, if it is what the other side sealed.
std::optional<Bytes> open_record(const DatagramRecord& record, const TrafficKeys& keys);

}  // namespace causeway::tls
