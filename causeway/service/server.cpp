#include "causeway/service/server.h"

#include "causeway/service/limits.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace causeway::service {
namespace {

constexpr auto pause_when_full = std::chrono::milliseconds(100);

Error step_failed(std::string detail, Error below) {
    return Error{Service::SYSTEM_INTERNAL_ERROR, std::move(detail), {{"step", "connection"}}}
        .because(std::move(below));
}

}  // namespace

struct Server::Connection {
    Connection(Fd socket, Caller who) : stream(std::move(socket)), caller(std::move(who)) {}

    ControlStream stream;
    Caller caller;
    EventLoop::Watch watch;
    EventLoop::Timer frame_timer;  ///< Runs while a frame is not whole.
};

Server::Server(EventLoop& loop, Fd listener) : loop_(loop), listener_(std::move(listener)) {}

Server::~Server() = default;

void Server::serve(VpnService& service) {
    service_ = &service;
    watch_ = loop_.watch(listener_.get(), EPOLLIN, [this](auto) { accept_waiting(); });
}

void Server::stop() {
    watch_.reset();
    resume_.reset();
    listener_.reset();
    for (auto& [id, connection] : connections_)
        connection->watch.want(connection->stream.wants_write() ? std::uint32_t{EPOLLOUT} : 0U);
}

Server::Connection* Server::find(ConnectionId id) {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : found->second.get();
}

// Coming and going

void Server::accept_waiting() {
    for (int turn = 0; turn < connections_a_turn; ++turn) {
        Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket) break;
        take(std::move(socket));
        errno = 0;
    }
    const bool is_full = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    // The listener stays readable: without a pause the loop would do nothing else.
    if (is_full) pause();
}

void Server::pause() {
    watch_.want(0);
    resume_ = loop_.at(Clock::now() + pause_when_full, [this] { watch_.want(EPOLLIN); });
}

std::size_t Server::count_of(const Caller& caller) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        connections_, [&](const auto& entry) { return entry.second->caller.uid == caller.uid; }));
}

/// Root always finds a place: what ordinary users take is not its.
Result<void> Server::check_room(const Caller& caller) const {
    const auto own = count_of(caller);
    const auto limit = caller.is_root() ? connection_limit_of_root : connection_limit_of_user;
    const auto of_root = count_of(Caller{});
    const bool is_full = !caller.is_root() && connections_.size() - of_root >= connection_limit;
    if (own < limit && !is_full) return {};
    return std::unexpected(step_failed(
        own >= limit
            ? fmt::format("{} has {} connections, and no more may be open", spoken(caller.uid), own)
            : std::string("too many connections are open"),
        system_error(EUSERS, "accept")));
}

void Server::take(Fd socket) {
    auto caller = caller_of(socket.get());
    if (!caller) return;
    const auto room = check_room(*caller);
    const int descriptor = socket.get();
    auto connection = std::make_unique<Connection>(std::move(socket), std::move(*caller));
    if (!room) {
        // Told as far as it fits into the socket, and closed.
        [[maybe_unused]] const auto told = connection->stream.send(
            error_text(std::nullopt, service_->record(connection->caller, room.error())));
        return;
    }
    const auto id = ++last_;
    connection->watch =
        loop_.watch(descriptor, EPOLLIN, [this, id](auto flags) { on_ready(id, flags); });
    connections_.emplace(id, std::move(connection));
}

void Server::close(ConnectionId id) {
    // The service may send events to others meanwhile, not to this one.
    const auto closed = connections_.extract(id);
    if (!closed.empty()) service_->connection_closed(id);
}

/// Says why, as far as it fits into the socket, and closes.
void Server::refuse(ConnectionId id, Error error) {
    Connection* connection = find(id);
    if (!connection) return;
    const auto incident = service_->record(connection->caller, std::move(error));
    [[maybe_unused]] const auto told = connection->stream.send(error_text(std::nullopt, incident));
    close(id);
}

