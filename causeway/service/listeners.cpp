#include "causeway/service/listeners.h"

#include "causeway/error/incident.h"
#include "causeway/service/ask.h"
#include "causeway/service/json.h"

namespace causeway::service {

void Listeners::session_up(const Session& session) { announce("session_up", session, {}); }

void Listeners::session_down(const Session& session) {
    if (session.has_been_up) announce("session_down", session, session.end_reason);
}

void Listeners::announce(const char* event, const Session& session, std::string_view reason) {
    OrderedJson json{{"version", protocol_version},      {"event", event},
                     {"time", iso8601(wall_now())},      {"session", session_id(session.id)},
                     {"interface", session.interface},   {"vpnId", session.config.vpn_id},
                     {"user", spoken(session.owner.uid)}};
    if (!reason.empty()) json["reason"] = reason;
    tell(session.owner, json);
}

void Listeners::tell(const Caller& owner, const nlohmann::ordered_json& event) {
    const std::string text = event.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
    // A listener that does not read is taken off while it is told.
    const auto listeners = listeners_;
    for (const auto& [connection, caller] : listeners)
        if (may_see(caller, owner)) tell_(connection, text);
}

}  // namespace causeway::service
