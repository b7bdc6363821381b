#include "causeway/cli/explain.h"

#include "causeway/base/text.h"
#include "causeway/error/catalogue.h"
#include "causeway/error/exit_status.h"
#include "causeway/error/json.h"
#include "causeway/error/names.h"
#include "causeway/error/paragraph.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace causeway::cli {
namespace {

using Entries = std::vector<const Entry*>;

/// "-9814", "9814", "+19", "0xFFFFD9AA", "-0x1": the whole text as a number, or nothing.
std::optional<std::int64_t> number_in(std::string_view text) {
    bool negative = false;
    if (text.starts_with('-') || text.starts_with('+')) {
        negative = text.front() == '-';
        text.remove_prefix(1);
    }
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    if (hexadecimal) text.remove_prefix(2);
    std::uint32_t number = 0;
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), number, hexadecimal ? 16 : 10);
    if (text.empty() || failure != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return negative ? -std::int64_t{number} : std::int64_t{number};
}

Entries meant_by(std::string_view asked) {
    if (const auto number = number_in(asked)) return entries_numbered(*number);
    if (const auto code = parse_code(asked))
        if (const Entry* row = entry(*code)) return {row};
    if (const Entry* row = entry_named(asked)) return {row};
    return {};
}

/// The name without the part that most names share: people leave it out.
std::string_view short_name(std::string_view name) {
    for (const std::string_view prefix : {"errSSLPeer", "errSSL", "errSec"})
        if (name.starts_with(prefix)) return name.substr(prefix.size());
    return name;
}

const Entry* nearest_by_name(std::string_view asked) {
    std::vector<std::string_view> names;
    for (const Entry& row : catalogue()) {
        names.push_back(row.name);
        names.push_back(short_name(row.name));
    }
    const auto best = nearest(asked, names, std::max<std::size_t>(asked.size(), 64));
    if (!best) return nullptr;
    return &*std::ranges::find_if(catalogue(), [&](const Entry& row) {
        return row.name == *best || short_name(row.name) == *best;
    });
}

const Entry* nearest_by_number(std::int64_t number) {
    const auto distance = [&](const Entry& row) {
        return std::min(std::abs(row.number - number), std::abs(row.number + number));
    };
    return &*std::ranges::min_element(catalogue(), {}, distance);
}

std::string complaint_about(std::string_view asked) {
    const auto number = number_in(asked);
    const Entry* near = number ? nearest_by_number(*number) : nearest_by_name(asked);
    const auto hint = near ? fmt::format("; the nearest is {} ({} {})", near->name,
                                         domain_name(near->domain), near->number)
                           : std::string();
    return fmt::format("causeway explain: \"{}\" is not in the catalogue{}\n", printable(asked),
                       hint);
}

std::string number_text(const Entry& row) {
    if (row.number >= 0) return std::to_string(row.number);
    return fmt::format("{} (0x{:08X})", row.number, static_cast<std::uint32_t>(row.number));
}

std::string_view spoken(Recovery recovery) {
    switch (recovery) {
        case Recovery::retry: return "may try again by itself";
        case Recovery::wait_for_network: return "waits for a network, then tries again";
        case Recovery::ask_user: return "asks the user";
        case Recovery::give_up: return "gives up: trying again would end the same way";
    }
    return {};
}

std::string text_of(const Entry& row) {
    std::string text =
        fmt::format("{}  {} {}\n", row.name, domain_name(row.domain), number_text(row));
    text += paragraph("  ", row.meaning) + '\n';
    text += paragraph("  What to do   ", row.remedy);
    text += paragraph("  Whose move   ", causeway::spoken(row.move));
    text += paragraph("  Software     ", spoken(row.recovery));
    if (row.domain != Domain::vpn)
        text += paragraph("  Shown as     ", fmt::format("{} (vpn {})", entry(row.shown_as)->name,
                                                         Code(row.shown_as).number()));
    text += fmt::format("  Exit status  {}\n", exit_status(Error{row.code(), {}}));
    text += row.causes.size() == 1 ? "\n  Usual cause\n" : "\n  Usual causes\n";
    for (const Cause& cause : row.causes) {
        text += paragraph("    * ", cause.cause);
        text += paragraph("      Check: ", cause.check);
    }
    return text;
}

