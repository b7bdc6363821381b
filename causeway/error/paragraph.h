// Text laid out in lines of a terminal.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace causeway {

/// How wide a report and an explanation are at most.
inline constexpr std::size_t page_width = 100;

/// Columns that the text takes: its code points.
std::size_t columns(std::string_view text);

/// Words of `text` in lines of at most `width` columns: the first one begins behind `lead`, the
/// others are indented as far. A word too long for a line is cut. Each line ends in '\n'.
std::string paragraph(std::string_view lead, std::string_view text, std::size_t width = page_width);

/// The text with blanks behind it up to that many columns.
std::string padded(std::string_view text, std::size_t width);

}  // namespace causeway
