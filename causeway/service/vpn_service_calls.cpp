// The calls that change no session, and what ends one.

#include "causeway/base/text.h"
#include "causeway/base/version.h"
#include "causeway/error/json.h"
#include "causeway/service/explain_route.h"
#include "causeway/service/json.h"
#include "causeway/service/protect_socket.h"
#include "causeway/service/request_params.h"
#include "causeway/service/vpn_service.h"

#include <fmt/format.h>

namespace causeway::service {
namespace {

using State = Session::State;

}  // namespace

Result<Answer> VpnService::protect(Ask& ask) {
    std::optional<std::string> id;
    const auto shape = read_params(ask, {"session"}, 1, [&](const RequestObject& params) {
        id = params.text("session", Need::optional);
    });
    if (!shape) return std::unexpected(shape.error());
    const auto own = sessions_.of(ask.connection);
    Session* session = own.empty() ? nullptr : sessions_.find(own.front());
    if (id) {
        auto named = sessions_.named(*id);
        if (!named) return pass(named);
        session = *named;
    }
    if (!session || session->connection != ask.connection || session->state != State::up)
        return fail(Service::PERMISSION_DENIED,
                    "sockets are protected by the connection that has set the VPN up",
                    session ? Evidence{{"owner", spoken(session->owner.uid)}} : Evidence{});
    if (ask.descriptors.empty())
        return fail(Service::INVALID_SOCKET_FD, "no descriptor came with the request");
    if (auto done = protect_socket(ask.descriptors.front().get(), *session); !done)
        return pass(done);
    Answer answer;
    answer.result["session"] = session_id(session->id);
    answer.result["mark"] = fmt::format("{:#x}", session->setup->mark());
    return answer;
}

void VpnService::destroy(Ask& ask, Reply reply) {
    std::optional<std::string> id;
    const auto shape = read_params(ask, {"session"}, 0, [&](const RequestObject& params) {
        id = params.text("session", Need::optional);
    });
    if (!shape) return reply(std::unexpected(shape.error()));
    const auto own = sessions_.of(ask.connection);
    if (!id && own.size() > 1)
        return reply(fail(Service::PARAMETER_ERROR,
                          fmt::format("session is missing: this connection has {}", own.size()),
                          Evidence{{"field", "session"}, {"limit", "one of its sessions"}}));
    // Nothing to undo is no failure.
    if (!id && own.empty()) return reply(Answer{{{"session", nullptr}}});
    if (const auto lock = id ? held_lock(*id) : std::nullopt) return reply(open_held(ask, *lock));
    Result<Session*> session =
        id ? sessions_.named(*id) : Result<Session*>(sessions_.find(own.front()));
    if (!session) return reply(pass(session));
    if (!may_see(ask.caller, (*session)->owner))
        return reply(fail(Service::PERMISSION_DENIED,
                          fmt::format("the session belongs to {}", spoken((*session)->owner.uid)),
                          Evidence{{"owner", spoken((*session)->owner.uid)}}));
    (*session)->was_destroyed = true;
    end(**session, "it was destroyed",
        [name = session_id((*session)->id),
         reply = std::move(reply)](const Result<void>& undone) mutable {
            if (!undone) return reply(std::unexpected(undone.error()));
            reply(Answer{{{"session", name}}});
        });
}

Result<Answer> VpnService::status(const Ask& ask) {
    std::optional<std::string> id;
    const auto shape = read_params(ask, {"session"}, 0, [&](const RequestObject& params) {
        id = params.text("session", Need::optional);
    });
    if (!shape) return std::unexpected(shape.error());
    if (id) {
        auto session = sessions_.named(*id);
        if (!session) return pass(session);
        if (!may_see(ask.caller, (*session)->owner)) return others_session("status");
        return Answer{json_of(**session)};
    }
    Answer answer;
    answer.result = {{"protocol", protocol_version},
                     {"service", fmt::format("causewayd {}", version)},
                     {"user", spoken(ask.caller.uid)},
                     {"mayOwn", policy_.check_prohibited(ask.caller).has_value() &&
                                    policy_.check_owner(ask.caller).has_value()},
                     {"consented", check_consent(ask.caller).has_value()},
                     {"prohibited", !policy_.check_prohibited(ask.caller).has_value()},
                     {"sessions", sessions_.all().size()},
                     {"alwaysOn", lockdowns_.is_always_on()},
                     {"lockdown", lockdowns_.is_locked_down()},
                     {"closed", lockdowns_.is_closed()}};
    auto& vpns = answer.result["vpns"] = OrderedJson::array();
    for (const auto& [number, session] : sessions_.all())
        vpns.push_back({{"vpnId", session->config.vpn_id},
                        {"state", name_of(session->state)},
                        {"interface", session->interface},
                        {"user", spoken(session->owner.uid)},
                        {"since", iso8601(session->since)},
                        {"isMetered", session->config.is_metered}});
    return answer;
}

Result<Answer> VpnService::list_sessions(const Ask& ask) {
    std::optional<bool> all;
    const auto shape = read_params(ask, {"all"}, 0,
                                   [&](const RequestObject& params) { all = params.flag("all"); });
    if (!shape) return std::unexpected(shape.error());
    const bool wants_all = all.value_or(ask.caller.is_root());
    if (wants_all && !ask.caller.administers()) return others_session("sessions");
    Answer answer;
    auto& list = answer.result["sessions"] = OrderedJson::array();
    for (const auto& [number, session] : sessions_.all())
        if (wants_all || session->owner.uid == ask.caller.uid) list.push_back(json_of(*session));
    for (const auto& lock : lockdowns_.held())
        if (!sessions_.find(lock.session) && (wants_all || lock.owner == ask.caller.uid))
            list.push_back(json_of(lock));
    return answer;
}

Result<Answer> VpnService::subscribe(const Ask& ask) {
    std::optional<bool> all;
    const auto shape = read_params(ask, {"all"}, 0,
                                   [&](const RequestObject& params) { all = params.flag("all"); });
    if (!shape) return std::unexpected(shape.error());
    if (all.value_or(false) && !ask.caller.administers()) return others_session("events");
    listeners_.add(ask.connection, ask.caller);
    return Answer{
        {{"events", OrderedJson::array({"session_up", "session_down", "consent_asked"})}}};
}

Result<Answer> VpnService::explain(const Ask& ask) {
    std::optional<std::string> text;
    const auto shape = read_params(ask, {"destination"}, 0, [&](const RequestObject& params) {
        text = params.text("destination", Need::mandatory);
    });
    if (!shape) return std::unexpected(shape.error());
    const auto destination = IpAddress::parse(*text);
    if (!destination)
        return illegal_value("destination", in_quotes(*text, 60), "an IPv4 or IPv6 address");
    std::vector<RoutedTunnel> tunnels;
    for (const auto& [id, session] : sessions_.all())
        if (session->state == State::up)
            tunnels.push_back({id, session->interface, session->numbers(), &session->plan});
    const auto verdict = explain_route(*destination, tunnels);
    Answer answer{json_of(*destination, verdict)};
    if (verdict.way == RouteVerdict::Way::outside)
        if (const auto lockdown = lockdowns_.holds_back(*destination); !lockdown.empty()) {
            answer.result["verdict"] = "blocked";
            answer.result["why"] = lockdown + " holds it back";
        }
    if (verdict.tunnel) {
        const Session& session = *sessions_.find(verdict.tunnel->session);
        answer.result["user"] = spoken(session.owner.uid);
        if (may_see(ask.caller, session.owner)) answer.result["session"] = session_id(session.id);
    }
    return answer;
}

Result<Answer> VpnService::find_incident(const Ask& ask) {
    std::optional<std::string> text;
    const auto shape = read_params(ask, {"incident"}, 0, [&](const RequestObject& params) {
        text = params.text("incident", Need::mandatory);
    });
    if (!shape) return std::unexpected(shape.error());
    auto incident = incidents_.find(ask.caller, *text);
    if (!incident) return pass(incident);
    return Answer{{{"incident", causeway::json_of(*incident)}}};
}

}  // namespace causeway::service
