// The dates of a certificate against a clock. Private to this layer.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/error/error.h"
#include "causeway/tls/certificate.h"

#include <optional>
#include <string>

namespace causeway::tls {

/// errSSLCertExpired or errSSLCertNotYetValid resting on the trust reason and the X.509 result,
/// with the dates and by how much the clock would have to be wrong. `depth`: 0 for the leaf.
std::optional<Error> date_fault(const CertificateInfo& certificate, int depth, WallTime now);

/// "the certificate of vpn.example.com", "the issuer's certificate CN=Some CA".
std::string called(const CertificateInfo& certificate, int depth);

}  // namespace causeway::tls
