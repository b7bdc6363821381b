#include "causeway/protocol/datagram_suites.h"

#include "causeway/base/text.h"
#include "causeway/protocol/limits.h"

#include <algorithm>
#include <array>

namespace causeway::protocol {
namespace {

// The RSA suites, since the names are theirs; a resumed session has no key exchange, so they need
// no certificate. Last the two with CBC.
constexpr auto suites = std::to_array<ResumedSuite>({{"AES256-GCM-SHA384", 0x009d},
                                                     {"AES128-GCM-SHA256", 0x009c},
                                                     {"AES256-SHA", 0x0035},
                                                     {"AES128-SHA", 0x002f}});

/// Calls `look` with each name until it returns true or there are too many.
template <typename Look>
bool any_name(std::string_view list, Look look) {
    for (std::size_t count = 0; count < suite_count_limit; ++count) {
        const auto end = list.find(':');
        if (look(trim(list.substr(0, end)))) return true;
        if (end == std::string_view::npos) return false;
        list.remove_prefix(end + 1);
    }
    return false;
}

}  // namespace

std::span<const ResumedSuite> resumed_suites() { return suites; }

std::optional<ResumedSuite> resumed_suite(std::string_view name) {
    const auto found = std::ranges::find_if(
        suites, [&](const auto& suite) { return equals_ignoring_case(suite.name, name); });
    if (found == suites.end()) return std::nullopt;
    return *found;
}

std::string resumed_suite_list() {
    std::string list;
    for (const auto& suite : suites) {
        if (!list.empty()) list += ':';
        list += suite.name;
    }
    return list;
}

bool lists_suite(std::string_view list, std::string_view name) {
    return any_name(list, [&](std::string_view one) { return equals_ignoring_case(one, name); });
}

std::vector<ResumedSuite> known_suites(std::string_view list) {
    std::vector<ResumedSuite> known;
    any_name(list, [&](std::string_view name) {
        const auto suite = resumed_suite(name);
        if (suite && std::ranges::find(known, *suite) == known.end()) known.push_back(*suite);
        return false;
    });
    return known;
}

}  // namespace causeway::protocol
