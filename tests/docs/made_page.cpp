#include "tests/docs/made_page.h"

#include "causeway/base/file.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <vector>

namespace causeway::docs {
namespace {

int complain(std::string_view path, int error) {
    fmt::print(stderr, "{}: {}\n", path, std::strerror(error));
    return 1;
}

}  // namespace

int make_page(int argc, const char* const* argv, const PageMaker& page_from) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() != 3 || (arguments[1] != "--write" && arguments[1] != "--check")) {
        fmt::print(stderr, "Usage: {} SOURCE --write|--check PAGE\n", argv[0]);
        return 2;
    }
    const auto& path = arguments[2];
    const auto source = read_file(arguments[0]);
    if (!source) return complain(arguments[0], source.error());
    const auto page = page_from(arguments[0], *source);
    if (!page) return 1;

    if (arguments[1] == "--write") {
        const auto written = write_file_atomically(path, *page);
        return written ? 0 : complain(path, written.error());
    }
    const auto present = read_file(path);
    if (!present) return complain(path, present.error());
    if (*present == *page) return 0;
    fmt::print(stderr, "{} is stale: build the target \"docs\" and commit the page\n", path);
    return 1;
}

}  // namespace causeway::docs