std::string_view heading(Domain domain) {
    switch (domain) {
        case Domain::vpn: return "vpn: what happened to the connection";
        case Domain::tls: return "tls: what happened to the secure channel";
        case Domain::trust: return "trust: what is wrong with a certificate or a key";
        case Domain::service: return "service: what this machine's VPN service refused";
        default: return {};
    }
}

std::string list_of_all() {
    std::string text;
    std::optional<Domain> group;
    for (const Entry& row : catalogue()) {
        if (group != row.domain) {
            text += fmt::format("{}{}\n\n", group ? "\n" : "", heading(row.domain));
            group = row.domain;
        }
        text += fmt::format("  {:>8}  {}\n", row.number, row.name);
        text += paragraph("            ", row.meaning);
    }
    return text +
           "\n`causeway explain NAME` or `causeway explain NUMBER` says what to do about one.\n";
}

std::string text_of(const Entries& rows) {
    std::string text;
    for (const Entry* row : rows) text += (row == rows.front() ? "" : "\n") + text_of(*row);
    return text;
}

std::string json_list(const Entries& rows) {
    auto list = nlohmann::ordered_json::array();
    for (const Entry* row : rows) list.push_back(json_of(*row));
    return list.dump(2) + '\n';
}

/// The help's first line, which names what CLI11 is not told about (see allow_extras below).
class UsageLine : public CLI::Formatter {
public:
    std::string make_usage(const CLI::App*, std::string) const override {
        return "Usage: causeway explain [CODE|NAME|NUMBER...] [--json]\n";
    }
};

Entries all_rows() {
    Entries rows;
    for (const Entry& row : catalogue()) rows.push_back(&row);
    return rows;
}

}  // namespace

Explanation explain(std::span<const std::string> asked, bool json) {
    if (asked.empty()) return {exit_success, json ? json_list(all_rows()) : list_of_all(), {}};

    Entries rows;
    std::string complaint;
    for (const std::string& each : asked) {
        const Entries meant = meant_by(trim(each));
        if (meant.empty()) complaint += complaint_about(trim(each));
        for (const Entry* row : meant)
            if (std::ranges::find(rows, row) == rows.end()) rows.push_back(row);
    }
    const int status = complaint.empty() ? exit_success : exit_usage;
    if (json) return {status, json_list(rows), complaint};
    return {status, text_of(rows), complaint};
}

void add_explain(CLI::App& program, int& status) {
    auto* command = program.add_subcommand(
        "explain", "Say what a code means, its usual causes, and what to do about it");
    auto json = std::make_shared<bool>(false);
    command->add_flag("--json", *json, "Write a JSON list instead of text");
    command->formatter(std::make_shared<UsageLine>());
    command->footer(
        "A code may be given by name in any case, by number with or without its sign, in\n"
        "hexadecimal as debuggers show it, or as logs and headers write it. Without one, the "
        "whole\n"
        "catalogue is listed. It needs no network and no special right.\n\n"
        "Examples:\n"
        "  causeway explain serverCertificateExpired\n"
        "  causeway explain -9814 0xFFFFD9AA 19 2203002\n"
        "  causeway explain vpn/16/serverDisconnected --json");
    // What is asked comes as what CLI11 does not know, because "-9814" looks like an option to it.
    command->allow_extras();
    command->callback([command, json, &status] {
        const auto asked = command->remaining();
        for (const std::string& each : asked) {
            if (!each.starts_with('-') || number_in(each)) continue;
            throw CLI::ExtrasError("explain", {each});
        }
        const Explanation explanation = explain(asked, *json);
        std::fputs(explanation.output.c_str(), stdout);
        std::fputs(explanation.complaint.c_str(), stderr);
        status = explanation.status;
    });
}

}  // namespace causeway::cli
