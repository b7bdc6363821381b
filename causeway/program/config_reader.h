// Reads the tables of a configuration file against the table of keys and collects every fault.

#pragma once

#include "causeway/error/error.h"
#include "causeway/program/config_keys.h"
#include "causeway/program/settings.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::program {

/// What is wrong with a configuration file, each with its place.
class ConfigFaults {
public:
    /// Of a file that has these keys and no others.
    ConfigFaults(std::string path, ConfigKeys keys) : path_(std::move(path)), keys_(keys) {}
    ConfigKeys keys() const { return keys_; }
    void add(FilePlace place, std::string words);
    bool empty() const { return faults_.empty(); }
    /// configurationFailed with all of them, in the order of the file.
    Error error() const;

private:
    struct Fault {
        FilePlace place;
        std::string words;
    };
    std::string path_;
    ConfigKeys keys_;
    std::vector<Fault> faults_;
};

/// One table of the file. Kinds, ranges and choices are checked against the table of keys when it
/// is made; a value that broke the rules reads as one that is not there.
class ConfigSection {
public:
    /// `table` may be nothing: then no key is set. Both must outlive the section.
    ConfigSection(std::string_view name, const SettingTable* table, FilePlace place,
                  ConfigFaults& faults);

    const std::string* text(std::string_view key) const;
    std::optional<std::int64_t> number(std::string_view key) const;
    std::optional<bool> flag(std::string_view key) const;
    /// The entries that are texts; nothing when the key is not set.
    std::optional<std::vector<const Setting*>> list(std::string_view key) const;

    void read(std::string_view key, std::string& into) const;
    void read(std::string_view key, std::size_t& into) const;
    void read(std::string_view key, int& into) const;
    void read(std::string_view key, bool& into) const;
    void read(std::string_view key, std::chrono::seconds& into) const;

    /// Whether the file sets the key, rightly or not.
    bool sets(std::string_view key) const;
    /// "key is "value", " + what is allowed, at the value's place.
    void fault(std::string_view key, std::string_view allowed) const;
    void fault(std::string_view key, const Setting& value, std::string_view allowed) const;
    /// A fault of the section as a whole: at the key when it is set, else at the section.
    void complain(std::string_view key, std::string words) const;

private:
    std::string full(std::string_view key) const;
    void check();

    std::string_view name_;
    const SettingTable* table_;
    FilePlace place_;
    ConfigFaults& faults_;
    SettingTable sound_;  ///< The entries of `table_` that keep the rules.
};

/// The texts of a list, each through `parse`; what it refuses is a fault with `allowed`.
template <typename Value, typename Parse>
std::optional<std::vector<Value>> read_list(const ConfigSection& section, std::string_view key,
                                            std::string_view allowed, Parse&& parse) {
    const auto entries = section.list(key);
    if (!entries) return std::nullopt;
    std::vector<Value> values;
    for (const Setting* entry : *entries) {
        std::optional<Value> value = parse(*entry->as<std::string>());
        if (value)
            values.push_back(std::move(*value));
        else
            section.fault(key, *entry, allowed);
    }
    return values;
}

}  // namespace causeway::program
