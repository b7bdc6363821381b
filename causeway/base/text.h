// Text: what people type, what the other side sends, what may be shown and where.

#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace causeway {

std::string_view trim(std::string_view text);
/// The parts between the separators, empty ones too; one part for text without a separator.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);

/// ASCII only; other bytes stay as they are.
std::string lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

/// The whole text as a decimal number within the limits, else nothing. No sign for unsigned
/// types, no white space, no leading '+'.
template <std::integral Number>
std::optional<Number> parse_number(std::string_view text, Number smallest, Number largest) {
    Number number{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (number < smallest || number > largest) return std::nullopt;
    return number;
}

/// Foreign text for a terminal or a log line: control characters (line breaks too) and the code
/// points that turn text around are written as \x1b or \u202e, invalid UTF-8 as U+FFFD.
std::string printable(std::string_view text);
/// The same in quotation marks; of more than `limit` bytes the first, and an ellipsis.
std::string in_quotes(std::string_view text, std::size_t limit = std::string_view::npos);
/// Foreign text for JSON: invalid UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);
/// Text for the value of a header or a status line: bytes below 0x20 and 0x7f become spaces, the
/// ends are trimmed, and at most `limit` bytes are kept.
std::string header_text(std::string_view text, std::size_t limit = 400);

/// The candidate nearest to a misspelt word, if one is near enough to be meant.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);
/// The same, where up to `edits` letters changed, added or left out count as near enough.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates,
                                        std::size_t edits);

}  // namespace causeway
