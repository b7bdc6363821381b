// Tables on a terminal, made of the JSON that a service has answered with.

#pragma once

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <string>
#include <utility>

namespace causeway::program {

/// Titles and the keys whose values stand below them.
using Columns = std::span<const std::pair<const char*, const char*>>;

/// A value as it stands in a table: a list with commas, "-" for one that is missing or empty;
/// foreign text is escaped.
std::string cell(const nlohmann::ordered_json& row, const char* key);

/// One line for each row, one column for each key, as wide as its longest value.
void print_table(const nlohmann::ordered_json& rows, Columns columns);

}  // namespace causeway::program
