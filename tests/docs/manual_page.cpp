// Makes a page of the manual: a template whose lines @OPTIONS@, @KEYS@, @POLICY@ and @EXIT@ are
// replaced by what the programs themselves know. The source is the template, the page scdoc's.

#include "causeway/base/text.h"
#include "causeway/connection/profile.h"
#include "causeway/error/catalogue.h"
#include "causeway/error/exit_status.h"
#include "causeway/gateway/config_keys.h"
#include "causeway/service/policy.h"
#include "tests/docs/made_page.h"

#include <fmt/format.h>

#include <cstdio>
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

std::string keys(program::ConfigKeys all) {
    std::string text;
    std::string_view section;
    for (const auto& key : all) {
        if (key.section != section) text += fmt::format("## [{}]\n\n", key.section);
        section = key.section;
        text += fmt::format("*{}*\n\t{}\n\tAllowed: {}.", escaped(key.name),
                            escaped(key.description), escaped(program::allowed_values(key)));
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
            lines.push_back(without_blank_end(keys(gateway::config_keys())));
        else if (line == "@POLICY@")
            lines.push_back(without_blank_end(keys(service::policy_keys())));
        else if (line == "@EXIT@")
            lines.push_back(without_blank_end(exit_statuses()));
        else
            lines.emplace_back(line);
    }
    return join(lines, "\n");
}

}  // namespace

int main(int argc, char** argv) {
    return docs::make_page(argc, argv, [](auto, auto text) { return page_from(text); });
}
