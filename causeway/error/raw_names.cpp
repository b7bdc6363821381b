// The names that RFC 8446, RFC 5246, RFC 9110, the DNS and OpenSSL's verifier give to raw facts.

#include "causeway/error/raw_names.h"

#include "causeway/error/codes.h"

#include <utility>

namespace causeway {

std::string_view alert_name(std::int32_t number) {
    switch (number) {
        case 0: return "close_notify";
        case 10: return "unexpected_message";
        case 20: return "bad_record_mac";
        case 21: return "decryption_failed";
        case 22: return "record_overflow";
        case 30: return "decompression_failure";
        case 40: return "handshake_failure";
        case 41: return "no_certificate";
        case 42: return "bad_certificate";
        case 43: return "unsupported_certificate";
        case 44: return "certificate_revoked";
        case 45: return "certificate_expired";
        case 46: return "certificate_unknown";
        case 47: return "illegal_parameter";
        case 48: return "unknown_ca";
        case 49: return "access_denied";
        case 50: return "decode_error";
        case 51: return "decrypt_error";
        case 52: return "too_many_cids_requested";
        case 60: return "export_restriction";
        case 70: return "protocol_version";
        case 71: return "insufficient_security";
        case 80: return "internal_error";
        case 86: return "inappropriate_fallback";
        case 90: return "user_canceled";
        case 100: return "no_renegotiation";
        case 109: return "missing_extension";
        case 110: return "unsupported_extension";
        case 111: return "certificate_unobtainable";
        case 112: return "unrecognized_name";
        case 113: return "bad_certificate_status_response";
        case 114: return "bad_certificate_hash_value";
        case 115: return "unknown_psk_identity";
        case 116: return "certificate_required";
        case 120: return "no_application_protocol";
        case 121: return "ech_required";
        default: return {};
    }
}

std::string_view http_name(std::int32_t status) {
    switch (status) {
        case 100: return "Continue";
        case 101: return "Switching Protocols";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 300: return "Multiple Choices";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 402: return "Payment Required";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 407: return "Proxy Authentication Required";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 416: return "Range Not Satisfiable";
        case 417: return "Expectation Failed";
        case 421: return "Misdirected Request";
        case 422: return "Unprocessable Content";
        case 425: return "Too Early";
        case 426: return "Upgrade Required";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 451: return "Unavailable For Legal Reasons";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        case 511: return "Network Authentication Required";
        default: return {};
    }
}

std::string_view x509_name(std::int32_t result) {
    switch (result) {
        case 0: return "X509_V_OK";
        case 1: return "X509_V_ERR_UNSPECIFIED";
        case 2: return "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT";
        case 3: return "X509_V_ERR_UNABLE_TO_GET_CRL";
        case 4: return "X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE";
        case 5: return "X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE";
        case 6: return "X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY";
        case 7: return "X509_V_ERR_CERT_SIGNATURE_FAILURE";
        case 8: return "X509_V_ERR_CRL_SIGNATURE_FAILURE";
        case 9: return "X509_V_ERR_CERT_NOT_YET_VALID";
        case 10: return "X509_V_ERR_CERT_HAS_EXPIRED";
        case 11: return "X509_V_ERR_CRL_NOT_YET_VALID";
        case 12: return "X509_V_ERR_CRL_HAS_EXPIRED";
        case 13: return "X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD";
        case 14: return "X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD";
        case 15: return "X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD";
        case 16: return "X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD";
        case 17: return "X509_V_ERR_OUT_OF_MEM";
        case 18: return "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT";
        case 19: return "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN";
        case 20: return "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY";
        case 21: return "X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE";
        case 22: return "X509_V_ERR_CERT_CHAIN_TOO_LONG";
        case 23: return "X509_V_ERR_CERT_REVOKED";
        case 24: return "X509_V_ERR_NO_ISSUER_PUBLIC_KEY";
        case 25: return "X509_V_ERR_PATH_LENGTH_EXCEEDED";
        case 26: return "X509_V_ERR_INVALID_PURPOSE";
        case 27: return "X509_V_ERR_CERT_UNTRUSTED";
        case 28: return "X509_V_ERR_CERT_REJECTED";
        case 29: return "X509_V_ERR_SUBJECT_ISSUER_MISMATCH";
        case 30: return "X509_V_ERR_AKID_SKID_MISMATCH";
        case 31: return "X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH";
        case 32: return "X509_V_ERR_KEYUSAGE_NO_CERTSIGN";
        case 33: return "X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER";
        case 34: return "X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION";
        case 35: return "X509_V_ERR_KEYUSAGE_NO_CRL_SIGN";
        case 36: return "X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION";
        case 37: return "X509_V_ERR_INVALID_NON_CA";
        case 38: return "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED";
        case 39: return "X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE";
        case 40: return "X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED";
        case 41: return "X509_V_ERR_INVALID_EXTENSION";
        case 42: return "X509_V_ERR_INVALID_POLICY_EXTENSION";
        case 43: return "X509_V_ERR_NO_EXPLICIT_POLICY";
        case 44: return "X509_V_ERR_DIFFERENT_CRL_SCOPE";
        case 45: return "X509_V_ERR_UNSUPPORTED_EXTENSION_FEATURE";
        case 46: return "X509_V_ERR_UNNESTED_RESOURCE";
        case 47: return "X509_V_ERR_PERMITTED_VIOLATION";
        case 48: return "X509_V_ERR_EXCLUDED_VIOLATION";
        case 49: return "X509_V_ERR_SUBTREE_MINMAX";
        case 50: return "X509_V_ERR_APPLICATION_VERIFICATION";
        case 51: return "X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE";
        case 52: return "X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX";
        case 53: return "X509_V_ERR_UNSUPPORTED_NAME_SYNTAX";
        case 54: return "X509_V_ERR_CRL_PATH_VALIDATION_ERROR";
        case 55: return "X509_V_ERR_PATH_LOOP";
        case 56: return "X509_V_ERR_SUITE_B_INVALID_VERSION";
        case 57: return "X509_V_ERR_SUITE_B_INVALID_ALGORITHM";
        case 58: return "X509_V_ERR_SUITE_B_INVALID_CURVE";
        case 59: return "X509_V_ERR_SUITE_B_INVALID_SIGNATURE_ALGORITHM";
        case 60: return "X509_V_ERR_SUITE_B_LOS_NOT_ALLOWED";
        case 61: return "X509_V_ERR_SUITE_B_CANNOT_SIGN_P_384_WITH_P_256";
        case 62: return "X509_V_ERR_HOSTNAME_MISMATCH";
        case 63: return "X509_V_ERR_EMAIL_MISMATCH";
        case 64: return "X509_V_ERR_IP_ADDRESS_MISMATCH";
        case 65: return "X509_V_ERR_DANE_NO_MATCH";
        case 66: return "X509_V_ERR_EE_KEY_TOO_SMALL";
        case 67: return "X509_V_ERR_CA_KEY_TOO_SMALL";
        case 68: return "X509_V_ERR_CA_MD_TOO_WEAK";
        case 69: return "X509_V_ERR_INVALID_CALL";
        case 70: return "X509_V_ERR_STORE_LOOKUP";
        case 71: return "X509_V_ERR_NO_VALID_SCTS";
        case 72: return "X509_V_ERR_PROXY_SUBJECT_NAME_VIOLATION";
        case 73: return "X509_V_ERR_OCSP_VERIFY_NEEDED";
        case 74: return "X509_V_ERR_OCSP_VERIFY_FAILED";
        case 75: return "X509_V_ERR_OCSP_CERT_UNKNOWN";
        case 76: return "X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM";
        case 77: return "X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH";
        case 78: return "X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY";
        case 79: return "X509_V_ERR_INVALID_CA";
        case 80: return "X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA";
        case 81: return "X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN";
        case 82: return "X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA";
        case 83: return "X509_V_ERR_ISSUER_NAME_EMPTY";
        case 84: return "X509_V_ERR_SUBJECT_NAME_EMPTY";
        case 85: return "X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER";
        case 86: return "X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER";
        case 87: return "X509_V_ERR_EMPTY_SUBJECT_ALT_NAME";
        case 88: return "X509_V_ERR_EMPTY_SUBJECT_SAN_NOT_CRITICAL";
        case 89: return "X509_V_ERR_CA_BCONS_NOT_CRITICAL";
        case 90: return "X509_V_ERR_AUTHORITY_KEY_IDENTIFIER_CRITICAL";
        case 91: return "X509_V_ERR_SUBJECT_KEY_IDENTIFIER_CRITICAL";
        case 92: return "X509_V_ERR_CA_CERT_MISSING_KEY_USAGE";
        case 93: return "X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3";
        case 94: return "X509_V_ERR_EC_KEY_EXPLICIT_PARAMS";
        default: return {};
    }
}

std::string_view resolver_name(std::int32_t number) {
    switch (static_cast<Resolver>(number)) {
        case Resolver::FORMERR: return "FORMERR";
        case Resolver::SERVFAIL: return "SERVFAIL";
        case Resolver::NXDOMAIN: return "NXDOMAIN";
        case Resolver::NOTIMP: return "NOTIMP";
        case Resolver::REFUSED: return "REFUSED";
        case Resolver::NODATA: return "NODATA";
        case Resolver::TIMEOUT: return "TIMEOUT";
        case Resolver::UNREACHABLE: return "UNREACHABLE";
        case Resolver::NO_RESOLVER: return "NO_RESOLVER";
        case Resolver::BAD_ANSWER: return "BAD_ANSWER";
        case Resolver::NO_USABLE_FAMILY: return "NO_USABLE_FAMILY";
        case Resolver::BAD_NAME: return "BAD_NAME";
    }
    return {};
}

}  // namespace causeway
