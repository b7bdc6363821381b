// What a context is made of. Private to this layer.

#pragma once

#include "causeway/tls/context.h"
#include "causeway/tls/openssl.h"

#include <string>
#include <vector>

namespace causeway::tls {

struct Context::Parts {
    ContextPtr context;
    bool is_server = false;
    Policy policy;
    TrustRules trust;     ///< Its texts are emptied once they are read.
    std::string trusted;  ///< What counts as trusted, in words.
    bool checks_revocation = false;
    std::chrono::milliseconds handshake_limit{};
    Bytes protocols;  ///< ALPN as on the wire: each with its length in front.
    // Server only.
    std::vector<Identity> identities;
    bool refuse_unknown_names = false;
    ClientCertificate client_certificate = ClientCertificate::none;
    Refusal refusal = Refusal::words;
    std::optional<std::chrono::milliseconds> renegotiation_interval;
};

}  // namespace causeway::tls
