// What OpenSSL's results of a verification are as codes, and the sentences about them. Private to
// this layer.

#pragma once

#include "causeway/error/error.h"
#include "causeway/tls/certificate.h"
#include "causeway/tls/trust.h"

#include <optional>
#include <string>
#include <vector>

namespace causeway::tls {

struct X509Fault {
    Tls code;
    std::optional<Trust> reason;  ///< Nothing: the vocabulary has none.
    std::string_view what;        ///< Behind "the certificate of vpn.example.com".
};

X509Fault x509_fault(int x509);

/// The whole chain of causes for OpenSSL's result at that certificate. `trusted`: what counts as
/// trusted here.
Error x509_error(int x509, const CertificateInfo& certificate, int depth,
                 const std::string& trusted);
/// A rule of the policy that a certificate breaks.
Error policy_error(Tls code, Trust reason, int x509, std::string rule, std::string found,
                   std::string wanted, const CertificateInfo& certificate, int depth);
Error name_error(const CertificateInfo& leaf, const std::string& wanted, bool is_address);
Error pin_error(const CertificateInfo& leaf, const std::vector<Pin>& pins);

}  // namespace causeway::tls
