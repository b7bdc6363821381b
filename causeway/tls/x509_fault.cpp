#include "causeway/tls/x509_fault.h"

#include "causeway/base/text.h"
#include "causeway/tls/openssl.h"
#include "causeway/tls/validity.h"

#include <fmt/format.h>

namespace causeway::tls {
namespace {

struct Row {
    int x509;
    X509Fault fault;
};

constexpr auto invalid_chain = Tls::errSSLXCertChainInvalid;

constexpr Row rows[] = {
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
     {Tls::errSSLNoRootCert, Trust::errSecCreateChainFailed,
      "was issued by somebody whose certificate is missing"}},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
     {Tls::errSSLNoRootCert, Trust::errSecCreateChainFailed,
      "was issued by somebody whose certificate is missing"}},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
     {Tls::errSSLNoRootCert, Trust::errSecCreateChainFailed,
      "was issued by somebody whose certificate is missing"}},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
     {Tls::errSSLUnknownRootCert, Trust::errSecNotTrusted,
      "is signed by itself and not trusted here"}},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
     {Tls::errSSLUnknownRootCert, Trust::errSecNotTrusted, "is a root that is not trusted here"}},
    {X509_V_ERR_CERT_UNTRUSTED,
     {Tls::errSSLUnknownRootCert, Trust::errSecNotTrusted, "is not trusted for this use here"}},
    {X509_V_ERR_CERT_REJECTED,
     {Tls::errSSLUnknownRootCert, Trust::errSecNotTrusted,
      "is marked as rejected for this use here"}},
    {X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,
     {Tls::errSSLBadCert, Trust::errSecDecode, "begins at a date that cannot be read"}},
    {X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD,
     {Tls::errSSLBadCert, Trust::errSecDecode, "ends at a date that cannot be read"}},
    {X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,
     {Tls::errSSLBadCert, Trust::errSecDecode, "holds a public key that cannot be read"}},
    {X509_V_ERR_NO_ISSUER_PUBLIC_KEY,
     {Tls::errSSLBadCert, Trust::errSecDecode, "holds no public key"}},
    {X509_V_ERR_INVALID_EXTENSION,
     {Tls::errSSLBadCert, Trust::errSecDecode, "has an extension that cannot be read"}},
    {X509_V_ERR_EC_KEY_EXPLICIT_PARAMS,
     {Tls::errSSLBadCert, Trust::errSecDecode, "holds a key on a curve without a name"}},
    {X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH,
     {Tls::errSSLBadCert, Trust::errSecDecode, "names two different signature algorithms"}},
    {X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY,
     {Tls::errSSLBadCert, Trust::errSecDecode, "names two different signature algorithms"}},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE,
     {invalid_chain, std::nullopt, "has a signature that is wrong"}},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE,
     {invalid_chain, std::nullopt, "has a signature that cannot be read"}},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG,
     {invalid_chain, Trust::errSecPathLengthConstraintExceeded,
      "stands on a chain that is too long"}},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED,
     {invalid_chain, Trust::errSecPathLengthConstraintExceeded,
      "has more authorities below it than it allows"}},
    {X509_V_ERR_INVALID_CA,
     {invalid_chain, Trust::errSecNoBasicConstraintsCA,
      "has issued another certificate without being an authority"}},
    {X509_V_ERR_INVALID_NON_CA,
     {invalid_chain, Trust::errSecCertificateIsCA, "is an authority where none may be"}},
    {X509_V_ERR_INVALID_PURPOSE,
     {invalid_chain, Trust::errSecInvalidExtendedKeyUsage, "is not for this use"}},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN,
     {invalid_chain, Trust::errSecInvalidKeyUsageForPolicy,
      "may not sign certificates and has signed one"}},
    {X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,
     {invalid_chain, Trust::errSecInvalidKeyUsageForPolicy,
      "may not sign revocation lists and has signed one"}},
    {X509_V_ERR_SUBJECT_ISSUER_MISMATCH,
     {invalid_chain, Trust::errSecInvalidIDLinkage, "does not fit its issuer's name"}},
    {X509_V_ERR_AKID_SKID_MISMATCH,
     {invalid_chain, Trust::errSecInvalidIDLinkage, "names another key of its issuer"}},
    {X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH,
     {invalid_chain, Trust::errSecInvalidIDLinkage, "names another certificate of its issuer"}},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION,
     {invalid_chain, Trust::errSecUnknownCriticalExtensionFlag,
      "has a critical extension that is not known here"}},
    {X509_V_ERR_PERMITTED_VIOLATION,
     {invalid_chain, Trust::errSecCertificateNameNotAllowed,
      "has a name that its issuer may not certify"}},
    {X509_V_ERR_EXCLUDED_VIOLATION,
     {invalid_chain, Trust::errSecCertificateNameNotAllowed,
      "has a name that its issuer must not certify"}},
    {X509_V_ERR_SUBTREE_MINMAX,
     {invalid_chain, Trust::errSecCertificateNameNotAllowed,
      "stands under name constraints that cannot be checked"}},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE,
     {invalid_chain, Trust::errSecCertificateNameNotAllowed,
      "stands under name constraints that cannot be checked"}},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX,
     {invalid_chain, Trust::errSecCertificateNameNotAllowed,
      "stands under name constraints that cannot be read"}},
    {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX,
     {invalid_chain, Trust::errSecCertificateNameNotAllowed, "has a name that cannot be checked"}},
    {X509_V_ERR_CERT_REVOKED, {invalid_chain, Trust::errSecCertificateRevoked, "has been revoked"}},
    {X509_V_ERR_UNABLE_TO_GET_CRL,
     {invalid_chain, Trust::errSecCRLNotFound, "is covered by none of the revocation lists"}},
    {X509_V_ERR_CRL_HAS_EXPIRED,
     {invalid_chain, Trust::errSecCRLExpired,
      "is covered only by a revocation list that is out of date"}},
    {X509_V_ERR_CRL_NOT_YET_VALID,
     {invalid_chain, Trust::errSecIncompleteCertRevocationCheck,
      "is covered only by a revocation list from the future"}},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE,
     {invalid_chain, Trust::errSecIncompleteCertRevocationCheck,
      "is covered by a revocation list whose signature is wrong"}},
    {X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER,
     {invalid_chain, Trust::errSecIncompleteCertRevocationCheck,
      "is covered by a revocation list whose issuer is missing"}},
};

