#include "causeway/tls/reason.h"

#include <algorithm>

namespace causeway::tls {
namespace {

struct ReasonRow {
    int reason;
    Tls code;
};

// Reasons that say more than the alert OpenSSL sends for them.
constexpr ReasonRow reason_rows[] = {
    {SSL_R_NO_SHARED_CIPHER, Tls::errSSLNegotiation},
    {SSL_R_UNSUPPORTED_PROTOCOL, Tls::errSSLNegotiation},
    {SSL_R_VERSION_TOO_LOW, Tls::errSSLNegotiation},
    {SSL_R_VERSION_TOO_HIGH, Tls::errSSLNegotiation},
    {SSL_R_WRONG_SSL_VERSION, Tls::errSSLNegotiation},
    {SSL_R_NO_APPLICATION_PROTOCOL, Tls::errSSLNegotiation},
    {SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED, Tls::errSSLNegotiation},
    {SSL_R_RENEGOTIATION_MISMATCH, Tls::errSSLNegotiation},
    {SSL_R_WRONG_VERSION_NUMBER, Tls::errSSLProtocol},
    {SSL_R_HTTP_REQUEST, Tls::errSSLProtocol},
    {SSL_R_HTTPS_PROXY_REQUEST, Tls::errSSLProtocol},
    {SSL_R_WRONG_CIPHER_RETURNED, Tls::errSSLBadCipherSuite},
    {SSL_R_UNKNOWN_CIPHER_RETURNED, Tls::errSSLBadCipherSuite},
    {SSL_R_OLD_SESSION_CIPHER_NOT_RETURNED, Tls::errSSLBadCipherSuite},
    {SSL_R_CIPHERSUITE_DIGEST_HAS_CHANGED, Tls::errSSLBadCipherSuite},
    {SSL_R_NO_SUITABLE_KEY_SHARE, Tls::errSSLHandshakeFail},
    {SSL_R_NO_SUITABLE_GROUPS, Tls::errSSLHandshakeFail},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, Tls::errSSLHandshakeFail},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, Tls::errSSLHandshakeFail},
    {SSL_R_NO_SHARED_GROUPS, Tls::errSSLHandshakeFail},
    {SSL_R_INCONSISTENT_EXTMS, Tls::errSSLHandshakeFail},
    {SSL_R_DATA_LENGTH_TOO_LONG, Tls::errSSLRecordOverflow},
    {SSL_R_ENCRYPTED_LENGTH_TOO_LONG, Tls::errSSLRecordOverflow},
    {SSL_R_PACKET_LENGTH_TOO_LONG, Tls::errSSLRecordOverflow},
    {SSL_R_BAD_RECORD_TYPE, Tls::errSSLUnexpectedRecord},
    {SSL_R_DH_KEY_TOO_SMALL, Tls::errSSLWeakPeerEphemeralDHKey},
    {SSL_R_BAD_DH_VALUE, Tls::errSSLProtocol},
    {SSL_R_UNSOLICITED_EXTENSION, Tls::errSSLUnsupportedExtension},
    {SSL_R_INVALID_COMPRESSION_ALGORITHM, Tls::errSSLDecompressFail},
    {SSL_R_UNSUPPORTED_COMPRESSION_ALGORITHM, Tls::errSSLDecompressFail},
    {SSL_R_COMPRESSION_DISABLED, Tls::errSSLDecompressFail},
    {SSL_R_BAD_DECOMPRESSION, Tls::errSSLDecompressFail},
    {SSL_R_INAPPROPRIATE_FALLBACK, Tls::errSSLInappropriateFallback},
    {SSL_R_MISSING_SIGALGS_EXTENSION, Tls::errSSLMissingExtension},
    {SSL_R_MISSING_SUPPORTED_GROUPS_EXTENSION, Tls::errSSLMissingExtension},
    {SSL_R_MISSING_PSK_KEX_MODES_EXTENSION, Tls::errSSLMissingExtension},
    {SSL_R_NO_COOKIE_CALLBACK_SET, Tls::errSSLInternal},
    {SSL_R_PSK_IDENTITY_NOT_FOUND, Tls::errSSLUnknownPSKIdentity},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, Tls::errSSLCertificateRequired},
    {SSL_R_UNABLE_TO_FIND_PUBLIC_KEY_PARAMETERS, Tls::errSSLBadCert},
    {SSL_R_UNKNOWN_CERTIFICATE_TYPE, Tls::errSSLBadCert},
    {SSL_R_NO_CERTIFICATES_RETURNED, Tls::errSSLXCertChainInvalid},
};

