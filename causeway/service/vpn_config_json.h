// The JSON form of a VpnConfig, for those who have parsed the text already.

#pragma once

#include "causeway/service/vpn_config.h"

#include <nlohmann/json_fwd.hpp>

namespace causeway::service {

/// As `parse_vpn_config`.
Result<VpnConfig> vpn_config_from(const nlohmann::json& json);
nlohmann::json json_of(const VpnConfig& config);

}  // namespace causeway::service
