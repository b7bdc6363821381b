// A maker of certificates for tests: right ones and every kind of wrong one, made with OpenSSL.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/base/secret.h"
#include "causeway/tls/openssl.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway::test {

/// The time at which certificates of tests are looked at: fixed, so that no test ages.
inline constexpr WallTime test_now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 20}};

struct CertificatePlan {
    /// Short names and values: {"CN", "vpn.example.com"}, {"OU", "staff"}.
    std::vector<std::pair<std::string, std::string>> subject = {};
    /// As in OpenSSL's configuration: {"subjectAltName", "DNS:a.example,IP:192.0.2.1"},
    /// {"basicConstraints", "critical,CA:TRUE,pathlen:0"}, {"1.2.3.4", "critical,ASN1:NULL"}.
    std::vector<std::pair<std::string, std::string>> extensions = {};
    std::string key = "P-256";  ///< "P-224", "RSA-1024", "RSA-2048", "ED25519", …
    std::string hash = "SHA256";
    WallTime not_before = test_now - std::chrono::days(30);
    WallTime not_after = test_now + std::chrono::days(30);
    bool is_signature_wrong = false;
};

struct Issued {
    std::shared_ptr<X509> certificate;
    std::shared_ptr<EVP_PKEY> key;

    std::string pem() const;
    Secret key_pem() const;
    Secret encrypted_key_pem(std::string_view password) const;
};

std::shared_ptr<EVP_PKEY> make_key(std::string_view kind);
/// Signed by itself.
Issued self_signed(const CertificatePlan& plan);
Issued issue(const CertificatePlan& plan, const Issued& issuer);
/// A revocation list in PEM.
std::string revocation_list(const Issued& issuer, const std::vector<const Issued*>& revoked,
                            WallTime next_update = test_now + std::chrono::days(7));

CertificatePlan authority_plan(std::string name);
CertificatePlan server_plan(std::string dns_name);
CertificatePlan client_plan(std::string user);

}  // namespace causeway::test
