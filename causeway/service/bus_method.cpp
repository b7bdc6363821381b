#include "causeway/service/bus_method.h"

#include "causeway/error/incident.h"
#include "causeway/service/bus_json.h"
#include "causeway/service/json.h"

#include <sdbus-c++/Types.h>

#include <algorithm>
#include <cstdint>

namespace causeway::service {
namespace {

// Reading

Result<Json> nothing(sdbus::MethodCall&, std::vector<Fd>&) { return Json::object(); }

Result<Json> config(sdbus::MethodCall& call, std::vector<Fd>&) {
    auto read = json_from(call);
    if (!read) return read;
    return Json{{"config", std::move(*read)}};
}

Result<Json> socket(sdbus::MethodCall& call, std::vector<Fd>& descriptors) {
    sdbus::UnixFd descriptor;
    call >> descriptor;
    descriptors.emplace_back(descriptor.release());
    return Json::object();
}

/// 0 is the caller's own session.
Result<Json> own_or_named_session(sdbus::MethodCall& call, std::vector<Fd>&) {
    std::uint64_t number = 0;
    call >> number;
    if (number == 0) return Json::object();
    return Json{{"session", session_id(number)}};
}

Result<Json> named_session(sdbus::MethodCall& call, std::vector<Fd>&) {
    std::uint64_t number = 0;
    call >> number;
    return Json{{"session", session_id(number)}};
}

template <const char* name>
Result<Json> text(sdbus::MethodCall& call, std::vector<Fd>&) {
    std::string value;
    call >> value;
    return Json{{name, std::move(value)}};
}

template <const char* name>
Result<Json> flag(sdbus::MethodCall& call, std::vector<Fd>&) {
    bool value = false;
    call >> value;
    return Json{{name, value}};
}

/// "" is the caller himself.
Result<Json> user(sdbus::MethodCall& call, std::vector<Fd>&) {
    std::string name;
    call >> name;
    if (name.empty()) return Json::object();
    return Json{{"user", std::move(name)}};
}

constexpr char incident_field[] = "incident";
constexpr char destination_field[] = "destination";
constexpr char all_field[] = "all";
constexpr char enabled_field[] = "enabled";

// Writing

void no_value(sdbus::MethodReply&, Answer&) {}

std::uint64_t number_of(const std::string& session) {
    return parse_incident_id(session).value_or(0);
}

void set_up_values(sdbus::MethodReply& reply, Answer& answer) {
    reply << sdbus::UnixFd(answer.descriptors.at(0).release(), sdbus::adopt_fd)
          << number_of(answer.result["session"].get<std::string>())
          << answer.result["interface"].get<std::string>();
}

void incident_text(sdbus::MethodReply& reply, Answer& answer) {
    reply << answer.result["incident"].dump(-1, ' ', false, Json::error_handler_t::replace);
}

void object(sdbus::MethodReply& reply, Answer& answer) { append_json(reply, answer.result); }

void number_ended(sdbus::MethodReply& reply, Answer& answer) {
    reply << answer.result["ended"].get<std::int64_t>();
}

void session_list(sdbus::MethodReply& reply, Answer& answer) {
    reply.openContainer("a{sv}");
    for (const auto& each : answer.result["sessions"]) append_json(reply, each);
    reply.closeContainer();
}

const std::vector<BusMethod>& methods() {
    const BusArguments none{};
    const BusArguments session_number{"t", {"session"}};
    static const std::vector<BusMethod> rows = {
        {"SetUp",
         Method::set_up,
         {"a{sv}", {"config"}},
         {"hts", {"tun", "session", "interface"}},
         config,
         set_up_values},
        {"Protect", Method::protect, {"h", {"socket"}}, none, socket, no_value},
        {"Destroy", Method::destroy, session_number, none, own_or_named_session, no_value},
        {"Incident",
         Method::incident,
         {"s", {"incident"}},
         {"s", {"json"}},
         text<incident_field>,
         incident_text},
        {"Status", Method::status, none, {"a{sv}", {"status"}}, nothing, object},
        {"Session", Method::status, session_number, {"a{sv}", {"details"}}, named_session, object},
        {"Sessions",
         Method::sessions,
         {"b", {"all"}},
         {"aa{sv}", {"sessions"}},
         flag<all_field>,
         session_list},
        {"Subscribe", Method::events, {"b", {"all"}}, none, flag<all_field>, no_value},
        {"ExplainRoute",
         Method::explain_route,
         {"s", {"destination"}},
         {"a{sv}", {"explanation"}},
         text<destination_field>,
         object},
        {"Consent", Method::consent, {"s", {"user"}}, none, user, no_value},
        {"Revoke", Method::revoke, {"s", {"user"}}, {"x", {"ended"}}, user, number_ended},
        {"SetAlwaysOn",
         Method::set_always_on,
         {"b", {"enabled"}},
         none,
         flag<enabled_field>,
         no_value},
        {"SetLockdown",
         Method::set_lockdown,
         {"b", {"enabled"}},
         none,
         flag<enabled_field>,
         no_value},
    };
    return rows;
}

// Signals

void append_event(sdbus::Signal& signal, const OrderedJson& event) {
    signal << number_of(event.at("session").get<std::string>())
           << event.at("interface").get<std::string>() << event.at("vpnId").get<std::string>()
           << event.at("user").get<std::string>();
}

void append_end(sdbus::Signal& signal, const OrderedJson& event) {
    append_event(signal, event);
    signal << event.value("reason", "");
}

/// Whatever else there is to tell.
void append_any(sdbus::Signal& signal, const OrderedJson& event) {
    signal << event.at("event").get<std::string>();
    append_json(signal, event);
}

const std::vector<BusSignal>& signals() {
    static const std::vector<BusSignal> rows = {
        {"SessionUp",
         "session_up",
         {"tsss", {"session", "interface", "vpnId", "user"}},
         append_event},
        {"SessionDown",
         "session_down",
         {"tssss", {"session", "interface", "vpnId", "user", "reason"}},
         append_end},
        {"Event", "", {"sa{sv}", {"event", "details"}}, append_any},
    };
    return rows;
}

}  // namespace

std::span<const BusMethod> bus_methods() { return methods(); }
std::span<const BusSignal> bus_signals() { return signals(); }

const BusSignal& bus_signal_of(std::string_view event) {
    const auto found = std::ranges::find(signals(), event, &BusSignal::event);
    return found == signals().end() ? signals().back() : *found;
}

}  // namespace causeway::service
