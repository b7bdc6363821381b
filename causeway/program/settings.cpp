#include "causeway/program/settings.h"

#include "causeway/base/text.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <fmt/format.h>
// Of a table's name toml++ 3.3 asserts that it begins like one, and then handles that it does not.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <optional>

namespace causeway::program {
namespace {

Setting setting_of(const toml::node& node);

FilePlace place_of(const toml::source_region& region) {
    return {region.begin.line, region.begin.column};
}

std::string kind_of(const toml::node& node) {
    if (node.is_floating_point()) return "a fraction";
    if (node.is_time()) return "a time";
    return "a date";
}

SettingTable table_of(const toml::table& table) {
    SettingTable result;
    for (const auto& [key, node] : table)
        result.entries.emplace_back(std::string(key.str()), setting_of(node));
    std::ranges::stable_sort(result.entries, {},
                             [](const auto& entry) { return entry.second.place; });
    return result;
}

Setting setting_of(const toml::node& node) {
    Setting setting{Setting::Other{}, place_of(node.source())};
    if (const auto* flag = node.as_boolean())
        setting.value = flag->get();
    else if (const auto* number = node.as_integer())
        setting.value = number->get();
    else if (const auto* text = node.as_string())
        setting.value = text->get();
    else if (const auto* table = node.as_table())
        setting.value = table_of(*table);
    else if (const auto* array = node.as_array()) {
        std::vector<Setting> list;
        for (const auto& each : *array) list.push_back(setting_of(each));
        setting.value = std::move(list);
    } else {
        setting.value = Setting::Other{kind_of(node)};
    }
    return setting;
}

std::string shortened(std::string text) {
    constexpr std::size_t limit = 60;
    if (text.size() <= limit) return text;
    text.resize(limit);
    return valid_utf8(text) + "…";
}

std::string text_of(const Setting& setting) {
    if (const auto* flag = setting.as<bool>()) return *flag ? "true" : "false";
    if (const auto* number = setting.as<std::int64_t>()) return fmt::format("{}", *number);
    if (const auto* text = setting.as<std::string>())
        return fmt::format("\"{}\"", shortened(printable(*text)));
    if (const auto* other = setting.as<Setting::Other>()) return other->kind;
    if (const auto* list = setting.as<std::vector<Setting>>())
        return list->empty() ? "an empty list" : fmt::format("a list of {}", list->size());
    return "a table";
}

/// Each letter outside ASCII as one '~', which TOML allows in texts and comments alone.
std::string without_letters(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (const char byte : text) {
        const auto value = static_cast<unsigned char>(byte);
        if (value < 0x80)
            plain += byte;
        else if (value >= 0xC0)  // the others go on with a letter
            plain += '~';
    }
    return plain;
}

/// Whether a letter outside ASCII stands there. Columns count letters.
bool has_letter_at(std::string_view text, const FilePlace& place) {
    const auto lines = split(text, '\n');
    if (place.line == 0 || place.line > lines.size()) return false;
    decltype(place.column) column = 0;
    for (const char byte : lines[place.line - 1]) {
        const auto value = static_cast<unsigned char>(byte);
        if ((value & 0xC0) != 0x80) ++column;
        if (column == place.column) return value >= 0xC0;
    }
    return false;
}

SyntaxFault fault_of(const toml::parse_error& error) {
    return {place_of(error.source()), printable(error.description())};
}

}  // namespace

SettingTable::SettingTable() = default;
SettingTable::SettingTable(const SettingTable&) = default;
SettingTable::SettingTable(SettingTable&&) noexcept = default;
SettingTable& SettingTable::operator=(const SettingTable&) = default;
SettingTable& SettingTable::operator=(SettingTable&&) noexcept = default;
SettingTable::~SettingTable() = default;

const Setting* SettingTable::find(std::string_view key) const {
    const auto found = std::ranges::find(
        entries, key, [](const auto& entry) -> std::string_view { return entry.first; });
    return found == entries.end() ? nullptr : &found->second;
}

std::string Setting::text() const { return text_of(*this); }

std::expected<SettingTable, SyntaxFault> parse_toml(std::string_view text) {
    // Some editors begin every file with a byte order mark.
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    // The look-up of letters outside ASCII in toml++ 3.3 is undefined for many of them. It happens
    // only where they may not stand; what has passed without them keeps them in texts and comments.
    if (const toml::parse_result plain = toml::parse(without_letters(text)); !plain) {
        auto fault = fault_of(plain.error());
        if (has_letter_at(text, fault.place))
            fault.words = "only ASCII characters may stand outside of texts and comments";
        return std::unexpected(std::move(fault));
    }
    const toml::parse_result result = toml::parse(text);
    if (!result) return std::unexpected(fault_of(result.error()));
    return table_of(result.table());
}

}  // namespace causeway::program
