#include "causeway/device/users.h"

#include <algorithm>

namespace causeway::device {

std::vector<UserRange> merged(std::vector<UserRange> ranges) {
    std::ranges::sort(ranges);
    std::vector<UserRange> result;
    for (const auto& range : ranges) {
        // In 64 bits: the last of all has no next.
        if (!result.empty() && range.first <= std::uint64_t{result.back().last} + 1)
            result.back().last = std::max(result.back().last, range.last);
        else
            result.push_back(range);
    }
    return result;
}

std::vector<UserRange> all_but(const std::vector<UserRange>& ranges) {
    std::vector<UserRange> result;
    std::uint64_t next = 0;
    for (const auto& range : merged(ranges)) {
        if (range.first > next)
            result.push_back({static_cast<std::uint32_t>(next), range.first - 1});
        next = std::uint64_t{range.last} + 1;
    }
    if (next < no_user) result.push_back({static_cast<std::uint32_t>(next), no_user - 1});
    return result;
}

}  // namespace causeway::device
