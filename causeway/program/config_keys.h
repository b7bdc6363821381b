// The keys of a configuration file: one row each, from which the checks, the manual and the words
// of a fault are made.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace causeway::program {

/// What a key takes; of texts only `lines` may have line breaks.
enum class KeyKind : std::uint8_t { text, lines, text_list, number, seconds, flag, choice };

struct ConfigKey {
    std::string_view section;  ///< "" for the top of the file; "group" for [[group]].
    std::string_view name;
    KeyKind kind;
    std::int64_t smallest;      ///< Of numbers and seconds; of texts the fewest bytes.
    std::int64_t largest;       ///< Likewise; of lists the most entries.
    std::string_view choices;   ///< "words|alert", for KeyKind::choice.
    std::string_view standard;  ///< The value when it is not set, as TOML; "" when there is none.
    std::string_view description;
};

using ConfigKeys = std::span<const ConfigKey>;

/// Nothing when there is no such key.
const ConfigKey* find_key(ConfigKeys keys, std::string_view section, std::string_view name);

/// "576 to 9000", "\"words\" or \"alert\"", "true or false", "text of 1 to 64 bytes".
std::string allowed_values(const ConfigKey& key);

// Rows

constexpr std::int64_t path_size = 4096;
constexpr std::int64_t list_size = 4096;

constexpr ConfigKey text_key(std::string_view section, std::string_view name, std::int64_t smallest,
                             std::int64_t largest, std::string_view standard,
                             std::string_view description) {
    return {section, name, KeyKind::text, smallest, largest, "", standard, description};
}
constexpr ConfigKey list_key(std::string_view section, std::string_view name,
                             std::string_view standard, std::string_view description) {
    return {section, name, KeyKind::text_list, 0, list_size, "", standard, description};
}
constexpr ConfigKey flag_key(std::string_view section, std::string_view name,
                             std::string_view standard, std::string_view description) {
    return {section, name, KeyKind::flag, 0, 0, "", standard, description};
}

}  // namespace causeway::program
