#include "causeway/service/vpn_service.h"

#include "causeway/base/random.h"
#include "causeway/base/text.h"
#include "causeway/base/version.h"
#include "causeway/error/json.h"
#include "causeway/service/explain_route.h"
#include "causeway/service/limits.h"
#include "causeway/service/protect_socket.h"
#include "causeway/service/request_object.h"
#include "causeway/service/request_params.h"
#include "causeway/service/vpn_config_json.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

namespace causeway::service {
namespace {

using Json = nlohmann::ordered_json;
using State = Session::State;

/// The part of a failure that is the service's: what lies above it speaks of a connection.
Error service_error(const Error& error, std::string step) {
    const Error* own = error.find(Domain::service);
    if (!own)
        return Error{Service::SYSTEM_INTERNAL_ERROR, error.detail, {{"step", std::move(step)}}}
            .because(error);
    Error copy = *own;
    // The caller has been let in, and its configuration was checked: the machine refuses.
    const bool is_ours = copy.code == Code(Service::SYSTEM_INTERNAL_ERROR) ||
                         copy.code == Code(Service::CAPABILITY_NOT_SUPPORTED) ||
                         copy.code == Code(Service::INVALID_PARAMETER_VALUE);
    if (!is_ours) copy.code = Service::SYSTEM_INTERNAL_ERROR;
    if (copy.fact("step").empty()) copy.with("step", std::move(step));
    return copy;
}

/// What the resolver in use cannot give is the caller's to change.
Error dns_error(Error below) {
    if (below.find(Domain::service)) return service_error(below, "dns");
    return Error{
        Service::SYSTEM_INTERNAL_ERROR, "the name servers could not be set", {{"step", "dns"}}}
        .because(std::move(below));
}

std::unexpected<Error> illegal(std::string field, std::string value, std::string allowed) {
    RequestFaults faults;
    faults.illegal(std::move(field), std::move(value), std::move(allowed));
    return std::unexpected(faults.error());
}

/// "whose, since when"
Error exists_already(const Session& other, bool may_know) {
    Error error{Service::VPN_ALREADY_EXISTS,
                fmt::format("{} has {}{} since {} (process {})", spoken(other.owner.uid),
                            other.config.vpn_id.empty()
                                ? std::string("a VPN")
                                : fmt::format("the VPN \"{}\"", other.config.vpn_id),
                            other.state == State::up ? " up" : " in the making",
                            iso8601(other.since), other.owner.pid)};
    error.with("owner", spoken(other.owner.uid))
        .with("uid", std::to_string(other.owner.uid))
        .with("pid", std::to_string(other.owner.pid))
        .with("since", iso8601(other.since))
        .with("state", std::string(name_of(other.state)));
    if (!other.interface.empty()) error.with("interface", other.interface);
    if (may_know) error.with("session", session_id(other.id));
    return error;
}

bool may_see(const Caller& caller, const Caller& owner) {
    return caller.administers() || caller.uid == owner.uid;
}

Result<Fd> process_behind(const Ask& ask) {
    if (ask.socket >= 0) return process_of(ask.socket, ask.caller);
    if (ask.process < 0) return process_numbered(ask.caller.pid);
    Fd copy(fcntl(ask.process, F_DUPFD_CLOEXEC, 0));
    if (!copy) return std::unexpected(system_error(errno, "fcntl F_DUPFD_CLOEXEC"));
    return copy;
}

std::unexpected<Error> others_session(std::string_view call) {
    return fail(Service::NOT_SYSTEM_CALLER,
                fmt::format("{} of other users' sessions is for root", call),
                Evidence{{"method", std::string(call)}});
}

}  // namespace

VpnService::VpnService(EventLoop& loop, Policy policy, std::string state_folder, Keeper& keeper,
                       Tell tell)
    : loop_(loop),
      policy_(std::move(policy)),
      state_folder_(std::move(state_folder)),
      consents_(state_folder_ + "/consents.json"),
      keeper_(keeper),
      tell_(std::move(tell)) {}

VpnService::~VpnService() = default;

Incident VpnService::record(const Caller& caller, Error error) {
    auto incident = make_incident({}, {}, Phase::device, std::move(error));
    if (incidents_.size() == incident_limit) incidents_.pop_front();
    incidents_.push_back({caller.uid, incident});
    return incident;
}

void VpnService::carry_out(Ask ask, Reply reply) {
    switch (ask.request.method) {
        case Method::set_up: return set_up(ask, std::move(reply));
        case Method::protect: return reply(protect(ask));
        case Method::destroy: return destroy(ask, std::move(reply));
        case Method::status: return reply(status(ask));
        case Method::sessions: return reply(list_sessions(ask));
        case Method::events: return reply(subscribe(ask));
        case Method::explain_route: return reply(explain(ask));
        case Method::incident: return reply(find_incident(ask));
        case Method::consent: return give_consent(ask, std::move(reply));
        case Method::revoke: return revoke_consent(ask, std::move(reply));
        case Method::set_always_on:
        case Method::set_lockdown: return reply(administer(ask));
    }
}

// Setting up

void VpnService::set_up(Ask& ask, Reply reply) {
    auto config = wanted_config(ask);
    if (!config) {
        ask_for_consent(ask.caller, config.error());
        return reply(pass(config));
    }
    Session& session = reserve(ask, std::move(*config));
    if (auto bound = bind(session, ask); !bound)
        return give_up(session, std::move(bound).error(), std::move(reply));
    auto tun = apply(session);
    if (!tun) return give_up(session, service_error(tun.error(), "set_up"), std::move(reply));
    if (session.config.dns_addresses.empty())
        return came_up(session, std::move(*tun), std::move(reply));
    ask_for_dns(session.id, std::move(*tun), std::move(reply));
}

/// All checks, in the order in which they are promised. Nothing has changed before they are over.
Result<VpnConfig> VpnService::wanted_config(const Ask& ask) const {
    if (auto allowed = policy_.check_prohibited(ask.caller); !allowed) return pass(allowed);
    const auto shape = read_params(ask, {"config"}, 0, [](const RequestObject& params) {
        (void)params.any("config", "an object");
    });
    if (!shape) return std::unexpected(shape.error());
    auto config = vpn_config_from(ask.request.params["config"]);
    if (!config) return config;
    if (auto fits = check_others(*config); !fits) return pass(fits);
    if (auto may = policy_.check_permission(ask.caller); !may) return pass(may);
    if (auto agreed = check_consent(ask.caller); !agreed) return pass(agreed);
    if (auto may = policy_.check_guest(ask.caller); !may) return pass(may);
    if (auto free = check_slot(*config, ask.caller); !free) return pass(free);
    if (auto supported = check_supported(*config); !supported) return pass(supported);
    // The device would leave these addresses out, and say so in a note.
    if (config->carries(Family::ipv6) && !device::has_ipv6())
        return fail(Service::CAPABILITY_NOT_SUPPORTED, "this machine has no IPv6",
                    Evidence{{"field", "addresses"}});
    return config;
}

/// What is impossible beside the VPNs that are up.
Result<void> VpnService::check_others(const VpnConfig& config) const {
    RequestFaults faults;
    std::size_t with_id = 0;
    for (const auto& [id, other] : sessions_) {
        if (!other->config.vpn_id.empty()) ++with_id;
        // The same one twice is another fault.
        if (other->config.vpn_id == config.vpn_id) return {};
        const auto others_name = other->config.vpn_id.empty()
                                     ? std::string("the VPN without vpnId")
                                     : fmt::format("the VPN \"{}\"", other->config.vpn_id);
        for (const auto& overlap : overlaps(config, other->config))
            faults.illegal(
                overlap.field, overlap.value,
                fmt::format("nothing that {} of {} has", others_name, spoken(other->owner.uid)));
    }
    if (!config.vpn_id.empty() && with_id >= vpn_limit)
        faults.illegal("vpnId", fmt::format("one of {}", with_id + 1),
                       fmt::format("{} at a time", vpn_limit));
    if (!faults.empty()) return std::unexpected(faults.error());
    return {};
}

Result<void> VpnService::check_slot(const VpnConfig& config, const Caller& caller) const {
    for (const auto& [id, other] : sessions_)
        if (other->config.vpn_id == config.vpn_id)
            return std::unexpected(exists_already(*other, may_see(caller, other->owner)));
    return {};
}

Session& VpnService::reserve(const Ask& ask, VpnConfig config) {
    std::uint64_t id = random_64();
    while (id == 0 || sessions_.contains(id)) id = random_64();
    auto session = std::make_unique<Session>();
    session->id = id;
    session->connection = ask.connection;
    session->owner = ask.caller;
    session->config = std::move(config);
    session->since = wall_now();
    return *sessions_.emplace(id, std::move(session)).first->second;
}

Result<void> VpnService::bind(Session& session, const Ask& ask) {
    auto process = process_behind(ask);
    if (!process)
        return fail(Service::SYSTEM_INTERNAL_ERROR, "the caller's process cannot be watched",
                    std::move(process).error());
    session.process = std::move(*process);
    session.process_watch =
        loop_.watch(session.process.get(), EPOLLIN, [this, id = session.id](auto) {
            Session* ended = find(id);
            if (!ended) return;
            ended->process_watch.reset();
            end(*ended, "its process ended");
        });
    return {};
}

/// Everything but the name servers, which are the keeper's.
Result<Fd> VpnService::apply(Session& session) {
    auto tun = open_plain_tun(session.config.is_blocking);
    if (!tun) return pass(tun);
    session.interface = tun->name;
    session.link = tun->index;
    auto setup = device::Setup::open(state_folder_);
    if (!setup) return pass(setup);
    session.setup = std::move(*setup);

    const auto wanted = network_settings(session.config, session.interface);
    const bool has_ipv6 = device::has_ipv6();
    auto plan = device::make_plan(
        wanted, {{session.link, wanted.mtu, true}, has_ipv6, has_ipv6, device::DnsBackend::file},
        session.numbers());
    if (!plan) return pass(plan);
    session.plan = std::move(*plan);
    if (auto applied = session.setup->apply(wanted); !applied) return pass(applied);
    return std::move(tun->descriptor);
}

void VpnService::ask_for_dns(std::uint64_t id, Fd tun, Reply reply) {
    Session& session = *find(id);
    session.has_asked_for_dns = true;
    const auto wanted = network_settings(session.config, session.interface);
    keeper_.set({session.number(), session.interface, session.link}, wanted.dns,
                [this, id, tun = std::move(tun),
                 reply = std::move(reply)](Result<std::string> result) mutable {
                    Session* asked = find(id);
                    if (!asked) return;
                    if (!result)
                        return give_up(*asked, dns_error(std::move(result).error()),
                                       std::move(reply));
                    asked->dns = std::move(*result);
                    came_up(*asked, std::move(tun), std::move(reply));
                });
}

void VpnService::came_up(Session& session, Fd tun, Reply reply) {
    // It was to end meanwhile: its owner went away, or the service ends.
    if (!session.end_reason.empty())
        return give_up(session,
                       Error{Service::SYSTEM_INTERNAL_ERROR,
                             "the session ended while it was set up: " + session.end_reason,
                             {{"step", "owner"}}},
                       std::move(reply));
    session.state = State::up;
    Answer answer;
    answer.result["session"] = session_id(session.id);
    answer.result["interface"] = session.interface;
    answer.result["mtu"] = session.config.mtu;
    answer.result["dns"] = session.dns;
    answer.result["notes"] = session.setup->notes();
    answer.descriptors.push_back(std::move(tun));
    session.has_been_up = true;
    announce("session_up", session);
    reply(std::move(answer));
}

/// Answers once everything is undone.
void VpnService::give_up(Session& session, Error error, Reply reply) {
    session.end_waiters.push_back(
        [error = std::move(error), reply = std::move(reply)](const Result<void>& undone) mutable {
            if (!undone) error.with("left_behind", undone.error().detail);
            reply(std::unexpected(std::move(error)));
        });
    if (session.end_reason.empty()) session.end_reason = "it could not be set up";
    tear_down(session);
}

// Ending

void VpnService::end(Session& session, std::string reason,
                     std::move_only_function<void(const Result<void>&)> waiter) {
    if (waiter) session.end_waiters.push_back(std::move(waiter));
    if (session.end_reason.empty()) session.end_reason = std::move(reason);
    // What the keeper is doing is waited for; then it is taken back.
    if (session.state == State::up) tear_down(session);
}

void VpnService::tear_down(Session& session) {
    session.state = State::tearing_down;
    const auto id = session.id;
    if (!session.has_asked_for_dns) return finish(id, {});
    keeper_.restore(session.number(), [this, id](Result<std::string> restored) {
        Result<void> result;
        if (!restored)
            result = std::unexpected(Error{
                Service::SYSTEM_INTERNAL_ERROR,
                "the name servers could not be put back",
                {{"step", "dns"}}}.because(std::move(restored).error()));
        finish(id, std::move(result));
    });
}

/// All steps run whatever fails; the first failure is told.
void VpnService::finish(std::uint64_t id, Result<void> dns) {
    auto node = sessions_.extract(id);
    if (node.empty()) return;
    Session& session = *node.mapped();
    Result<void> result = std::move(dns);
    if (session.setup)
        if (auto undone = session.setup->undo(); !undone && result)
            result = std::unexpected(service_error(undone.error(), "undo"));
    session.setup.reset();
    if (!session.interface.empty()) remove_abandoned_tun(session.interface, session.link);
    announce("session_down", session, session.end_reason);
    for (auto& waiter : session.end_waiters) waiter(result);
    if (sessions_.empty() && shut_down_done_) std::exchange(shut_down_done_, nullptr)();
}

void VpnService::connection_closed(ConnectionId connection) {
    listeners_.erase(connection);
    drop_questions(connection);
    for (const auto id : sessions_of(connection))
        if (Session* session = find(id)) end(*session, "its connection was closed");
}

void VpnService::shut_down(std::move_only_function<void()> done) {
    if (sessions_.empty()) return done();
    shut_down_done_ = std::move(done);
    std::vector<std::uint64_t> all;
    for (const auto& [id, session] : sessions_) all.push_back(id);
    for (const auto id : all)
        if (Session* session = find(id)) end(*session, "the service ends");
}

// Finding

Session* VpnService::find(std::uint64_t id) {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : found->second.get();
}

/// Fails with INVALID_PARAMETER_VALUE.
Result<Session*> VpnService::session_named(const std::string& id) {
    const auto number = parse_incident_id(id);
    if (!number)
        return illegal("session",
                       fmt::format("\"{}\"", printable(std::string_view(id).substr(0, 60))),
                       "16 hexadecimal digits");
    Session* session = find(*number);
    if (session) return session;
    return illegal("session", fmt::format("\"{}\"", id), "a session that is up");
}

std::vector<std::uint64_t> VpnService::sessions_of(ConnectionId connection) const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, session] : sessions_)
        if (session->connection == connection) ids.push_back(id);
    return ids;
}

