#include "causeway/program/config_keys.h"

#include "causeway/base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace causeway::program {
namespace {

std::string spoken_choices(std::string_view choices) {
    std::string words;
    const auto parts = split(choices, '|');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) words += i + 1 == parts.size() ? " or " : ", ";
        words += fmt::format("\"{}\"", parts[i]);
    }
    return words;
}

}  // namespace

const ConfigKey* find_key(ConfigKeys keys, std::string_view section, std::string_view name) {
    const auto found = std::ranges::find_if(
        keys, [&](const ConfigKey& key) { return key.section == section && key.name == name; });
    return found == keys.end() ? nullptr : &*found;
}

std::string allowed_values(const ConfigKey& key) {
    switch (key.kind) {
        case KeyKind::text:
        case KeyKind::lines:
            return fmt::format("text of {} to {} bytes", key.smallest, key.largest);
        case KeyKind::text_list:
            return fmt::format("a list of {} to {} texts", key.smallest, key.largest);
        case KeyKind::number: return fmt::format("{} to {}", key.smallest, key.largest);
        case KeyKind::seconds: return fmt::format("{} to {} seconds", key.smallest, key.largest);
        case KeyKind::flag: return "true or false";
        case KeyKind::choice: return spoken_choices(key.choices);
    }
    return {};
}

}  // namespace causeway::program
