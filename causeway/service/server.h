// The control socket's clients: who they are, how much of the service they may take, their frames.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"
#include "causeway/service/control_stream.h"
#include "causeway/service/vpn_service.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace causeway::service {

class Server {
public:
    Server(EventLoop& loop, Fd listener);
    ~Server();

    /// Requests go there; before the first one arrives.
    void serve(VpnService& service);
    /// No further connections and requests.
    void stop();

    /// To a connection that is there still.
    void send(ConnectionId id, const std::string& json, std::vector<Fd> descriptors = {});

private:
    struct Connection;

    void accept_waiting();
    void pause();
    void take(Fd socket);
    std::size_t count_of(const Caller& caller) const;
    Result<void> check_room(const Caller& caller) const;
    void on_ready(ConnectionId id, std::uint32_t flags);
    bool read_frames(ConnectionId id);
    void handle(ConnectionId id, ControlFrame frame);
    void answer(ConnectionId id, std::uint64_t request, const Caller& caller,
                Result<Answer> result);
    void watch_time(ConnectionId id, Connection& connection);
    bool is_within_budget(const Connection& connection) const;
    void refuse(ConnectionId id, Error error);
    void close(ConnectionId id);
    Connection* find(ConnectionId id);

    EventLoop& loop_;
    Fd listener_;
    VpnService* service_ = nullptr;
    EventLoop::Watch watch_;
    EventLoop::Timer resume_;
    std::map<ConnectionId, std::unique_ptr<Connection>> connections_;
    ConnectionId last_ = 0;
};

}  // namespace causeway::service
