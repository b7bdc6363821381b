#include "causeway/program/config_reader.h"

#include "causeway/base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace causeway::program {
namespace {

constexpr std::size_t faults_listed = 50;

bool has_kind(const ConfigKey& key, const Setting& setting) {
    switch (key.kind) {
        case KeyKind::text:
        case KeyKind::lines:
        case KeyKind::choice: return setting.as<std::string>() != nullptr;
        case KeyKind::text_list: return setting.as<std::vector<Setting>>() != nullptr;
        case KeyKind::number:
        case KeyKind::seconds: return setting.as<std::int64_t>() != nullptr;
        case KeyKind::flag: return setting.as<bool>() != nullptr;
    }
    return false;
}

/// Texts that name files or are shown to people hold no control characters but line breaks in
/// banners, and are valid UTF-8.
bool is_sound_text(const ConfigKey& key, std::string_view text) {
    if (valid_utf8(text) != text) return false;
    return std::ranges::all_of(text, [&](char c) {
        if (c == '\n') return key.kind == KeyKind::lines;
        return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    });
}

bool is_within(const ConfigKey& key, const Setting& setting) {
    const auto fits = [&](auto value) {
        return std::cmp_greater_equal(value, key.smallest) &&
               std::cmp_less_equal(value, key.largest);
    };
    if (!has_kind(key, setting)) return false;
    if (key.kind == KeyKind::flag) return true;
    if (const auto* number = setting.as<std::int64_t>()) return fits(*number);
    if (const auto* list = setting.as<std::vector<Setting>>()) return fits(list->size());
    const std::string& text = *setting.as<std::string>();
    if (key.kind == KeyKind::choice) return std::ranges::count(split(key.choices, '|'), text) > 0;
    return fits(text.size()) && is_sound_text(key, text);
}

std::optional<std::string_view> nearest_key(ConfigKeys keys, std::string_view section,
                                            std::string_view name) {
    std::vector<std::string_view> names;
    for (const ConfigKey& key : keys)
        if (key.section == section) names.push_back(key.name);
    return nearest(name, names);
}

}  // namespace

void ConfigFaults::add(FilePlace place, std::string words) {
    faults_.push_back({place, std::move(words)});
}

Error ConfigFaults::error() const {
    std::vector<std::string> lines;
    auto sorted = faults_;
    std::ranges::stable_sort(sorted, {}, &Fault::place);
    for (const Fault& fault : sorted)
        lines.push_back(
            fmt::format("{}:{}:{}: {}", path_, fault.place.line, fault.place.column, fault.words));
    Error error{Vpn::configurationFailed, lines.front(), {{"file", path_}}};
    error.with("faults", std::to_string(lines.size()));
    for (std::size_t i = 0; i < std::min(lines.size(), faults_listed); ++i)
        error.with(fmt::format("fault_{}", i + 1), lines[i]);
    return error;
}

ConfigSection::ConfigSection(std::string_view name, const SettingTable* table, FilePlace place,
                             ConfigFaults& faults)
    : name_(name), table_(table), place_(place), faults_(faults) {
    if (table_) check();
}

void ConfigSection::check() {
    for (const auto& [name, setting] : table_->entries) {
        const ConfigKey* key = find_key(faults_.keys(), name_, name);
        if (!key) {
            // The tables at the top of the file are sections, read by themselves.
            const bool is_section =
                name_.empty() && (setting.as<SettingTable>() || name == "group");
            if (is_section) continue;
            const auto near = nearest_key(faults_.keys(), name_, name);
            faults_.add(setting.place,
                        fmt::format("there is no key {}{}", printable(full(name)),
                                    near ? fmt::format("; the nearest is {}", full(*near)) : ""));
            continue;
        }
        if (!is_within(*key, setting)) {
            fault(name, setting, allowed_values(*key));
            continue;
        }
        sound_.entries.emplace_back(name, setting);
    }
}

std::string ConfigSection::full(std::string_view key) const {
    return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
}

const std::string* ConfigSection::text(std::string_view key) const {
    const Setting* setting = sound_.find(key);
    return setting ? setting->as<std::string>() : nullptr;
}

std::optional<std::int64_t> ConfigSection::number(std::string_view key) const {
    const Setting* setting = sound_.find(key);
    if (!setting) return std::nullopt;
    return *setting->as<std::int64_t>();
}

std::optional<bool> ConfigSection::flag(std::string_view key) const {
    const Setting* setting = sound_.find(key);
    if (!setting) return std::nullopt;
    return *setting->as<bool>();
}

std::optional<std::vector<const Setting*>> ConfigSection::list(std::string_view key) const {
    const Setting* setting = sound_.find(key);
    if (!setting) return std::nullopt;
    std::vector<const Setting*> texts;
    for (const Setting& entry : *setting->as<std::vector<Setting>>()) {
        if (entry.as<std::string>())
            texts.push_back(&entry);
        else
            fault(key, entry, "text");
    }
    return texts;
}

void ConfigSection::read(std::string_view key, std::string& into) const {
    if (const auto* value = text(key)) into = *value;
}
void ConfigSection::read(std::string_view key, std::size_t& into) const {
    if (const auto value = number(key)) into = static_cast<std::size_t>(*value);
}
void ConfigSection::read(std::string_view key, int& into) const {
    if (const auto value = number(key)) into = static_cast<int>(*value);
}
void ConfigSection::read(std::string_view key, bool& into) const {
    if (const auto value = flag(key)) into = *value;
}
void ConfigSection::read(std::string_view key, std::chrono::seconds& into) const {
    if (const auto value = number(key)) into = std::chrono::seconds(*value);
}

bool ConfigSection::sets(std::string_view key) const { return table_ && table_->find(key); }

void ConfigSection::fault(std::string_view key, std::string_view allowed) const {
    if (const Setting* setting = table_ ? table_->find(key) : nullptr)
        fault(key, *setting, allowed);
}

void ConfigSection::fault(std::string_view key, const Setting& value,
                          std::string_view allowed) const {
    faults_.add(value.place,
                fmt::format("{} is {}, allowed is {}", full(key), value.text(), allowed));
}

void ConfigSection::complain(std::string_view key, std::string words) const {
    const Setting* setting = table_ ? table_->find(key) : nullptr;
    faults_.add(setting ? setting->place : place_,
                fmt::format("{} {}", full(key), std::move(words)));
}

}  // namespace causeway::program
