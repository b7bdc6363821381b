#include "causeway/service/session.h"

#include "causeway/base/text.h"
#include "causeway/error/incident.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

namespace causeway::service {

std::string session_id(std::uint64_t id) { return incident_id(id); }

std::string_view name_of(Session::State state) {
    constexpr std::array<std::string_view, 3> names = {"setting-up", "up", "tearing-down"};
    return names.at(static_cast<std::size_t>(state));
}

nlohmann::ordered_json json_of(const Session& session) {
    nlohmann::ordered_json json{{"session", session_id(session.id)},
                                {"state", name_of(session.state)},
                                {"interface", session.interface},
                                {"vpnId", session.config.vpn_id},
                                {"user", valid_utf8(spoken(session.owner.uid))},
                                {"uid", session.owner.uid},
                                {"pid", session.owner.pid},
                                {"since", iso8601(session.since)},
                                {"mtu", session.config.mtu},
                                {"isMetered", session.config.is_metered},
                                {"lockdown", session.config.lockdown},
                                {"dns", session.dns}};
    auto& addresses = json["addresses"] = nlohmann::ordered_json::array();
    for (const auto& own : session.config.addresses) addresses.push_back(own.text());
    json["routes"] = session.config.routes.size();
    json["excludedRoutes"] = session.config.excluded_routes.size();
    if (session.setup) {
        json["mark"] = fmt::format("{:#x}", session.numbers().mark());
        json["table"] = session.numbers().table();
        json["priority"] = session.numbers().priority();
        json["notes"] = session.setup->notes();
    }
    return json;
}

}  // namespace causeway::service
