// What a certificate says, read once, in terms that need no library to look at.

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/bytes.h"
#include "causeway/base/clock.h"
#include "causeway/error/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace causeway::tls {

struct CertificateInfo {
    std::string subject;  ///< "CN=vpn.example.com,O=Example", as RFC 2253 writes names, in UTF-8.
    std::string issuer;
    std::vector<std::string> dns_names;   ///< From the subject alternative name, as they are there.
    std::vector<IpAddress> addresses;     ///< The same.
    std::vector<std::string> mail_names;  ///< The same.
    WallTime not_before;
    WallTime not_after;
    std::string serial;              ///< Lower-case hexadecimal.
    std::string fingerprint_sha256;  ///< Of the whole certificate, lower-case hexadecimal.
    std::string pin;                 ///< "pin-sha256:…": of its public key, as `--pin` takes it.
    std::string key_type;            ///< "RSA", "EC", "ED25519", …
    int key_bits = 0;
    std::string signature_hash;  ///< "SHA256"; empty where the signature names none (Ed25519).
    bool is_authority = false;
    bool is_self_issued = false;  ///< Subject and issuer are the same name.
    Bytes der;

    /// Fails with errSSLBadCert <- errSecDecode.
    static Result<CertificateInfo> from_der(ByteView der);
    /// The first certificate of a PEM text. Fails as `from_der` does.
    static Result<CertificateInfo> from_pem(std::string_view pem);

    /// All DNS names and addresses as one list, for people; "none" when there is none.
    std::string names() const;

    /// The values of one attribute, in the order of the certificate: of the subject by short name
    /// ("CN", "UID", "OU") or by dotted number ("2.5.4.3"), of the subject alternative name by
    /// "SAN:email", "SAN:dns" or "SAN:upn". Empty when it has none or the name is not known.
    std::vector<std::string> attribute(std::string_view key) const;
    /// Whether `attribute` knows that name.
    static bool is_attribute(std::string_view key);
};

/// All certificates of a PEM text, at most `certificate_limit`. Fails with errSSLBadCert <-
/// errSecDecode when there is none or one of them cannot be read.
Result<std::vector<CertificateInfo>> read_certificates(std::string_view pem);

}  // namespace causeway::tls
