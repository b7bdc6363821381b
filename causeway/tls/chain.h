// Judging the other side's certificates: OpenSSL's verdict and our own walk beside it.
//
// OpenSSL stops at one number for a whole chain. Here every fault is collected, and the one that
// tells most is reported, in this order:
//
//     1  a pin was asked for and none matches
//     2  a certificate cannot be read, or its signature is wrong
//     3  revoked
//     4  no trusted root at the end
//     5  an issuer had no right to issue this, or the certificate is not for this use
//     6  dates, the leaf's first
//     7  the name
//     8  a revocation list that should be there and current is not
//     9  the policy: size of keys, then hashes
//
// So what is said about a certificate is said of one whose origin is known. The other faults are
// listed in the evidence `also`. Private to this layer.

#pragma once

#include "causeway/error/error.h"
#include "causeway/tls/openssl.h"
#include "causeway/tls/policy.h"
#include "causeway/tls/trust.h"

#include <optional>
#include <string>
#include <vector>

namespace causeway::tls {

struct ChainRules {
    const Policy& policy;
    const std::vector<Pin>& pins;
    bool checks_revocation = false;
    std::string peer_name;  ///< Host name or address literal; empty: names are not looked at.
    std::string trusted;    ///< What counts as trusted, for the evidence: "the system's store".
    WallTime now;
};

struct ChainVerdict {
    std::optional<Error> fault;
    int x509 = X509_V_OK;  ///< The result that makes OpenSSL send the alert for `fault`.
};

/// `store` as OpenSSL prepares it for a verification callback.
ChainVerdict judge_chain(X509_STORE_CTX* store, const ChainRules& rules);

}  // namespace causeway::tls
