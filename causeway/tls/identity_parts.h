// What an identity is made of. Private to this layer.

#pragma once

#include "causeway/tls/identity.h"
#include "causeway/tls/openssl.h"

#include <vector>

namespace causeway::tls {

struct Identity::Parts {
    std::vector<CertificatePtr> certificates;  ///< Our own first, then its issuers in order.
    KeyPtr key;
    std::vector<CertificateInfo> infos;  ///< The same certificates.
};

/// Puts the identity into a context or a connection. Whether OpenSSL takes it; else its queue says
/// why not.
bool install(const Identity& identity, SSL_CTX* context);
bool install(const Identity& identity, SSL* connection);

}  // namespace causeway::tls
