#include "causeway/service/vpn_service.h"

#include "causeway/service/set_up_checks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>

#include <cerrno>

namespace causeway::service {
namespace {

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

Result<Fd> process_behind(const Ask& ask) {
    if (ask.socket >= 0) return process_of(ask.socket, ask.caller);
    if (ask.process < 0) return process_numbered(ask.caller.pid);
    Fd copy(fcntl(ask.process, F_DUPFD_CLOEXEC, 0));
    if (!copy) return std::unexpected(system_error(errno, "fcntl F_DUPFD_CLOEXEC"));
    return copy;
}

/// A kernel without the program is one thing, a right that is missing another.
Error not_marked(Error below, const char* field) {
    const bool is_lacking = device::is_errno(below, ENOSYS) || device::is_errno(below, EINVAL) ||
                            device::is_errno(below, EOPNOTSUPP);
    Error error{is_lacking ? Service::CAPABILITY_NOT_SUPPORTED : Service::SYSTEM_INTERNAL_ERROR,
                is_lacking ? "this kernel cannot mark the sockets of programs"
                           : "the sockets of the programs could not be marked",
                {{"step", "application"}, {"field", field}}};
    return std::move(error).because(std::move(below));
}

}  // namespace

VpnService::VpnService(EventLoop& loop, Policy policy, std::string state_folder, Keeper& keeper,
                       Lockdowns& lockdowns, Tell tell)
    : loop_(loop),
      policy_(std::move(policy)),
      state_folder_(std::move(state_folder)),
      consents_(state_folder_ + "/consents.json"),
      keeper_(keeper),
      lockdowns_(lockdowns),
      listeners_(std::move(tell)) {}

VpnService::~VpnService() = default;

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
        case Method::portal: return reply(open_portal(ask));
    }
}

// Setting up

void VpnService::set_up(Ask& ask, Reply reply) {
    auto wanted = check_set_up(ask, {policy_, consents_, sessions_, lockdowns_});
    if (!wanted) {
        ask_for_consent(ask.caller, wanted.error());
        return reply(pass(wanted));
    }
    Session& session = sessions_.reserve(ask, std::move(wanted->config));
    session.users = std::move(wanted->users);
    if (auto bound = bind(session, ask); !bound)
        return give_up(session, std::move(bound).error(), std::move(reply));
    if (auto closed = close_for(session); !closed)
        return give_up(session, std::move(closed).error(), std::move(reply));
    auto tun = prepare(session);
    if (!tun) return give_up(session, service_error(tun.error(), "set_up"), std::move(reply));
    if (session.folders.empty()) return go_on(session, std::move(*tun), std::move(reply));
    ask_for_marks(session.id, std::move(*tun), std::move(reply));
}

Result<void> VpnService::bind(Session& session, const Ask& ask) {
    auto process = process_behind(ask);
    if (!process)
        return fail(Service::SYSTEM_INTERNAL_ERROR, "the caller's process cannot be watched",
                    std::move(process).error());
    session.process = std::move(*process);
    session.process_watch =
        loop_.watch(session.process.get(), EPOLLIN, [this, id = session.id](auto) {
            Session* ended = sessions_.find(id);
            if (!ended) return;
            ended->process_watch.reset();
            end(*ended, "its process ended");
        });
    return {};
}

/// First to come, and last to go: nothing leaves while the rest is half done.
Result<void> VpnService::close_for(const Session& session) {
    if (!session.config.lockdown) return {};
    auto held = lockdowns_.hold({.session = session.id,
                                 .owner = session.owner.uid,
                                 .vpn_id = session.config.vpn_id,
                                 .since = session.since,
                                 .lan = session.config.excluded_routes,
                                 .users = session.users});
    if (!held) held.error().with("field", "lockdown");
    return held;
}

/// The interface, and the numbers that its marks and rules are made from.
Result<PlainTun> VpnService::prepare(Session& session) {
    auto tun = open_plain_tun(session.config.is_blocking);
    if (!tun) return tun;
    session.interface = tun->name;
    session.link = tun->index;
    auto setup = device::Setup::open(state_folder_);
    if (!setup) return pass(setup);
    session.setup = std::move(*setup);
    session.folders = application_folders(session.config);
    return tun;
}

/// Before there is a way: a socket that is made in between would be without a mark for ever.
void VpnService::ask_for_marks(std::uint64_t id, PlainTun tun, Reply reply) {
    const Session& session = *sessions_.find(id);
    const bool inside = !session.config.trusted_applications.empty();
    const auto& names =
        inside ? session.config.trusted_applications : session.config.blocked_applications;
    keeper_.mark(names, inside ? session.numbers().inside_mark() : session.numbers().mark(),
                 [this, id, inside, tun = std::move(tun),
                  reply = std::move(reply)](Result<std::vector<Fd>> marked) mutable {
                     Session* asked = sessions_.find(id);
                     if (!asked) return;
                     if (!marked)
                         return give_up(
                             *asked,
                             not_marked(std::move(marked).error(),
                                        inside ? "trustedApplications" : "blockedApplications"),
                             std::move(reply));
                     asked->markers = std::move(*marked);
                     go_on(*asked, std::move(tun), std::move(reply));
                 });
}

