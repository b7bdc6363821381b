// TLS alerts: what they are called and what each means as a code, all 256 at both levels.

#pragma once

#include "causeway/error/codes.h"
#include "causeway/tls/policy.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace causeway::tls {

inline constexpr std::uint8_t alert_level_warning = 1;
inline constexpr std::uint8_t alert_level_fatal = 2;

/// "handshake_failure"; "unassigned" for a number without a name.
std::string_view alert_name(std::uint8_t number);

/// What a received alert means, or nothing for a warning that is ignored and counted. In TLS 1.3
/// the level means nothing. A close_notify is errSSLClosedGraceful.
std::optional<Tls> code_of_alert(std::uint8_t number, std::uint8_t level, Version version);

}  // namespace causeway::tls
