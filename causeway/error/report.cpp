#include "causeway/error/report.h"

#include "causeway/base/text.h"
#include "causeway/error/catalogue.h"
#include "causeway/error/names.h"
#include "causeway/error/paragraph.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace causeway {
namespace {

constexpr std::string_view red_and_bold = "\x1b[1;31m";
constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view plain = "\x1b[0m";

/// Links below one another are indented by this much, up to a depth that leaves room for words.
constexpr std::size_t step_width = 2;
constexpr std::size_t deepest_step = 6;

/// Lays out the report; knows whether there is colour.
class Page {
public:
    explicit Page(bool colour) : colour_(colour) {}

    void headline(std::string_view text) { coloured(red_and_bold, paragraph("", text)); }
    void section(std::string_view title) {
        text_ += '\n';
        coloured(bold, std::string(title) + '\n');
    }
    void lines(std::string_view lead, std::string_view text) { text_ += paragraph(lead, text); }
    void blank() { text_ += '\n'; }
    std::string take() && { return std::move(text_); }

private:
    void coloured(std::string_view colour, std::string_view text) {
        if (!colour_) {
            text_ += text;
            return;
        }
        text_ += colour;
        text_ += text.substr(0, text.size() - 1);
        text_ += plain;
        text_ += '\n';
    }

    std::string text_;
    bool colour_;
};

std::string_view without_stop(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    return text;
}

/// A detail as a sentence of its own: a capital first unless it is a name or path, a stop last.
std::string as_sentence(std::string_view detail) {
    std::string text = printable(detail);
    const auto word = std::string_view(text).substr(0, text.find(' '));
    const bool is_word = std::ranges::all_of(word, [](char c) { return c >= 'a' && c <= 'z'; });
    if (is_word && !text.empty()) text[0] = static_cast<char>(text[0] - 'a' + 'A');
    if (!text.empty() && !std::string_view(".!?").contains(text.back())) text += '.';
    return text;
}

std::string headline_of(const Error& error) {
    if (const Entry* row = entry(error.code)) return std::string(row->meaning);
    return fmt::format("The connection failed: {} ({} {}).", code_name(error.code),
                       domain_name(error.code.domain()), error.code.number());
}

/// What a link of the chain says for itself. The first one's words are the headline already.
std::string words_of(const Error& link, bool first) {
    if (first) return {};
    if (!link.detail.empty()) return printable(link.detail);
    const Entry* row = entry(link.code);
    return row ? std::string(without_stop(row->meaning)) : std::string();
}

void put_chain(Page& page, const Error& error) {
    page.section("Why");
    std::size_t depth = 0;
    for (const Error* at = &error; at; at = at->cause.get(), ++depth) {
        const std::string indent(step_width * std::min(depth + 1, deepest_step), ' ');
        const auto words = words_of(*at, depth == 0);
        page.lines(
            indent + (depth == 0 ? "" : "<- "),
            fmt::format("{} ({} {}){}{}", code_name(at->code), domain_name(at->code.domain()),
                        at->code.number(), words.empty() ? "" : ": ", words));
    }
}

/// The evidence of the whole chain, each pair once.
Evidence evidence_of(const Error& error) {
    Evidence all;
    for (const Error* at = &error; at; at = at->cause.get())
        for (const auto& pair : at->evidence)
            if (std::ranges::find(all, pair) == all.end()) all.push_back(pair);
    return all;
}

void put_evidence(Page& page, const Error& error) {
    const Evidence evidence = evidence_of(error);
    if (evidence.empty()) return;
    constexpr std::size_t widest_key = 24;
    std::size_t width = 0;
    for (const auto& [key, value] : evidence) width = std::max(width, columns(printable(key)));
    width = std::min(width, widest_key);

    page.section("Evidence");
    for (const auto& [key, value] : evidence)
        page.lines("  " + padded(printable(key), width) + "  ", printable(value));
}

std::string spoken_time(std::chrono::milliseconds took) {
    constexpr auto shown_in_seconds = std::chrono::seconds(10);
    if (took < shown_in_seconds) return fmt::format("{} ms", took.count());
    return fmt::format("{:.1f} s", std::chrono::duration<double>(took).count());
}

void put_trail(Page& page, const Incident& incident) {
    if (incident.trail.empty()) return;
    page.section("What was tried");
    for (const TrailStep& step : incident.trail) {
        const bool is_the_failure = !step.result.empty() && step.result == incident.error.detail;
        page.lines(fmt::format("  {:<12}  {:>8}  ", name_of(step.phase), spoken_time(step.took)),
                   is_the_failure ? "failed as said above" : printable(step.result));
    }
}

std::string_view prospect(Recovery recovery) {
    switch (recovery) {
        case Recovery::retry: return "Trying again later may be enough.";
        case Recovery::wait_for_network: return "It can go on as soon as there is a network.";
        case Recovery::ask_user: return "It needs an answer or a decision of yours.";
        case Recovery::give_up: return "Trying again without a change would end the same way.";
    }
    return {};
}

void put_advice(Page& page, const Error& error) {
    const Entry* best = adviser(error);
    if (!best) return;
    page.section("What to do");
    page.lines("  ", best->remedy);
    page.lines("  ", fmt::format("The next move is with {}. {}", spoken(best->move),
                                 prospect(best->recovery)));
    page.lines("  ",
               fmt::format("Usual causes, and how to check each: causeway explain {}", best->name));
}

std::string signature(const Incident& incident) {
    std::string text =
        fmt::format("Incident {} on {}", incident_id(incident.id), iso8601(incident.time));
    if (!incident.profile.empty()) text += ", profile " + printable(incident.profile);
    if (!incident.server.empty()) text += ", server " + printable(incident.server);
    return text + fmt::format(", in phase {}", name_of(incident.phase));
}

}  // namespace

std::string report(const Incident& incident, bool colour) {
    Page page(colour);
    page.headline(headline_of(incident.error));
    if (!incident.error.detail.empty()) page.lines("", as_sentence(incident.error.detail));
    put_chain(page, incident.error);
    put_evidence(page, incident.error);
    put_trail(page, incident);
    put_advice(page, incident.error);
    page.blank();
    page.lines("", signature(incident));
    return std::move(page).take();
}

std::string sentence(const Error& error) {
    const Entry* row = entry(error.code);
    auto what = row ? std::string(without_stop(row->meaning)) : code_name(error.code);
    if (error.detail.empty()) return what;
    return what + ": " + printable(error.detail);
}

}  // namespace causeway
