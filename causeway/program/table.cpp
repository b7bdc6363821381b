#include "causeway/program/table.h"

#include "causeway/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace causeway::program {

using Json = nlohmann::ordered_json;

std::string cell(const Json& row, const char* key) {
    const auto value = row.find(key);
    if (value == row.end()) return {'-'};
    if (value->is_array()) {
        std::vector<std::string> texts;
        for (const auto& each : *value)
            texts.push_back(each.is_string() ? printable(each.get<std::string>()) : each.dump());
        return texts.empty() ? std::string(1, '-') : join(texts, ",");
    }
    const auto text = value->is_string() ? printable(value->get<std::string>()) : value->dump();
    return text.empty() ? std::string(1, '-') : text;
}

void print_table(const Json& rows, Columns columns) {
    std::vector<std::vector<std::string>> lines(1);
    for (const auto& [title, key] : columns) lines[0].emplace_back(title);
    for (const auto& row : rows) {
        auto& line = lines.emplace_back();
        for (const auto& [title, key] : columns) line.push_back(cell(row, key));
    }
    for (const auto& line : lines) {
        std::string text;
        for (std::size_t column = 0; column < line.size(); ++column) {
            std::size_t width = 0;
            for (const auto& other : lines) width = std::max(width, other[column].size());
            text += column + 1 == line.size() ? line[column]
                                              : fmt::format("{:<{}}  ", line[column], width);
        }
        fmt::print("{}\n", text);
    }
}

}  // namespace causeway::program