Error x509_fact(int x509) {
    return Error{Code::raw(Domain::x509, x509), X509_verify_cert_error_string(x509)};
}

Error about(const CertificateInfo& certificate, int depth, Error error) {
    return std::move(error)
        .with("depth", std::to_string(depth))
        .with("subject", certificate.subject)
        .with("issuer", certificate.issuer);
}

}  // namespace

X509Fault x509_fault(int x509) {
    for (const auto& row : rows)
        if (row.x509 == x509) return row.fault;
    return {invalid_chain, std::nullopt, "does not pass verification"};
}

Error x509_error(int x509, const CertificateInfo& certificate, int depth,
                 const std::string& trusted) {
    const auto fault = x509_fault(x509);
    auto error =
        about(certificate, depth,
              Error{fault.code, fmt::format("{} {}", called(certificate, depth), fault.what)})
            .with("not_before", iso8601(certificate.not_before))
            .with("not_after", iso8601(certificate.not_after));
    const bool is_of_trust =
        fault.code == Tls::errSSLUnknownRootCert || fault.code == Tls::errSSLNoRootCert;
    if (is_of_trust) error.with("trusted", trusted);
    if (!fault.reason) return std::move(error).because(x509_fact(x509));
    return std::move(error).because(Error{*fault.reason, {}}.because(x509_fact(x509)));
}

Error policy_error(Tls code, Trust reason, int x509, std::string rule, std::string found,
                   std::string wanted, const CertificateInfo& certificate, int depth) {
    auto detail = fmt::format("{}: {} is {}, and {} or better is wanted",
                              called(certificate, depth), rule, found, wanted);
    return about(certificate, depth, Error{code, std::move(detail)})
        .with("rule", std::move(rule))
        .with("found", std::move(found))
        .with("wanted", std::move(wanted))
        .because(Error{reason, {}}.because(x509_fact(x509)));
}

Error name_error(const CertificateInfo& leaf, const std::string& wanted, bool is_address) {
    auto detail = leaf.names() == "none"
                      ? fmt::format("the certificate {} names no host at all, so not {}",
                                    leaf.subject, wanted)
                      : fmt::format("the certificate is for {}, not for {}{}", leaf.names(),
                                    is_address ? "the address " : "", wanted);
    const int x509 = is_address ? X509_V_ERR_IP_ADDRESS_MISMATCH : X509_V_ERR_HOSTNAME_MISMATCH;
    return about(leaf, 0, Error{Tls::errSSLHostNameMismatch, std::move(detail)})
        .with("wanted", wanted)
        .because(Error{Trust::errSecHostNameMismatch, {}}.because(x509_fact(x509)));
}

Error pin_error(const CertificateInfo& leaf, const std::vector<Pin>& pins) {
    std::vector<std::string> wanted;
    wanted.reserve(pins.size());
    for (const auto& pin : pins) wanted.push_back(pin.text());
    return about(leaf, 0,
                 Error{Tls::errSSLATSCertificateTrustViolation,
                       fmt::format("{} has the key {}, and another is pinned", called(leaf, 0),
                                   leaf.pin)})
        .with("rule", "pinned key")
        .with("found", leaf.pin)
        .with("wanted", join(wanted, " or "))
        .because(Error{Trust::errSecNotTrusted, {}});
}

}  // namespace causeway::tls