struct AlertRow {
    std::uint8_t alert;
    Tls code;
};

// What an alert of ours says about our finding. -9819..-9840 are the other side's findings, and so
// not among these.
constexpr AlertRow alert_rows[] = {
    {SSL_AD_UNEXPECTED_MESSAGE, Tls::errSSLUnexpectedMessage},
    {SSL_AD_BAD_RECORD_MAC, Tls::errSSLBadRecordMac},
    {SSL_AD_RECORD_OVERFLOW, Tls::errSSLRecordOverflow},
    {SSL_AD_DECOMPRESSION_FAILURE, Tls::errSSLDecompressFail},
    {SSL_AD_HANDSHAKE_FAILURE, Tls::errSSLHandshakeFail},
    {SSL_AD_BAD_CERTIFICATE, Tls::errSSLBadCert},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, Tls::errSSLBadCert},
    {SSL_AD_ILLEGAL_PARAMETER, Tls::errSSLProtocol},
    {SSL_AD_DECODE_ERROR, Tls::errSSLDecodeError},
    {SSL_AD_DECRYPT_ERROR, Tls::errSSLProtocol},
    {SSL_AD_PROTOCOL_VERSION, Tls::errSSLNegotiation},
    {SSL_AD_INSUFFICIENT_SECURITY, Tls::errSSLNegotiation},
    {SSL_AD_INAPPROPRIATE_FALLBACK, Tls::errSSLInappropriateFallback},
    {SSL_AD_MISSING_EXTENSION, Tls::errSSLMissingExtension},
    {SSL_AD_UNSUPPORTED_EXTENSION, Tls::errSSLUnsupportedExtension},
    {SSL_AD_UNRECOGNIZED_NAME, Tls::errSSLUnrecognizedName},
    {SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE, Tls::errSSLBadCertificateStatusResponse},
    {SSL_AD_UNKNOWN_PSK_IDENTITY, Tls::errSSLUnknownPSKIdentity},
    {SSL_AD_CERTIFICATE_REQUIRED, Tls::errSSLCertificateRequired},
    {SSL_AD_NO_APPLICATION_PROTOCOL, Tls::errSSLNegotiation},
};

bool is_cryptographic(const OpensslFault& fault) {
    switch (fault.library) {
        case ERR_LIB_EVP:
        case ERR_LIB_PROV:
        case ERR_LIB_RAND:
        case ERR_LIB_RSA:
        case ERR_LIB_EC:
        case ERR_LIB_DH:
        case ERR_LIB_CRYPTO: return true;
        default: return false;
    }
}

std::optional<Tls> code_of_reason(const OpensslFault& fault, bool is_aead) {
    if (fault.library != ERR_LIB_SSL) return std::nullopt;
    switch (fault.reason) {
        case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
        case SSL_R_DECRYPTION_FAILED:
        case SSL_R_LENGTH_TOO_SHORT:
            return is_aead ? Tls::errSSLDecryptionFail : Tls::errSSLBadRecordMac;
        default: break;
    }
    const auto row = std::ranges::find(reason_rows, fault.reason, &ReasonRow::reason);
    if (row == std::end(reason_rows)) return std::nullopt;
    return row->code;
}

}  // namespace

