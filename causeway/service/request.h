// What the other side asks for: one JSON object, read with every limit of the control socket.

#pragma once

#include "causeway/error/error.h"
#include "causeway/error/incident.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace causeway::service {

/// Changes when a program could break.
inline constexpr int protocol_version = 1;

enum class Method : std::uint8_t {
    set_up,
    protect,
    destroy,
    status,
    sessions,
    events,
    explain_route,
    incident,
    consent,
    revoke,
    set_always_on,
    set_lockdown,
    portal,
};

std::string_view name_of(Method method);
std::optional<Method> method_named(std::string_view name);
std::span<const std::string_view> method_names();

/// What is asked, with its number to answer by.
struct Request {
    std::uint64_t id;
    Method method;
    nlohmann::json params;  ///< An object. Its fields are the caller's words, yet to be checked.
};

/// A request that cannot be carried out, with its number where that could be read.
struct BadRequest {
    std::optional<std::uint64_t> id;
    Error error;
};

/// Fails with PARAMETER_ERROR: no JSON, too deep, too many values or fields, a field that is given
/// twice; members that are missing, unknown or of the wrong type; no such method.
std::expected<Request, BadRequest> parse_request(std::string_view text);

/// `{"id":1,"result":{…}}`
std::string answer_text(std::uint64_t id, const nlohmann::ordered_json& result);
/// `{"id":1,"error":{…}}`; null for a request whose number could not be read.
std::string error_text(std::optional<std::uint64_t> id, const Incident& incident);

}  // namespace causeway::service
