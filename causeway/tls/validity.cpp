#include "causeway/tls/validity.h"

#include "causeway/tls/openssl.h"

#include <fmt/format.h>

namespace causeway::tls {
namespace {

Error date_error(Tls code, Trust reason, int x509, std::string detail,
                 const CertificateInfo& certificate, int depth, WallTime now) {
    const bool is_expired = code == Tls::errSSLCertExpired;
    const auto off = is_expired ? now - certificate.not_after : certificate.not_before - now;
    return Error{code, std::move(detail)}
        .with("depth", std::to_string(depth))
        .with("subject", certificate.subject)
        .with("issuer", certificate.issuer)
        .with("not_before", iso8601(certificate.not_before))
        .with("not_after", iso8601(certificate.not_after))
        .with("clock", iso8601(now))
        .with("clock_would_have_to_be_off", spoken(off) + (is_expired ? " ahead" : " behind"))
        .because(Error{reason, {}}.because(
            Error{Code::raw(Domain::x509, x509), X509_verify_cert_error_string(x509)}));
}

}  // namespace

std::string called(const CertificateInfo& certificate, int depth) {
    if (depth > 0) return "the issuer's certificate " + certificate.subject;
    if (!certificate.dns_names.empty()) return "the certificate of " + certificate.dns_names[0];
    return "the certificate " + certificate.subject;
}

std::optional<Error> date_fault(const CertificateInfo& certificate, int depth, WallTime now) {
    if (now > certificate.not_after)
        return date_error(Tls::errSSLCertExpired, Trust::errSecCertificateExpired,
                          X509_V_ERR_CERT_HAS_EXPIRED,
                          fmt::format("{} expired {} ago", called(certificate, depth),
                                      spoken(now - certificate.not_after)),
                          certificate, depth, now);
    if (now < certificate.not_before)
        return date_error(Tls::errSSLCertNotYetValid, Trust::errSecCertificateNotValidYet,
                          X509_V_ERR_CERT_NOT_YET_VALID,
                          fmt::format("{} will be valid in {}", called(certificate, depth),
                                      spoken(certificate.not_before - now)),
                          certificate, depth, now);
    return std::nullopt;
}

}  // namespace causeway::tls