Tls code_of(const Trouble& trouble) {
    // The reason beside it is the one for a missing group too, which has another alert.
    if (trouble.alert_sent == SSL_AD_MISSING_EXTENSION) return Tls::errSSLMissingExtension;
    for (const auto& fault : trouble.faults)
        if (const auto code = code_of_reason(fault, trouble.is_aead)) return *code;
    if (trouble.alert_sent == SSL_AD_BAD_RECORD_MAC && trouble.is_aead)
        return Tls::errSSLDecryptionFail;
    if (trouble.alert_sent) {
        const auto row = std::ranges::find(alert_rows, *trouble.alert_sent, &AlertRow::alert);
        if (row != std::end(alert_rows)) return row->code;
    }
    return std::ranges::any_of(trouble.faults, is_cryptographic) ? Tls::errSSLCrypto
                                                                 : Tls::errSSLInternal;
}

std::string_view sentence_of(Tls code) {
    switch (code) {
        case Tls::errSSLProtocol: return "the other side broke a rule of TLS";
        case Tls::errSSLNegotiation:
            return "the two sides have no version, suite or protocol in common";
        case Tls::errSSLBadCipherSuite: return "the server chose a suite that was not offered";
        case Tls::errSSLBadCert: return "a certificate of the other side cannot be read or used";
        case Tls::errSSLXCertChainInvalid: return "the server showed no certificate";
        case Tls::errSSLCrypto: return "the cryptographic library failed an operation";
        case Tls::errSSLDecryptionFail:
            return "a record that came cannot be decrypted: it was changed on the way, or sealed "
                   "with another key";
        case Tls::errSSLBadRecordMac:
            return "a record that came has a wrong checksum: it was changed on the way, or sealed "
                   "with another key";
        case Tls::errSSLRecordOverflow: return "a record that came is longer than allowed";
        case Tls::errSSLUnexpectedRecord: return "a record of a type came that TLS does not know";
        case Tls::errSSLWeakPeerEphemeralDHKey:
            return "the server's Diffie-Hellman group is too small";
        case Tls::errSSLUnsupportedExtension:
            return "the other side sent an extension that nobody asked for";
        case Tls::errSSLUnexpectedMessage: return "a message came at a time when it may not";
        case Tls::errSSLDecompressFail:
            return "the other side wants compression, which is never offered";
        case Tls::errSSLHandshakeFail:
            return "the two sides have no key exchange or signature in common";
        case Tls::errSSLDecodeError: return "a message that came cannot be read";
        case Tls::errSSLInappropriateFallback:
            return "the handshake was pushed down to an older version than both sides know";
        case Tls::errSSLMissingExtension: return "an extension that is needed is missing";
        case Tls::errSSLBadCertificateStatusResponse:
            return "the status that came with the certificate cannot be used";
        case Tls::errSSLCertificateRequired: return "a certificate is required and none was shown";
        case Tls::errSSLUnknownPSKIdentity: return "nobody here knows that shared key";
        case Tls::errSSLUnrecognizedName:
            return "no certificate here is for the name that was asked for";
        default: return "the channel failed";
    }
}

std::string_view sentence_of(const Trouble& trouble) {
    const auto has = [&](int reason) {
        return std::ranges::any_of(trouble.faults, [&](const OpensslFault& fault) {
            return fault.library == ERR_LIB_SSL && fault.reason == reason;
        });
    };
    if (has(SSL_R_NO_SHARED_CIPHER)) return "the two sides have no cipher suite in common";
    if (has(SSL_R_UNSUPPORTED_PROTOCOL)) return "the two sides have no version of TLS in common";
    return sentence_of(code_of(trouble));
}

std::string_view message_name(std::uint8_t type) {
    switch (type) {
        case 0: return "hello request";
        case 1: return "client hello";
        case 2: return "server hello";
        case 4: return "session ticket";
        case 8: return "encrypted extensions";
        case 11: return "certificate";
        case 12: return "server key exchange";
        case 13: return "certificate request";
        case 14: return "server hello done";
        case 15: return "certificate verify";
        case 16: return "client key exchange";
        case 20: return "finished";
        case 22: return "certificate status";
        case 24: return "key update";
        default: return "unknown message";
    }
}

}  // namespace causeway::tls
