// Makes docs/errors.md from the catalogue and from the record of which test provokes which code.
// The source is PROVOKED.tsv.

#include "causeway/base/text.h"
#include "causeway/error/catalogue.h"
#include "causeway/error/exit_status.h"
#include "causeway/error/names.h"
#include "tests/docs/made_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace causeway;

/// Tests by the name of the code they provoke.
using Provoked = std::map<std::string_view, std::vector<std::string>>;

/// Reads lines of "name TAB test"; '#' begins a comment line. Nothing after a complaint.
std::optional<Provoked> read_provoked(std::string_view path, std::string_view text) {
    Provoked provoked;
    int number = 0;
    for (const std::string_view line : split(text, '\n')) {
        ++number;
        if (line.empty() || line.starts_with('#')) continue;
        const auto parts = split(line, '\t');
        const Entry* row = parts.size() == 2 ? entry_named(parts[0]) : nullptr;
        if (!row || row->name != parts[0] || trim(parts[1]).empty()) {
            fmt::print(stderr, "{}:{}: expected the name of a code, a tab and a test, not \"{}\"\n",
                       path, number, line);
            return std::nullopt;
        }
        provoked[row->name].emplace_back(trim(parts[1]));
    }
    return provoked;
}

struct Group {
    Domain domain;
    std::string_view title;
    std::string_view introduction;
};

constexpr Group groups[] = {
    {Domain::vpn, "The connection",
     "What happened to the VPN, in the numbers of NEVPNConnectionError. Every failure of a "
     "connection begins with one of these."},
    {Domain::tls, "The secure channel",
     "What happened to TLS, in the numbers of Secure Transport. -9802 and -9819 to -9840 were "
     "reported by the other side; -9880 to -9886 are rules of the transport policy."},
    {Domain::trust, "Trust reasons",
     "What exactly is wrong with a certificate, a key or a file of them: the reason under a code "
     "of "
     "the channel."},
    {Domain::service, "The service", "What this machine's VPN service, or its kernel, refused."},
};

std::string number_of(const Entry& row) {
    if (row.number >= 0) return std::to_string(row.number);
    return fmt::format("{} (0x{:08X})", row.number, static_cast<std::uint32_t>(row.number));
}

/// Angle brackets outside of code would be taken for HTML.
std::string escaped(std::string_view text) {
    std::string result;
    bool in_code = false;
    for (const char letter : text) {
        if (letter == '`') in_code = !in_code;
        if (letter == '<' && !in_code)
            result += "&lt;";
        else
            result += letter;
    }
    return result;
}

std::string provoked_by(const Provoked& provoked, const Entry& row) {
    const auto found = provoked.find(row.name);
    return found == provoked.end() ? "not yet" : join(found->second, "; ");
}

std::string section_of(const Entry& row, const Provoked& provoked) {
    std::string text = fmt::format("### {}\n\n", row.name);
    text += fmt::format("`{}` {}", domain_name(row.domain), number_of(row));
    if (row.domain != Domain::vpn)
        text += fmt::format(" · shown as [{0}](#{1})", entry(row.shown_as)->name,
                            lower(entry(row.shown_as)->name));
    text +=
        fmt::format(" · exit status {} · next move: {} · software: {}\n\n",
                    exit_status(Error{row.code(), {}}), name_of(row.move), name_of(row.recovery));
    text += fmt::format("{}\n\n**What to do:** {}\n\n", escaped(row.meaning), escaped(row.remedy));
    for (const Cause& cause : row.causes)
        text += fmt::format("- {}\n  *Check:* {}\n", escaped(cause.cause), escaped(cause.check));
    return text + fmt::format("\nProvoked by: {}\n\n", provoked_by(provoked, row));
}

std::string exit_statuses() {
    std::string text =
        "## Exit statuses\n\nOne table for all programs. 1 is never used.\n\n"
        "| status | meaning |\n|---|---|\n"
        "| 0 | success |\n"
        "| 2 | wrong usage; a daemon: a configuration that it refuses |\n";
    std::map<int, const Entry*> services;
    for (const Entry& row : catalogue())
        if (row.domain == Domain::service) services[exit_status(Error{row.code(), {}})] = &row;
    for (const auto& [status, row] : services)
        text += fmt::format("| {} | service {} {} |\n", status, row->number, row->name);
    text += fmt::format("| {} | a code of the channel, or a trust reason, alone |\n", exit_channel);
    text += fmt::format("| {} | anything else |\n", exit_other);
    for (const Entry& row : catalogue())
        if (row.domain == Domain::vpn)
            text += fmt::format("| {} | vpn {} {} |\n", exit_status(Error{row.code(), {}}),
                                row.number, row.name);
    return text + '\n';
}

std::string table_of_tests(const Provoked& provoked) {
    std::string text =
        "## Provoked by\n\nFor every code the test in which a real fault produces it: bytes on a "
        "wire, a refusal of the kernel, a killed process, a clock.\n\n";
    for (const Group& group : groups) {
        std::size_t all = 0, done = 0;
        std::string rows;
        for (const Entry& row : catalogue()) {
            if (row.domain != group.domain) continue;
            ++all;
            done += provoked.contains(row.name);
            rows +=
                fmt::format("| {} | {} | {} |\n", row.number, row.name, provoked_by(provoked, row));
        }
        text += fmt::format("{}: {} of {}.\n\n| number | code | test |\n|---|---|---|\n{}\n",
                            group.title, done, all, rows);
    }
    return text;
}

std::string page_from(const Provoked& provoked) {
    std::string text =
        "# Errors\n\n"
        "<!-- Made from the catalogue by tests/docs/errors_page.cpp: build the target `docs` to "
        "make it again. -->\n\n"
        "Every failure of Causeway is one code with its particulars, resting on the failure below "
        "it: the connection on the channel or the service, these on a raw fact (an errno, an "
        "alert, an HTTP status). This page is the catalogue that `causeway explain` speaks "
        "from.\n\n"
        "- *next move* says whose it is: `you`, an `administrator` of this machine or account, the "
        "gateway's `operator`, the `network` between, or this `machine` and whoever maintains it.\n"
        "- *software* says what a program may do by itself: `retry`, `wait-for-network`, "
        "`ask-user` or `give-up`.\n\n"
        "[Exit statuses](#exit-statuses)";
    for (const Group& group : groups) {
        std::string anchor = lower(group.title);
        std::ranges::replace(anchor, ' ', '-');
        text += fmt::format(" · [{}](#{})", group.title, anchor);
    }
    text += " · [Provoked by](#provoked-by)\n\n";
    text += exit_statuses();
    for (const Group& group : groups) {
        text += fmt::format("## {}\n\n{}\n\n", group.title, group.introduction);
        for (const Entry& row : catalogue())
            if (row.domain == group.domain) text += section_of(row, provoked);
    }
    text += table_of_tests(provoked);
    while (text.ends_with("\n\n")) text.pop_back();
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    return docs::make_page(argc, argv, [](auto path, auto text) -> std::optional<std::string> {
        const auto provoked = read_provoked(path, text);
        if (!provoked) return std::nullopt;
        return page_from(*provoked);
    });
}
