#include "causeway/base/text.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace causeway {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

/// One code point at the front of `text`: its size in bytes and value, or size 0 when the bytes
/// are not UTF-8 (overlong forms and surrogates are not).
struct CodePoint {
    std::size_t size;
    char32_t value;
};

CodePoint code_point(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(0);
    if (first < 0x80) return {1, first};

    std::size_t size = 0;
    char32_t value = 0;
    char32_t smallest = 0;
    if (first >= 0xc2 && first < 0xe0) {
        size = 2, value = first & 0x1f, smallest = 0x80;
    } else if (first >= 0xe0 && first < 0xf0) {
        size = 3, value = first & 0x0f, smallest = 0x800;
    } else if (first >= 0xf0 && first < 0xf5) {
        size = 4, value = first & 0x07, smallest = 0x10000;
    }
    if (size == 0 || text.size() < size) return {0, 0};
    for (std::size_t at = 1; at < size; ++at) {
        if ((byte(at) & 0xc0) != 0x80) return {0, 0};
        value = value << 6 | (byte(at) & 0x3f);
    }
    if (value < smallest || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {0, 0};
    return {size, value};
}

bool turns_text_around(char32_t value) {
    return (value >= 0x202a && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069) ||
           value == 0x200e || value == 0x200f;
}

void append_escape(std::string& to, char32_t value) {
    constexpr std::string_view digits = "0123456789abcdef";
    const int count = value < 0x100 ? 2 : 4;
    to += count == 2 ? "\\x" : "\\u";
    for (int shift = 4 * (count - 1); shift >= 0; shift -= 4) to += digits[value >> shift & 15];
}

template <typename Write>
std::string rewritten(std::string_view text, Write write) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto [size, value] = code_point(text);
        if (size == 0)
            result += replacement;
        else
            write(result, text.substr(0, size), value);
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return result;
}

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t swap = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
            diagonal = std::exchange(row[j + 1], std::min({swap, row[j] + 1, row[j + 1] + 1}));
        }
    }
    return row.back();
}

}  // namespace

std::string_view trim(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
    std::string text;
    for (const auto& part : parts) {
        if (&part != parts.data()) text += separator;
        text += part;
    }
    return text;
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char letter) { return lower(letter); });
    return result;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string printable(std::string_view text) {
    return rewritten(text, [](std::string& to, std::string_view bytes, char32_t value) {
        if (value < 0x20 || (value >= 0x7f && value < 0xa0) || turns_text_around(value))
            append_escape(to, value);
        else
            to += bytes;
    });
}

std::string in_quotes(std::string_view text, std::size_t limit) {
    return "“" + printable(text.substr(0, limit)) + (text.size() > limit ? "…”" : "”");
}

std::string valid_utf8(std::string_view text) {
    return rewritten(text, [](std::string& to, std::string_view bytes, char32_t) { to += bytes; });
}

std::string header_text(std::string_view text, std::size_t limit) {
    std::string result = valid_utf8(text);
    std::ranges::replace_if(
        result, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    result = trim(result);
    if (result.size() > limit) {
        while (limit > 0 && (static_cast<unsigned char>(result[limit]) & 0xc0) == 0x80) --limit;
        result.resize(limit);
    }
    return result;
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
    return nearest(word, candidates, std::max<std::size_t>(2, word.size() / 3));
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates,
                                        std::size_t edits) {
    std::optional<std::string_view> best;
    std::size_t best_distance = edits + 1;
    for (const auto candidate : candidates) {
        const auto distance = edit_distance(word, candidate);
        if (distance < best_distance) best = candidate, best_distance = distance;
    }
    return best;
}

}  // namespace causeway
