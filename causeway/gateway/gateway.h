// The main thread of the gateway: accepts, asks causeway-auth, obeys signals and operators.
//
//     main thread    listeners, causeway-auth, control socket, signals, ends of sessions
//     shard 0..n     clients and one queue of the TUN each
//     shared         Registry (one lock), LoginStore, IncidentLog

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/gateway/auth_client.h"
#include "causeway/gateway/control.h"
#include "causeway/gateway/file_keeper.h"
#include "causeway/gateway/file_stamp.h"
#include "causeway/gateway/listener.h"
#include "causeway/gateway/login_store.h"
#include "causeway/gateway/registry.h"
#include "causeway/gateway/shard.h"
#include "causeway/gateway/tunnel_device.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace causeway::gateway {

class Gateway : private Operations {
public:
    /// Everything that takes privileges, opened before they are dropped.
    struct Opened {
        std::vector<Fd> listeners;
        TunnelDevice tunnel;
        std::vector<std::vector<Fd>> datagram_sockets;  ///< Of each queue of the tunnel.
        Fd control_socket;
        std::unique_ptr<IncidentLog> log;
        std::unique_ptr<FileKeeper> files;
    };

    Gateway(std::shared_ptr<const Serving> serving, Opened opened);
    ~Gateway();

    /// Gives each shard its UDP sockets; while there are privileges, for larger buffers. Fails as
    /// UdpPort::open.
    Result<void> start_datagrams();

    /// Starts causeway-auth, when the configuration has a users file. Before `run`; the loop is
    /// needed for its answer. Fails as AuthClient::start.
    Result<void> start_authentication();

    /// Serves until SIGTERM or SIGINT, or until the TUN fails, which is the failure returned.
    /// `ready` is called once clients are accepted.
    Result<void> run(std::move_only_function<void()> ready);

    IncidentLog& log() { return registry_.log(); }

private:
    void listen();
    void watch_signals();
    void take(Arrival arrival);
    std::optional<Unwelcome> unwelcome(const Error& ban);
    Shard& least_loaded();
    FileOpener opener();
    void on_hangup();
    void notice_changed_users();
    void reload_is_done(const Result<void>& outcome);
    void on_terminate();
    void shard_is_empty();
    void device_failed(Error error);
    void watch_sessions();
    void end_due_sessions();
    void end_session(const Session& ended, Reason why, std::move_only_function<void()> done);

    // Operations
    void list_sessions(std::move_only_function<void(std::vector<SessionView>)> done) override;
    void look_at_shards(std::move_only_function<void(std::vector<Shard::Report>)> done) override;
    std::vector<Ban> list_bans() override;
    void disconnect(
        const std::string& whom,
        std::move_only_function<void(Result<std::vector<SessionNumber>>)> done) override;
    Result<void> unban(const std::string& address) override;
    Result<std::string> incident(const std::string& id) override;

    EventLoop loop_;
    std::unique_ptr<FileKeeper> files_;
    Registry registry_;
    LoginStore logins_;
    DatagramTable datagrams_;
    std::optional<AuthClient> auth_;
    std::vector<Fd> listening_;
    std::vector<std::vector<Fd>> datagram_sockets_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    ControlServer control_;
    std::vector<EventLoop::Watch> signals_;
    std::optional<FileStamp> users_stamp_;
    EventLoop::Timer sessions_due_;
    EventLoop::Timer give_up_;
    std::shared_ptr<std::atomic<std::size_t>> being_told_;  ///< Banned ones, see limits.h.
    std::size_t shards_to_empty_ = 0;
    bool is_ending_ = false;
    std::optional<Error> failure_;
};

}  // namespace causeway::gateway
