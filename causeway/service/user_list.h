// Users by their names, numbers or ranges of numbers: "alice", "1000", "1000-1999".

#pragma once

#include "causeway/device/users.h"
#include "causeway/error/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// "1000" or "1000-1999"; nothing for a name, and for a range from back to front.
std::optional<device::UserRange> parse_user_range(std::string_view text);

/// What a user of this machine can be written as; whether there is one, `user_ranges` says.
bool is_user(std::string_view text);

/// In as few ranges as can be. Fails with INVALID_PARAMETER_VALUE: names that this machine does not
/// have, each by its place `field`[i]; more than `device::user_range_limit` ranges.
Result<std::vector<device::UserRange>> user_ranges(const std::vector<std::string>& users,
                                                   std::string_view field);

}  // namespace causeway::service
