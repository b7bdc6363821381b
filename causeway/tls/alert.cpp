#include "causeway/tls/alert.h"

#include <algorithm>
#include <array>

namespace causeway::tls {
namespace {

struct Row {
    std::uint8_t number;
    std::string_view name;
    Tls code;  ///< When it ends the connection.
};

// The numbers that have a name (the IANA registry of TLS alerts). Those with errSSLFatalAlert have
// no code of their own.
constexpr auto rows = std::to_array<Row>({
    {0, "close_notify", Tls::errSSLFatalAlert},
    {10, "unexpected_message", Tls::errSSLPeerUnexpectedMsg},
    {20, "bad_record_mac", Tls::errSSLPeerBadRecordMac},
    {21, "decryption_failed", Tls::errSSLPeerDecryptionFail},
    {22, "record_overflow", Tls::errSSLPeerRecordOverflow},
    {30, "decompression_failure", Tls::errSSLPeerDecompressFail},
    {40, "handshake_failure", Tls::errSSLPeerHandshakeFail},
    {41, "no_certificate", Tls::errSSLFatalAlert},
    {42, "bad_certificate", Tls::errSSLPeerBadCert},
    {43, "unsupported_certificate", Tls::errSSLPeerUnsupportedCert},
    {44, "certificate_revoked", Tls::errSSLPeerCertRevoked},
    {45, "certificate_expired", Tls::errSSLPeerCertExpired},
    {46, "certificate_unknown", Tls::errSSLPeerCertUnknown},
    {47, "illegal_parameter", Tls::errSSLIllegalParam},
    {48, "unknown_ca", Tls::errSSLPeerUnknownCA},
    {49, "access_denied", Tls::errSSLPeerAccessDenied},
    {50, "decode_error", Tls::errSSLPeerDecodeError},
    {51, "decrypt_error", Tls::errSSLPeerDecryptError},
    {52, "too_many_cids_requested", Tls::errSSLFatalAlert},
    {60, "export_restriction", Tls::errSSLPeerExportRestriction},
    {70, "protocol_version", Tls::errSSLPeerProtocolVersion},
    {71, "insufficient_security", Tls::errSSLPeerInsufficientSecurity},
    {80, "internal_error", Tls::errSSLPeerInternalError},
    {86, "inappropriate_fallback", Tls::errSSLInappropriateFallback},
    {90, "user_canceled", Tls::errSSLPeerUserCancelled},
    {100, "no_renegotiation", Tls::errSSLPeerNoRenegotiation},
    {109, "missing_extension", Tls::errSSLMissingExtension},
    {110, "unsupported_extension", Tls::errSSLUnsupportedExtension},
    {111, "certificate_unobtainable", Tls::errSSLFatalAlert},
    {112, "unrecognized_name", Tls::errSSLUnrecognizedName},
    {113, "bad_certificate_status_response", Tls::errSSLBadCertificateStatusResponse},
    {114, "bad_certificate_hash_value", Tls::errSSLFatalAlert},
    {115, "unknown_psk_identity", Tls::errSSLUnknownPSKIdentity},
    {116, "certificate_required", Tls::errSSLCertificateRequired},
    {120, "no_application_protocol", Tls::errSSLFatalAlert},
    {121, "ech_required", Tls::errSSLFatalAlert},
});

const Row* find(std::uint8_t number) {
    const auto found = std::ranges::find(rows, number, &Row::number);
    return found == rows.end() ? nullptr : &*found;
}

}  // namespace

std::string_view alert_name(std::uint8_t number) {
    const Row* row = find(number);
    return row ? row->name : "unassigned";
}

std::optional<Tls> code_of_alert(std::uint8_t number, std::uint8_t level, Version version) {
    const bool is_level_known = level == alert_level_warning || level == alert_level_fatal;
    if (version >= Version::tls_1_3) {
        // RFC 8446 section 6: "the alert level ... can safely be ignored"; close_notify closes at
        // any level and all others but user_canceled are fatal.
        if (number == 0) return Tls::errSSLClosedGraceful;
    } else if (!is_level_known) {
        return Tls::errSSLProtocol;
    } else if (level == alert_level_warning) {
        if (number == 0) return Tls::errSSLClosedGraceful;
        if (number == 90) return Tls::errSSLPeerUserCancelled;
        if (number == 100) return Tls::errSSLPeerNoRenegotiation;
        return std::nullopt;
    }
    const Row* row = find(number);
    return row ? row->code : Tls::errSSLFatalAlert;
}

}  // namespace causeway::tls
