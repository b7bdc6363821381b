// Names of raw facts whose numbers belong to others, each by its own vocabulary.
//
// names.h is what most of the program wants; these are its tables.

#pragma once

#include <cstdint>
#include <string_view>

namespace causeway {

/// TLS alert descriptions (RFC 8446 section 6, RFC 5246 section 7.2, and the IANA registry): as
/// "handshake_failure". Nothing ("") for a number that has none; the same for the others.
std::string_view alert_name(std::int32_t number);
/// Reason phrases of HTTP statuses (RFC 9110 section 15): "Service Unavailable".
std::string_view http_name(std::int32_t status);
/// Results of certificate verification: "X509_V_ERR_CERT_HAS_EXPIRED".
std::string_view x509_name(std::int32_t result);
/// The Resolver enumerators of codes.h: "NXDOMAIN".
std::string_view resolver_name(std::int32_t number);

}  // namespace causeway
