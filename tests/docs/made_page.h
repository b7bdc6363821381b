// The main() of the programs that make a page of the documentation from a source file:
//
//     MAKER SOURCE --write PAGE     writes the page
//     MAKER SOURCE --check PAGE     0 when the page is up to date, else 1

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::docs {

/// The page made from the text of `source`, or nothing after a complaint on stderr.
using PageMaker =
    std::function<std::optional<std::string>(std::string_view source, std::string_view text)>;

/// The exit status: 0 for success, 1 for a stale page, a bad source or a file that cannot be read
/// or written, 2 for wrong usage.
int make_page(int argc, const char* const* argv, const PageMaker& page_from);

}  // namespace causeway::docs
