// The control socket: sessions, status, bans, disconnect, unban, incident; for root and the
// gateway's own user.
//
// One JSON object asks, one answers, over an ipc::Channel:
//
//     {"do":"sessions"}                       -> {"sessions":[{…}]}
//     {"do":"status"}                         -> {"status":{…}}
//     {"do":"bans"}                           -> {"bans":[{…}]}
//     {"do":"disconnect","argument":"12"}     -> {"ended":[12]}
//     {"do":"unban","argument":"192.0.2.1"}   -> {"unbanned":"192.0.2.1"}
//     {"do":"incident","argument":"5f3a…"}    -> {"incident":{…}}
//     whatever could not be done              -> {"error":{…}}

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/gateway/admission.h"
#include "causeway/gateway/session_table.h"
#include "causeway/gateway/shard.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace causeway::gateway {

/// A session as the operator sees it.
struct SessionView {
    Session session;  ///< With the traffic of its present transport.
    std::optional<Shard::LiveSession> live;
};

/// What the gateway can be asked; all of it in the main thread.
class Operations {
public:
    /// `done` is called in the main thread.
    virtual void list_sessions(std::move_only_function<void(std::vector<SessionView>)> done) = 0;
    /// What the threads report, in their order; `done` is called in the main thread.
    virtual void look_at_shards(std::move_only_function<void(std::vector<Shard::Report>)> done) = 0;
    virtual std::vector<Ban> list_bans() = 0;
    /// "12" or "user:NAME". When `done` is called, no packet of these sessions is forwarded any
    /// more. Fails with PARAMETER_ERROR: no such session or user.
    virtual void disconnect(
        const std::string& whom,
        std::move_only_function<void(Result<std::vector<SessionNumber>>)> done) = 0;
    /// Fails with PARAMETER_ERROR: not an address, or not banned.
    virtual Result<void> unban(const std::string& address) = 0;
    /// The JSON line of an incident. Fails with PARAMETER_ERROR: not kept (any more).
    virtual Result<std::string> incident(const std::string& id) = 0;

protected:
    ~Operations() = default;
};

class ControlServer {
public:
    /// Binds the socket, after removing one that nobody listens on any more. Makes its folder when
    /// that is missing. Fails with configurationFailed <- the errno (EADDRINUSE: another gateway).
    static Result<Fd> open(const std::string& path);

    ControlServer(EventLoop& loop, Fd socket, Operations& operations,
                  datapath::CryptoBackend crypto);
    ~ControlServer();

private:
    struct Client;

    void accept_waiting();
    void on_ready(std::uint64_t number);
    void answer(std::uint64_t number, const std::string& question);
    void send(std::uint64_t number, const std::string& json_text);

    EventLoop& loop_;
    Fd socket_;
    Operations& operations_;
    datapath::CryptoBackend crypto_;
    EventLoop::Watch watch_;
    std::map<std::uint64_t, std::unique_ptr<Client>> clients_;
    std::uint64_t last_number_ = 0;
};

}  // namespace causeway::gateway
