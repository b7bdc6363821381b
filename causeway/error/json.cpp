#include "causeway/error/json.h"

#include "causeway/base/text.h"
#include "causeway/error/names.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <limits>
#include <utility>

namespace causeway {
namespace {

using Json = nlohmann::ordered_json;

void put_advice(Json& json, const Entry& row) {
    json["remedy"] = row.remedy;
    json["move"] = name_of(row.move);
    json["recovery"] = name_of(row.recovery);
}

Json link_of(const Error& error) {
    Json json;
    json["domain"] = domain_name(error.code.domain());
    json["value"] = error.code.number();
    json["name"] = code_name(error.code);
    return json;
}

void put_evidence(Json& json, const Error& error) {
    if (error.evidence.empty()) return;
    Json& evidence = json["evidence"] = Json::object();
    for (const auto& [key, value] : error.evidence) evidence[valid_utf8(key)] = valid_utf8(value);
}

/// The chain from the lowest link up, so that its length costs no stack.
Json chain_of(const Error& first) {
    const Entry* best = adviser(first);
    std::vector<const Error*> links;
    for (const Error* at = &first; at && links.size() < JsonLimits::chain; at = at->cause.get())
        links.push_back(at);

    Json below;
    for (std::size_t at = links.size(); at-- > 0;) {
        Json json = link_of(*links[at]);
        const Entry* row = entry(links[at]->code);
        const bool with_words = row && (at == 0 || row == best);
        if (with_words) json["meaning"] = row->meaning;
        if (!links[at]->detail.empty()) json["detail"] = valid_utf8(links[at]->detail);
        if (with_words) put_advice(json, *row);
        put_evidence(json, *links[at]);
        if (!below.is_null()) json["cause"] = std::move(below);
        below = std::move(json);
    }
    return below;
}

std::unexpected<Error> refused(std::string_view key, std::string_view expected) {
    return fail(Service::PARAMETER_ERROR, fmt::format("\"{}\" is not {}", key, expected),
                {{"key", std::string(key)}});
}

/// The string of that key; an empty one when it is missing and need not be there.
Result<std::string> text_at(const Json& json, std::string_view key, bool needed) {
    const auto found = json.find(key);
    if (found == json.end() && !needed) return std::string();
    if (found == json.end() || !found->is_string()) return refused(key, "a string");
    auto text = found->get<std::string>();
    if (text.size() > JsonLimits::text)
        return refused(key, fmt::format("at most {} bytes long", JsonLimits::text));
    return valid_utf8(text);
}

Result<std::int64_t> number_at(const Json& json, std::string_view key, std::int64_t smallest,
                               std::int64_t largest) {
    const auto found = json.find(key);
    const auto expected = fmt::format("a whole number from {} to {}", smallest, largest);
    if (found == json.end() || !found->is_number_integer()) return refused(key, expected);
    if (found->is_number_unsigned() && found->get<std::uint64_t>() > std::uint64_t(largest))
        return refused(key, expected);
    const auto number = found->get<std::int64_t>();
    if (number < smallest || number > largest) return refused(key, expected);
    return number;
}

Result<Evidence> evidence_at(const Json& json) {
    const auto found = json.find("evidence");
    if (found == json.end()) return Evidence{};
    if (!found->is_object()) return refused("evidence", "an object");
    if (found->size() > JsonLimits::evidence)
        return refused("evidence", fmt::format("at most {} pairs", JsonLimits::evidence));
    Evidence evidence;
    for (const auto& [key, value] : found->items()) {
        if (key.size() > JsonLimits::text) return refused("evidence", "made of short keys");
        auto text = text_at(*found, key, true);
        if (!text) return pass(text);
        evidence.emplace_back(valid_utf8(key), std::move(*text));
    }
    return evidence;
}

/// One link of the chain, its cause left out.
Result<Error> link_from(const Json& json) {
    if (!json.is_object()) return refused("error", "an object");
    const auto domain_text = text_at(json, "domain", true);
    if (!domain_text) return std::unexpected(domain_text.error());
    const auto domain = domain_named(*domain_text);
    if (!domain) return refused("domain", "one that exists");
    auto value = number_at(json, "value", std::numeric_limits<std::int32_t>::min(),
                           std::numeric_limits<std::int32_t>::max());
    if (!value) return pass(value);
    auto detail = text_at(json, "detail", false);
    if (!detail) return pass(detail);
    auto evidence = evidence_at(json);
    if (!evidence) return pass(evidence);
    return Error{Code::raw(*domain, static_cast<std::int32_t>(*value)), std::move(*detail),
                 std::move(*evidence)};
}

Result<WallTime> time_at(const Json& json) {
    auto text = text_at(json, "time", true);
    if (!text) return pass(text);
    const auto time = parse_iso8601(*text);
    if (!time) return refused("time", "a time like 2026-11-20T20:58:00.123Z");
    return *time;
}

Result<Phase> phase_at(const Json& json) {
    auto text = text_at(json, "phase", true);
    if (!text) return pass(text);
    const auto phase = phase_named(*text);
    if (!phase) return refused("phase", "one that exists");
    return *phase;
}

Result<std::vector<TrailStep>> trail_at(const Json& json) {
    std::vector<TrailStep> trail;
    const auto found = json.find("trail");
    if (found == json.end()) return trail;
    if (!found->is_array()) return refused("trail", "an array");
    if (found->size() > JsonLimits::trail)
        return refused("trail", fmt::format("at most {} steps", JsonLimits::trail));
    for (const Json& step : *found) {
        if (!step.is_object()) return refused("trail", "made of objects");
        auto phase = phase_at(step);
        if (!phase) return pass(phase);
        auto took = number_at(step, "ms", 0, std::numeric_limits<std::int32_t>::max());
        if (!took) return pass(took);
        auto result = text_at(step, "result", false);
        if (!result) return pass(result);
        trail.push_back({*phase, std::chrono::milliseconds(*took), std::move(*result)});
    }
    return trail;
}

std::string line(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Json json_of(const Error& error) { return chain_of(error); }

Json json_of(const Incident& incident) {
    Json json;
    json["version"] = incident_json_version;
    json["incident"] = incident_id(incident.id);
    json["time"] = iso8601(incident.time);
    json["profile"] = valid_utf8(incident.profile);
    json["server"] = valid_utf8(incident.server);
    json["phase"] = name_of(incident.phase);
    json["error"] = json_of(incident.error);
    Json& trail = json["trail"] = Json::array();
    for (const TrailStep& step : incident.trail)
        trail.push_back({{"phase", name_of(step.phase)},
                         {"ms", step.took.count()},
                         {"result", valid_utf8(step.result)}});
    return json;
}

Json json_of(const Entry& row) {
    Json json;
    json["domain"] = domain_name(row.domain);
    json["value"] = row.number;
    json["name"] = row.name;
    json["meaning"] = row.meaning;
    put_advice(json, row);
    Json& causes = json["causes"] = Json::array();
    for (const Cause& each : row.causes)
        causes.push_back(Json{{"cause", each.cause}, {"check", each.check}});
    return json;
}

std::string json_text(const Error& error) { return line(json_of(error)); }
std::string json_text(const Incident& incident) { return line(json_of(incident)); }

Result<Error> error_from_json(const Json& json) {
    std::vector<Error> links;
    for (const Json* at = &json; at;) {
        if (links.size() == JsonLimits::chain)
            return refused("cause", fmt::format("at most {} deep", JsonLimits::chain));
        auto link = link_from(*at);
        if (!link) return link;
        links.push_back(std::move(*link));
        const auto cause = at->find("cause");
        at = cause == at->end() ? nullptr : &*cause;
    }
    Error error = std::move(links.back());
    for (links.pop_back(); !links.empty(); links.pop_back())
        error = std::move(links.back()).because(std::move(error));
    return error;
}

Result<Incident> incident_from_json(const Json& json) {
    if (!json.is_object()) return refused("incident", "an object");
    const auto version = number_at(json, "version", incident_json_version, incident_json_version);
    if (!version) return std::unexpected(version.error());
    auto id_text = text_at(json, "incident", true);
    if (!id_text) return pass(id_text);
    const auto id = parse_incident_id(*id_text);
    if (!id) return refused("incident", "16 hexadecimal digits");
    auto time = time_at(json);
    if (!time) return pass(time);
    auto profile = text_at(json, "profile", false);
    if (!profile) return pass(profile);
    auto server = text_at(json, "server", false);
    if (!server) return pass(server);
    auto phase = phase_at(json);
    if (!phase) return pass(phase);
    const auto found = json.find("error");
    if (found == json.end()) return refused("error", "there");
    auto error = error_from_json(*found);
    if (!error) return pass(error);
    auto trail = trail_at(json);
    if (!trail) return pass(trail);
    return Incident{*id,
                    *time,
                    std::move(*profile),
                    std::move(*server),
                    *phase,
                    std::move(*error),
                    std::move(*trail)};
}

Result<Error> error_from_text(std::string_view text) {
    auto json = parse_json(text);
    if (!json) return pass(json);
    return error_from_json(*json);
}

Result<Incident> incident_from_text(std::string_view text) {
    auto json = parse_json(text);
    if (!json) return pass(json);
    return incident_from_json(*json);
}

Result<Json> parse_json(std::string_view text) {
    if (text.size() > JsonLimits::bytes)
        return fail(Service::PARAMETER_ERROR,
                    fmt::format("the JSON text has {} bytes, and {} are accepted", text.size(),
                                JsonLimits::bytes));
    bool too_deep = false;
    const auto within_depth = [&](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || std::size_t(depth) > JsonLimits::depth;
        return !too_deep;
    };
    Json json = Json::parse(text, within_depth, false);
    if (too_deep)
        return fail(Service::PARAMETER_ERROR,
                    fmt::format("the JSON text is more than {} levels deep", JsonLimits::depth));
    if (json.is_discarded()) return fail(Service::PARAMETER_ERROR, "the text is not JSON");
    return json;
}

}  // namespace causeway
