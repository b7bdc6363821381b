// Whose packets a tunnel is for: ranges of user ids.

#pragma once

#include <cstdint>
#include <vector>

namespace causeway::device {

struct UserRange {
    std::uint32_t first;
    std::uint32_t last;  ///< Included.

    auto operator<=>(const UserRange&) const = default;
};

/// No process has this user id; to the kernel it means "as it is".
inline constexpr std::uint32_t no_user = 0xffffffff;

/// The same users in as few ranges as can be, ascending: each is a rule that packets are held
/// against.
std::vector<UserRange> merged(std::vector<UserRange> ranges);

/// Everybody else.
std::vector<UserRange> all_but(const std::vector<UserRange>& ranges);

}  // namespace causeway::device
