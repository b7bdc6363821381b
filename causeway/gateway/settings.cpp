#include "causeway/gateway/settings.h"

#include "causeway/base/text.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <optional>

namespace causeway::gateway {
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

/// The first letter outside ASCII that stands neither in a text nor in a comment: TOML 1.0 allows
/// none there, and the look-up of such letters in toml++ 3.3 is undefined for many of them.
std::optional<FilePlace> stray_letter(std::string_view text) {
    std::string_view quotes;  // of the text that we are in
    FilePlace place{1, 1};
    while (!text.empty()) {
        std::size_t taken = 1;
        if (quotes.empty()) {
            if (static_cast<unsigned char>(text[0]) >= 0x80) return place;
            if (text[0] == '#') taken = std::min(text.find('\n'), text.size());
            if (text.starts_with("\"\"\"") || text.starts_with("'''"))
                quotes = text.substr(0, taken = 3);
            else if (text[0] == '"' || text[0] == '\'')
                quotes = text.substr(0, 1);
        } else if (text[0] == '\\' && quotes[0] == '"') {
            taken = std::min<std::size_t>(2, text.size());
        } else if (text.starts_with(quotes)) {
            taken = quotes.size();
            quotes = {};
        }
        const auto lines = std::ranges::count(text.substr(0, taken), '\n');
        if (lines > 0 && quotes.size() == 1) quotes = {};  // never closed: toml++ says so
        place.line += static_cast<decltype(place.line)>(lines);
        place.column = lines > 0 ? 1 : place.column + static_cast<decltype(place.column)>(taken);
        text.remove_prefix(taken);
    }
    return std::nullopt;
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
    if (const auto place = stray_letter(text))
        return std::unexpected(
            SyntaxFault{*place, "only ASCII characters may stand outside of texts and comments"});
    const toml::parse_result result = toml::parse(text);
    if (!result) {
        const toml::parse_error& error = result.error();
        return std::unexpected(
            SyntaxFault{place_of(error.source()), printable(error.description())});
    }
    return table_of(result.table());
}

}  // namespace causeway::gateway
