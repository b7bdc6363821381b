// What the gateway's configuration has besides texts and numbers: address pools and domains.

#pragma once

#include "causeway/base/address.h"
#include "causeway/gateway/config.h"
#include "causeway/program/config_reader.h"

#include <optional>
#include <string>
#include <string_view>

namespace causeway::gateway {

using program::ConfigFaults;
using program::ConfigSection;
using program::read_list;
using program::Setting;
using program::SettingTable;

/// What is allowed is in `pool_allowed`.
std::optional<Pool> parse_pool(std::string_view text, Family family);
std::string_view pool_allowed(Family family);

/// "vpn.example.com": letters, digits, '-', '_' in parts of 1 to 63, at most 253 in all.
std::optional<std::string> parse_domain(std::string_view text);

}  // namespace causeway::gateway