// Frames

void Server::on_ready(ConnectionId id, std::uint32_t flags) {
    Connection* connection = find(id);
    if (!connection) return;
    if (!connection->stream.flush()) return close(id);
    if (!listener_) {
        // Ending: what is asked now is not read, and whoever leaves is not waited for.
        if ((flags & (EPOLLHUP | EPOLLERR)) != 0) return close(id);
        return connection->watch.want(connection->stream.wants_write() ? std::uint32_t{EPOLLOUT}
                                                                       : 0U);
    }
    if (!read_frames(id)) return;
    connection = find(id);
    if (!connection) return;
    watch_time(id, *connection);
    if (!is_within_budget(*connection))
        return refuse(
            id, step_failed(fmt::format("{} has more than {} bytes of unfinished frames",
                                        spoken(connection->caller.uid), unfinished_limit_of_user),
                            system_error(EDQUOT, "recvmsg")));
    connection->watch.want(connection->stream.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/// False when the connection is gone.
bool Server::read_frames(ConnectionId id) {
    for (int turn = 0; turn < frames_a_turn; ++turn) {
        Connection* connection = find(id);
        if (!connection) return false;
        auto frame = connection->stream.receive();
        if (!frame) {
            const bool is_too_long = frame.error().code == Code::raw(Domain::system, EMSGSIZE);
            if (is_too_long)
                refuse(id, Error{Service::PARAMETER_ERROR, frame.error().detail}.because(
                               frame.error()));
            else
                close(id);
            return false;
        }
        if (!*frame) return true;
        handle(id, std::move(**frame));
    }
    return true;
}

void Server::watch_time(ConnectionId id, Connection& connection) {
    if (connection.stream.unfinished() == 0) return connection.frame_timer.reset();
    if (connection.frame_timer) return;
    connection.frame_timer = loop_.at(Clock::now() + frame_time_limit, [this, id] {
        refuse(id,
               Error{Service::PARAMETER_ERROR, fmt::format("a frame was not whole after {}",
                                                           causeway::spoken(frame_time_limit))});
    });
}

bool Server::is_within_budget(const Connection& connection) const {
    std::size_t unfinished = 0;
    for (const auto& [id, other] : connections_)
        if (other->caller.uid == connection.caller.uid) unfinished += other->stream.unfinished();
    return unfinished <= unfinished_limit_of_user;
}

void Server::handle(ConnectionId id, ControlFrame frame) {
    Connection& connection = *find(id);
    // Whole: the next one has its own time.
    connection.frame_timer.reset();
    auto request = parse_request(frame.text);
    const Caller caller = connection.caller;
    if (!request) {
        const auto& bad = request.error();
        return send(id, error_text(bad.id, service_->record(caller, bad.error)));
    }
    const auto number = request->id;
    service_->handle({id, connection.stream.fd(), caller, std::move(*request),
                      std::move(frame.descriptors), frame.has_too_many_descriptors},
                     [this, id, number, caller](Result<Answer> result) {
                         answer(id, number, caller, std::move(result));
                     });
}

void Server::answer(ConnectionId id, std::uint64_t request, const Caller& caller,
                    Result<Answer> result) {
    if (result)
        return send(id, answer_text(request, result->result), std::move(result->descriptors));
    send(id, error_text(request, service_->record(caller, std::move(result).error())));
}

void Server::send(ConnectionId id, const std::string& json, std::vector<Fd> descriptors) {
    Connection* connection = find(id);
    if (!connection) return;
    if (!connection->stream.send(json, std::move(descriptors))) {
        // Not here: whoever sends may be in the middle of something of this connection.
        loop_.post([this, id] { close(id); });
        return;
    }
    if (connection->stream.wants_write())
        connection->watch.want(listener_ ? EPOLLIN | EPOLLOUT : EPOLLOUT);
}

}  // namespace causeway::service
