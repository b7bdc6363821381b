// A TOML document as plain values with their places, so that only one file needs the TOML library.

#pragma once

#include "causeway/error/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace causeway::program {

/// Line and column of a value, from 1.
struct FilePlace {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    auto operator<=>(const FilePlace&) const = default;
};

struct Setting;

/// The keys of a table, in the order of the file.
struct SettingTable {
    // Where a Setting is complete, which the members of a vector of them need.
    SettingTable();
    SettingTable(const SettingTable&);
    SettingTable(SettingTable&&) noexcept;
    SettingTable& operator=(const SettingTable&);
    SettingTable& operator=(SettingTable&&) noexcept;
    ~SettingTable();

    std::vector<std::pair<std::string, Setting>> entries;
    const Setting* find(std::string_view key) const;
};

/// One value. Kinds that no key of ours takes (dates, fractions) are kept as `Other`.
struct Setting {
    struct Other {
        std::string kind;  ///< "a date", "a fraction".
    };
    std::variant<bool, std::int64_t, std::string, std::vector<Setting>, SettingTable, Other> value;
    FilePlace place;

    template <typename Kind>
    const Kind* as() const {
        return std::get_if<Kind>(&value);
    }
    /// For people: the value as TOML, at most about 60 characters of it.
    std::string text() const;
};

/// Why a text is not TOML.
struct SyntaxFault {
    FilePlace place;
    std::string words;
};

std::expected<SettingTable, SyntaxFault> parse_toml(std::string_view text);

}  // namespace causeway::program
