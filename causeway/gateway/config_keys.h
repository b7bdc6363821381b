// The keys of the configuration file: one row each, from which the checks, the manual and the
// words of a fault are made.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace causeway::gateway {

/// What a key takes.
enum class KeyKind : std::uint8_t { text, text_list, number, seconds, flag, choice };

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

std::span<const ConfigKey> config_keys();
/// Nothing when there is no such key.
const ConfigKey* config_key(std::string_view section, std::string_view name);

/// "576 to 9000", "\"words\" or \"alert\"", "true or false", "text of 1 to 64 bytes".
std::string allowed_values(const ConfigKey& key);

}  // namespace causeway::gateway
