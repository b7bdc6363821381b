#include "causeway/device/firewall.h"

#include "causeway/base/overloaded.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

namespace causeway::device {
namespace {

std::string words(const Expression& expression) {
    constexpr std::array<std::string_view, 6> keys = {"oif",    "mark",      "user",
                                                      "family", "transport", "ether"};
    constexpr std::array<std::string_view, 3> signs = {"==", ">=", "<="};
    constexpr std::array<std::string_view, 3> verdicts = {"accept", "drop", "reject"};
    return std::visit(
        overloaded{[&](const LoadMeta& e) { return std::string(keys[std::to_underlying(e.key)]); },
                   [](const LoadBytes& e) {
                       return fmt::format("{}[{}+{}]",
                                          e.header == LoadBytes::Header::network ? "ip" : "payload",
                                          e.offset, e.size);
                   },
                   [](const Mask& e) { return "& " + hex(e.mask); },
                   [](const ToNetworkOrder&) { return std::string("ordered"); },
                   [&](const Compare& e) {
                       return fmt::format("{} {}", signs[std::to_underlying(e.how)], hex(e.value));
                   },
                   [](const IsInSet& e) { return "in " + e.set; },
                   [](const Count&) { return std::string("count"); },
                   [&](const Verdict& e) { return std::string(verdicts[std::to_underlying(e)]); }},
        expression);
}

}  // namespace

std::string text(const FirewallRule& rule) {
    std::string story;
    for (const auto& expression : rule) story += (story.empty() ? "" : " ") + words(expression);
    return story;
}

}  // namespace causeway::device