// The other calls

Result<Answer> VpnService::protect(Ask& ask) {
    std::optional<std::string> id;
    const auto shape = read_params(ask, {"session"}, 1, [&](const RequestObject& params) {
        id = params.text("session", Need::optional);
    });
    if (!shape) return std::unexpected(shape.error());
    const auto own = sessions_of(ask.connection);
    Session* session = own.empty() ? nullptr : find(own.front());
    if (id) {
        auto named = session_named(*id);
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
    const auto own = sessions_of(ask.connection);
    if (!id && own.size() > 1)
        return reply(fail(Service::PARAMETER_ERROR,
                          fmt::format("session is missing: this connection has {}", own.size()),
                          Evidence{{"field", "session"}, {"limit", "one of its sessions"}}));
    // Nothing to undo is no failure.
    if (!id && own.empty()) return reply(Answer{{{"session", nullptr}}});
    Result<Session*> session = id ? session_named(*id) : Result<Session*>(find(own.front()));
    if (!session) return reply(pass(session));
    if (!may_see(ask.caller, (*session)->owner))
        return reply(fail(Service::PERMISSION_DENIED,
                          fmt::format("the session belongs to {}", spoken((*session)->owner.uid)),
                          Evidence{{"owner", spoken((*session)->owner.uid)}}));
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
        auto session = session_named(*id);
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
                     {"sessions", sessions_.size()}};
    auto& vpns = answer.result["vpns"] = Json::array();
    for (const auto& [number, session] : sessions_)
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
    auto& list = answer.result["sessions"] = Json::array();
    for (const auto& [number, session] : sessions_)
        if (wants_all || session->owner.uid == ask.caller.uid) list.push_back(json_of(*session));
    return answer;
}

