#include "causeway/service/user_list.h"

#include "causeway/base/text.h"
#include "causeway/device/limits.h"
#include "causeway/service/request_object.h"
#include "causeway/service/vpn_config_reading.h"

#include <fmt/format.h>
#include <pwd.h>

#include <algorithm>

namespace causeway::service {
namespace {

/// A number of a user, as it is written; 2^32 - 1 means none.
std::optional<std::uint32_t> user_number(std::string_view text) {
    return parse_number<std::uint32_t>(text, 0, 0xfffffffe);
}

std::optional<device::UserRange> range_of(const std::string& user) {
    if (const auto range = parse_user_range(user)) return range;
    const passwd* known = getpwnam(user.c_str());
    if (known == nullptr) return std::nullopt;
    return device::UserRange{known->pw_uid, known->pw_uid};
}

}  // namespace

std::optional<device::UserRange> parse_user_range(std::string_view text) {
    if (const auto one = user_number(text)) return device::UserRange{*one, *one};
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto first = user_number(text.substr(0, dash));
    const auto last = user_number(text.substr(dash + 1));
    if (!first || !last || *first > *last) return std::nullopt;
    return device::UserRange{*first, *last};
}

bool is_user(std::string_view text) {
    constexpr std::size_t name_limit = 32;
    if (parse_user_range(text)) return true;
    if (text.empty() || text.size() > name_limit || (text[0] >= '0' && text[0] <= '9') ||
        text[0] == '-')
        return false;
    return std::ranges::all_of(text, [](char c) { return is_domain_letter(c) || c == '.'; });
}

Result<std::vector<device::UserRange>> user_ranges(const std::vector<std::string>& users,
                                                   std::string_view field) {
    RequestFaults faults;
    std::vector<device::UserRange> ranges;
    for (std::size_t i = 0; i < users.size(); ++i) {
        if (const auto range = range_of(users[i]))
            ranges.push_back(*range);
        else
            faults.illegal(entry(field, i), in_quotes(users[i], 60), "a user of this machine");
    }
    ranges = device::merged(std::move(ranges));
    if (ranges.size() > device::user_range_limit)
        faults.illegal(
            std::string(field), fmt::format("{} ranges", ranges.size()),
            fmt::format("at most {} ranges that do not touch", device::user_range_limit));
    if (!faults.empty()) return std::unexpected(faults.error());
    return ranges;
}

}  // namespace causeway::service
