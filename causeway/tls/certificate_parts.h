// Between OpenSSL's certificates and ours. Private to this layer.

#pragma once

#include "causeway/error/error.h"
#include "causeway/tls/certificate.h"
#include "causeway/tls/openssl.h"

#include <string_view>
#include <vector>

namespace causeway::tls {

CertificateInfo info_of(const X509* certificate);
/// Nothing unless `der` is exactly one certificate; the reason is in OpenSSL's queue.
CertificatePtr parse_certificate(ByteView der);
/// At least one. Fails as `read_certificates` does.
Result<std::vector<CertificatePtr>> parse_certificates(std::string_view pem);

}  // namespace causeway::tls
