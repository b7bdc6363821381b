// Who we are to the other side: a certificate, the chain above it, and the private key.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/tls/certificate.h"

#include <memory>
#include <span>
#include <string_view>

namespace causeway::tls {

/// A certificate with its key, known to belong together. Cheap to copy; may be shared by threads.
class Identity {
public:
    /// `certificates`: PEM, our own first (any order is put right), then its issuers.
    /// `key`: PEM, encrypted or not; may be the same text.
    ///
    /// Fails with errSSLBadCert <- errSecDecode (not a certificate, not a key),
    /// errSSLConfigurationFailed <- errSecAuthFailed (key password wrong or missing), or
    /// errSSLBadConfiguration (no certificate belongs to the key).
    static Result<Identity> from_pem(std::string_view certificates, const Secret& key,
                                     const Secret& key_password = {});

    const CertificateInfo& certificate() const { return chain().front(); }
    /// Our own first.
    std::span<const CertificateInfo> chain() const;

    /// Fails with errSSLCertExpired or errSSLCertNotYetValid, with the trust reason underneath.
    Result<void> check_dates(WallTime now) const;
    /// Whether any issuer of the chain is among `acceptable` (names as in CertificateInfo). An
    /// empty list accepts all.
    bool is_issued_by_any(std::span<const std::string> acceptable) const;

    struct Parts;
    const Parts& parts() const { return *parts_; }

private:
    explicit Identity(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
    std::shared_ptr<const Parts> parts_;
};

}  // namespace causeway::tls
