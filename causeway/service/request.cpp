#include "causeway/service/request.h"

#include "causeway/base/text.h"
#include "causeway/error/json.h"
#include "causeway/service/json.h"
#include "causeway/service/limits.h"
#include "causeway/service/request_inspector.h"
#include "causeway/service/request_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace causeway::service {
namespace {

constexpr std::array<std::string_view, 13> names = {
    "set_up",   "protect", "destroy", "status",        "sessions",     "events", "explain_route",
    "incident", "consent", "revoke",  "set_always_on", "set_lockdown", "portal"};

/// The largest whole number that every JSON reader keeps: 2^53 - 1.
constexpr std::int64_t id_limit = 9007199254740991;

BadRequest refused(std::optional<std::uint64_t> id, std::string why) {
    return {id, Error{Service::PARAMETER_ERROR, std::move(why)}};
}

/// The number of a request even when the rest of it is wrong.
std::optional<std::uint64_t> id_of(const Json& json) {
    const auto found = json.find("id");
    if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
    const auto id = found->get<std::uint64_t>();
    if (id > std::uint64_t(id_limit)) return std::nullopt;
    return id;
}

std::optional<Method> read_method(const RequestObject& top, RequestFaults& faults) {
    const auto name = top.text("method", Need::mandatory);
    if (!name) return std::nullopt;
    const auto method = method_named(*name);
    if (method) return method;
    const auto near = nearest(*name, names);
    faults.misshapen(
        "method", fmt::format("\"{}\"", printable(std::string_view(*name).substr(0, 60))),
        near ? fmt::format("one that there is; the nearest is {}", *near) : "one that there is");
    return std::nullopt;
}

}  // namespace

std::string_view name_of(Method method) { return names.at(static_cast<std::size_t>(method)); }

std::optional<Method> method_named(std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Method>(found - names.begin());
}

std::span<const std::string_view> method_names() { return names; }

std::expected<Request, BadRequest> parse_request(std::string_view text) {
    RequestInspector inspector;
    if (!Json::sax_parse(text, &inspector))
        return std::unexpected(refused(std::nullopt, std::move(inspector.complaint)));
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object())
        return std::unexpected(refused(std::nullopt, "a request is one JSON object"));

    RequestFaults faults;
    const RequestObject top(json, "", faults, {"id", "method", "params", "version"});
    const auto id = top.number("id", Need::mandatory, 0, id_limit);
    (void)top.number("version", Need::optional, protocol_version, protocol_version);
    const auto method = read_method(top, faults);
    const auto params = json.find("params");
    if (params != json.end() && !params->is_object())
        faults.misshapen("params", value_text(*params), "an object");
    if (!faults.empty()) {
        // A wrong number here is not a value that could be right elsewhere.
        Error error = faults.error();
        error.code = Service::PARAMETER_ERROR;
        return std::unexpected(BadRequest{id_of(json), std::move(error)});
    }
    return Request{static_cast<std::uint64_t>(*id), *method,
                   params != json.end() ? *params : Json::object()};
}

std::string answer_text(std::uint64_t id, const nlohmann::ordered_json& result) {
    return nlohmann::ordered_json{{"id", id}, {"result", result}}.dump(
        -1, ' ', false, Json::error_handler_t::replace);
}

std::string error_text(std::optional<std::uint64_t> id, const Incident& incident) {
    nlohmann::ordered_json json{{"id", nullptr}, {"error", json_of(incident)}};
    if (id) json["id"] = *id;
    return json.dump();
}

}  // namespace causeway::service
