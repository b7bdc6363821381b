// Names of codes and of raw facts: what "tls -9814", "system 111" or "http 503" are called.

#pragma once

#include "causeway/error/codes.h"

#include <optional>
#include <string>
#include <string_view>

namespace causeway {

/// "vpn", "tls", "trust", "service", "system", "resolver", "http", "alert", "x509", "process".
std::string_view domain_name(Domain domain);
std::optional<Domain> domain_named(std::string_view name);

/// True for the domains whose codes have rows in the catalogue.
constexpr bool is_catalogued(Domain domain) { return domain <= Domain::service; }

/// "serverDead", "errSSLCertExpired", "ECONNREFUSED", "NXDOMAIN", "Service Unavailable",
/// "handshake_failure", "X509_V_ERR_CERT_HAS_EXPIRED", "SIGKILL"; the number for one that has no
/// name.
std::string code_name(Code code);

/// The form for one line of text, a header or a label: "vpn/16/serverDisconnected". Spaces of a
/// name become underscores.
std::string code_text(Code code);

/// Reads that form (the name may be missing). Nothing unless the domain is known, the number is
/// one, a catalogued code has a row, and a name that is there belongs to it.
std::optional<Code> parse_code(std::string_view text);

}  // namespace causeway