Result<Answer> VpnService::subscribe(const Ask& ask) {
    std::optional<bool> all;
    const auto shape = read_params(ask, {"all"}, 0,
                                   [&](const RequestObject& params) { all = params.flag("all"); });
    if (!shape) return std::unexpected(shape.error());
    if (all.value_or(false) && !ask.caller.administers()) return others_session("events");
    listeners_[ask.connection] = ask.caller;
    return Answer{{{"events", Json::array({"session_up", "session_down", "consent_asked"})}}};
}

Result<Answer> VpnService::explain(const Ask& ask) {
    std::optional<std::string> text;
    const auto shape = read_params(ask, {"destination"}, 0, [&](const RequestObject& params) {
        text = params.text("destination", Need::mandatory);
    });
    if (!shape) return std::unexpected(shape.error());
    const auto destination = IpAddress::parse(*text);
    if (!destination)
        return illegal("destination",
                       fmt::format("\"{}\"", printable(std::string_view(*text).substr(0, 60))),
                       "an IPv4 or IPv6 address");
    std::vector<RoutedTunnel> tunnels;
    for (const auto& [id, session] : sessions_)
        if (session->state == State::up)
            tunnels.push_back({id, session->interface, session->numbers(), &session->plan});
    const auto verdict = explain_route(*destination, tunnels);
    Answer answer{json_of(*destination, verdict)};
    if (verdict.tunnel) {
        const Session& session = *find(verdict.tunnel->session);
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
    const auto id = parse_incident_id(*text);
    const auto found = std::ranges::find_if(
        incidents_, [&](const Kept& kept) { return id && kept.incident.id == *id; });
    if (found == incidents_.end())
        return illegal("incident",
                       fmt::format("\"{}\"", printable(std::string_view(*text).substr(0, 60))),
                       fmt::format("one of the last {}", incident_limit));
    if (!ask.caller.administers() && found->owner != ask.caller.uid)
        return others_session("incident");
    return Answer{{{"incident", causeway::json_of(found->incident)}}};
}

/// Always-on and lockdown: for the system, and not in this version.
Result<Answer> VpnService::administer(const Ask& ask) {
    const auto name = name_of(ask.request.method);
    const auto shape = read_params(ask, {"enabled"}, 0, [&](const RequestObject& params) {
        (void)params.any("enabled", "true or false");
        (void)params.flag("enabled");
    });
    if (!shape) return std::unexpected(shape.error());
    if (!ask.caller.administers())
        return fail(Service::NOT_SYSTEM_CALLER, fmt::format("{} is for root", name),
                    Evidence{{"method", std::string(name)}});
    return fail(Service::CAPABILITY_NOT_SUPPORTED,
                fmt::format("this version of the service has no {}", name),
                Evidence{{"method", std::string(name)}});
}

void VpnService::announce(const char* event, const Session& session, std::string_view reason) {
    // A session that never came up has nothing to tell but to who asked for it.
    if (std::string_view(event) == "session_down" && !session.has_been_up) return;
    Json json{{"version", protocol_version},      {"event", event},
              {"time", iso8601(wall_now())},      {"session", session_id(session.id)},
              {"interface", session.interface},   {"vpnId", session.config.vpn_id},
              {"user", spoken(session.owner.uid)}};
    if (!reason.empty()) json["reason"] = reason;
    tell_listeners(session.owner, json);
}

/// Those who may know what concerns `owner`.
void VpnService::tell_listeners(const Caller& owner, const Json& event) {
    const std::string text = event.dump(-1, ' ', false, Json::error_handler_t::replace);
    // A listener that does not read is taken off while it is told.
    const auto listeners = listeners_;
    for (const auto& [connection, caller] : listeners)
        if (may_see(caller, owner)) tell_(connection, text);
}

}  // namespace causeway::service
