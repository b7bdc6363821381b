// Whom to believe: trusted roots, pins, revocation lists.

#pragma once

#include "causeway/error/error.h"
#include "causeway/tls/certificate.h"

#include <string>
#include <string_view>
#include <vector>

namespace causeway::tls {

/// A pinned public key: the SHA-256 of a SubjectPublicKeyInfo.
struct Pin {
    Bytes sha256 = {};

    /// "pin-sha256:BASE64", "sha256:HEX", or either without its prefix. Fails with
    /// errSSLConfigurationFailed, naming the text.
    static Result<Pin> parse(std::string_view text);
    bool matches(const CertificateInfo& certificate) const;
    std::string text() const;  ///< "pin-sha256:…"
};

struct TrustRules {
    /// PEM. Trusted in place of the system's store; empty: the system's store.
    std::string authorities = {};
    bool system_store = true;  ///< Used while `authorities` is empty.
    /// Any one that matches the leaf suffices for its issuer and its name, never for its dates.
    /// When there are pins and none matches, nothing else suffices.
    std::vector<Pin> pins = {};
    /// PEM. When there is any, the leaf must be covered by a list that is still current; the
    /// certificates above it are looked up where a list covers them.
    std::string revocation_lists = {};
};

}  // namespace causeway::tls
