// Makes a page of the manual: a template whose lines @OPTIONS@, @KEYS@ and @EXIT@ are replaced by
// what the programs themselves know.
//
//     manual_page TEMPLATE --write PAGE     writes the page (scdoc)
//     manual_page TEMPLATE --check PAGE     0 when the page is up to date, else 1

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/connection/profile.h"
#include "causeway/error/catalogue.h"
#include "causeway/error/exit_status.h"
#include "causeway/gateway/config_keys.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace causeway;

/// Without what scdoc would take for marks.
std::string escaped(std::string_view text) {
    std::string result;
    for (const char letter : text) {
        if (std::string_view("_*\\#").contains(letter)) result += '\\';
        result += letter;
    }
    return result;
}

std::string options() {
    std::string text;
    for (const auto& option : connection::option_help)
        text += fmt::format("*{}*{}{}\n\t{}\n\n", option.name, *option.value ? " " : "",
                            option.value, escaped(option.text));
    return text;
}

std::string keys() {
    std::string text;
    std::string_view section;
    for (const auto& key : gateway::config_keys()) {
        if (key.section != section) text += fmt::format("## [{}]\n\n", key.section);
        section = key.section;
        text += fmt::format("*{}*\n\t{}\n\tAllowed: {}.", escaped(key.name),
                            escaped(key.description), escaped(gateway::allowed_values(key)));
        if (!key.standard.empty()) text += fmt::format(" When not set: {}.", escaped(key.standard));
        text += "\n\n";
    }
    return text;
}

std::string exit_statuses() {
    std::map<int, std::string> meanings = {
        {exit_success, "success"},
        {exit_usage, "wrong usage; a gateway: a configuration that it refuses"},
        {exit_channel, "a code of the secure channel, or a trust reason, alone"},
        {exit_other, "anything else"},
    };
    for (const Entry& row : catalogue())
        if (row.domain == Domain::vpn || row.domain == Domain::service)
            meanings[exit_status(Error{row.code(), {}})] = row.name;
    std::string text;
    for (const auto& [status, meaning] : meanings)
        text += fmt::format("*{}*\n\t{}\n\n", status, escaped(meaning));
    return text;
}

std::string without_blank_end(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

std::string page_from(std::string_view page_template) {
    std::vector<std::string> lines;
    for (const std::string_view line : split(page_template, '\n')) {
        if (line == "@OPTIONS@")
            lines.push_back(without_blank_end(options()));
        else if (line == "@KEYS@")
            lines.push_back(without_blank_end(keys()));
        else if (line == "@EXIT@")
            lines.push_back(without_blank_end(exit_statuses()));
        else
            lines.emplace_back(line);
    }
    return join(lines, "\n");
}

int complain(std::string_view path, int error) {
    fmt::print(stderr, "{}: {}\n", path, std::strerror(error));
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() != 3 || (arguments[1] != "--write" && arguments[1] != "--check")) {
        fmt::print(stderr, "Usage: manual_page TEMPLATE --write|--check PAGE\n");
        return 2;
    }
    const auto page_template = read_file(arguments[0]);
    if (!page_template) return complain(arguments[0], page_template.error());
    const std::string page = page_from(*page_template);

    if (arguments[1] == "--write") {
        const auto written = write_file_atomically(arguments[2], page);
        return written ? 0 : complain(arguments[2], written.error());
    }
    const auto present = read_file(arguments[2]);
    if (!present) return complain(arguments[2], present.error());
    if (*present == page) return 0;
    fmt::print(stderr, "{} is stale: build the target \"docs\" and commit the page\n",
               arguments[2]);
    return 1;
}