void VpnService::go_on(Session& session, PlainTun tun, Reply reply) {
    if (auto applied = apply(session); !applied)
        return give_up(session, service_error(applied.error(), "set_up"), std::move(reply));
    if (session.config.dns_addresses.empty())
        return came_up(session, std::move(tun.descriptor), std::move(reply));
    ask_for_dns(session.id, std::move(tun.descriptor), std::move(reply));
}

/// Everything but the name servers, which are the keeper's.
Result<void> VpnService::apply(Session& session) {
    auto wanted = network_settings(session.config, session.interface);
    wanted.users = session.users;
    if (!session.folders.empty())
        wanted.applications = {session.config.trusted_applications.empty()
                                   ? device::ApplicationSettings::Way::outside
                                   : device::ApplicationSettings::Way::inside,
                               session.folders};
    // The keeper has loaded what marks them, in this order.
    session.setup->set_marker([&session, next = std::size_t{0}](const std::string& folder,
                                                                std::uint32_t) mutable {
        if (next == session.markers.size())
            return Result<Fd>(std::unexpected(
                system_error(EPROTO, "bpf", "the keeper marked too few").with("cgroup", folder)));
        return Result<Fd>(std::move(session.markers[next++]));
    });
    const bool has_ipv6 = device::has_ipv6();
    auto plan = device::make_plan(
        wanted, {{session.link, wanted.mtu, true}, has_ipv6, has_ipv6, device::DnsBackend::file},
        session.numbers());
    if (!plan) return pass(plan);
    session.plan = std::move(*plan);
    return session.setup->apply(wanted);
}

void VpnService::ask_for_dns(std::uint64_t id, Fd tun, Reply reply) {
    Session& session = *sessions_.find(id);
    session.has_asked_for_dns = true;
    const auto wanted = network_settings(session.config, session.interface);
    keeper_.set({session.number(), session.interface, session.link}, wanted.dns,
                [this, id, tun = std::move(tun),
                 reply = std::move(reply)](Result<std::string> result) mutable {
                    Session* asked = sessions_.find(id);
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
    Result<void> opened = open_ways();
    if (opened) opened = keep_promise(session);
    if (!opened) {
        session.state = State::setting_up;
        return give_up(session, service_error(opened.error(), "firewall"), std::move(reply));
    }
    Answer answer;
    answer.result["session"] = session_id(session.id);
    answer.result["interface"] = session.interface;
    answer.result["mtu"] = session.config.mtu;
    answer.result["dns"] = session.dns;
    answer.result["notes"] = session.setup->notes();
    answer.descriptors.push_back(std::move(tun));
    session.has_been_up = true;
    listeners_.session_up(session);
    reply(std::move(answer));
}

/// From now on it stays closed until the session is destroyed; what an earlier one of this owner
/// held closed has served.
Result<void> VpnService::keep_promise(const Session& session) {
    if (session.config.lockdown)
        if (auto promised = lockdowns_.promise(session.id); !promised) return promised;
    const auto held = lockdowns_.held();
    for (const auto& lock : held)
        if (lock.session != session.id && lock.vpn_id == session.config.vpn_id &&
            !sessions_.find(lock.session))
            if (auto released = lockdowns_.release(lock.session); !released) return released;
    return {};
}

/// Everything may leave by the interfaces of what is up, whatever is closed.
Result<void> VpnService::open_ways() {
    std::vector<std::string> interfaces;
    for (const auto& [id, session] : sessions_.all())
        if (session->state == State::up) interfaces.push_back(session->interface);
    return lockdowns_.set_tunnels(std::move(interfaces));
}

/// What a session's lockdown has closed stays so unless the session was destroyed, or never up.
Result<void> VpnService::settle_lock(const Session& session) {
    if (!lockdowns_.find(session.id)) return {};
    if (session.has_been_up && !session.was_destroyed) return {};
    return lockdowns_.release(session.id);
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
    // What is always on is closed before anything is undone.
    if (auto closed = open_ways(); !closed) session.failure = std::move(closed).error();
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
    const auto ended = sessions_.remove(id);
    if (!ended) return;
    Session& session = *ended;
    Result<void> result = std::move(dns);
    if (session.failure && result) result = std::unexpected(*session.failure);
    if (session.setup)
        if (auto undone = session.setup->undo(); !undone && result)
            result = std::unexpected(service_error(undone.error(), "undo"));
    session.setup.reset();
    if (!session.interface.empty()) remove_abandoned_tun(session.interface, session.link);
    if (auto settled = settle_lock(session); !settled && result) result = std::move(settled);
    listeners_.session_down(session);
    for (auto& waiter : session.end_waiters) waiter(result);
    if (sessions_.empty() && shut_down_done_) std::exchange(shut_down_done_, nullptr)();
}

void VpnService::connection_closed(ConnectionId connection) {
    listeners_.remove(connection);
    drop_questions(connection);
    for (const auto id : sessions_.of(connection))
        if (Session* session = sessions_.find(id)) end(*session, "its connection was closed");
}

void VpnService::shut_down(std::move_only_function<void()> done) {
    if (sessions_.empty()) return done();
    shut_down_done_ = std::move(done);
    for (const auto id : sessions_.ids())
        if (Session* session = sessions_.find(id)) end(*session, "the service ends");
}

}  // namespace causeway::service
