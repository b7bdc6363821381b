// One client, from accept to goodbye: TLS, then HTTP with the login, then the tunnel.
//
//     handshake --> requests --(CONNECT)--> tunnel --> goodbye
//         `-------------`--------------------------------^
//
// All of it runs in the thread of one shard. What takes long (a password check) is asked for and
// answered later through `password_checked`.

#pragma once

#include "causeway/gateway/auth_client.h"
#include "causeway/gateway/client_tunnel.h"
#include "causeway/gateway/datagram_table.h"
#include "causeway/gateway/listener.h"
#include "causeway/gateway/login_store.h"
#include "causeway/gateway/registry.h"
#include "causeway/gateway/tls_transport.h"
#include "causeway/protocol/http_reader.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace causeway::gateway {

/// What a connection needs of its surroundings. All of it outlives the connection.
struct ConnectionHost {
    EventLoop& loop;
    std::size_t shard;
    Registry& registry;
    LoginStore& logins;
    ClientTunnel::PacketSink& packets;
    DatagramTable& datagrams;
    /// Asks causeway-auth; the answer comes to `password_checked` of that connection, if it is
    /// still there. Without a password the user is only looked up.
    std::move_only_function<void(std::uint64_t connection, std::string user,
                                 std::optional<Secret> password)>
        check;
    /// Another connection carried the session until now and must be told.
    std::move_only_function<void(const Transport& before)> replaced;
    /// A datagram channel's key is not TLS's any more.
    std::move_only_function<void(const Place& association)> renew_datagrams;
    /// A datagram channel ends with its connection.
    std::move_only_function<void(const Place& association)> end_datagrams;
    /// The connection is over and may be destroyed, once it has returned.
    std::move_only_function<void(std::uint64_t connection)> over;
};

/// A client that is let in only to hear that it may not come in. So many at a time: `place` is
/// given back when the connection is over.
struct Unwelcome {
    Error why;
    std::shared_ptr<void> place;
};

class ClientConnection final : private TlsTransport::Owner {
public:
    /// With `unwelcome`, the client is told that at its first request, and nothing else.
    ClientConnection(ConnectionHost& host, std::uint64_t number, Arrival arrival,
                     std::shared_ptr<const Serving> serving, std::optional<Unwelcome> unwelcome);
    ~ClientConnection();
    ClientConnection(const ClientConnection&) = delete;
    ClientConnection& operator=(const ClientConnection&) = delete;

    const Endpoint& client() const { return client_; }
    bool is_closing() const { return over_ || transport_.is_closing(); }
    /// "TLS 1.3, TLS_AES_256_GCM_SHA384"; empty before the handshake is complete.
    std::string channel();
    /// The tunnel, while there is one that carries packets for the client.
    ClientTunnel* tunnel() { return tunnel_ && !transport_.is_closing() ? tunnel_.get() : nullptr; }
    /// The same, also on its way out: for its counters.
    const ClientTunnel* any_tunnel() const { return tunnel_.get(); }

    void password_checked(Result<Account> account);

    /// Tells the client why its tunnel, or whatever it is at, ends, and ends it. The session itself
    /// is the caller's matter: it has ended, or belongs to another connection by now.
    /// `incident` is the record of the end.
    void tell_and_close(Reason why, const protocol::Reason& told);
    /// The client ended its session by datagram.
    void said_goodbye(const protocol::DisconnectNotice& notice);
    /// The same session came up on another connection: says so, and hears what is under way.
    void replaced();

private:
    enum class Stage : std::uint8_t { handshake, requests, checking, tunnel };

    // TlsTransport::Owner
    void on_event(const tls::Event& event) override;
    void on_failure(const Error& failure) override;
    void on_turn_end() override;
    void on_over() override;

    // Requests
    void on_handshake();
    void serve_requests();
    void serve(const protocol::HttpRequest& request);
    void serve_login(const protocol::HttpRequest& request);
    void serve_connect(const protocol::HttpRequest& request);
    bool refuse_if_unwelcome(const protocol::HttpRequest& request);
    void take_login(const protocol::HttpRequest& request);
    void act(protocol::LoginAction action);
    void act_on(protocol::Respond respond);
    void act_on(protocol::CheckPassword check);
    void act_on(protocol::Admit admit);
    void act_on(const protocol::Reject& reject);
    void let_in();
    void refuse_login(const Error& error);
    void refuse_request(const Error& error, int status);
    void put_login_back();
    void send(std::string_view plaintext, bool closes);
    std::optional<protocol::CertificateUser> certificate_user();

    // Tunnel
    void start_tunnel(Grant grant, const protocol::ConnectRequest& request);
    std::shared_ptr<DatagramLink> offer_datagrams(const protocol::ConnectRequest& request,
                                                  const Grant& grant,
                                                  protocol::SessionParameters& told);
    void allow_datagrams(std::shared_ptr<DatagramLink> link);
    void renew_datagrams();
    void on_tunnel_event(const TunnelEvent& event);
    void on_tunnel_event(const ClientSaidGoodbye& goodbye);
    void on_tunnel_event(const TunnelEnds& ends);
    void lose_tunnel(const Error& failure);

    std::chrono::seconds login_time() const {
        return serving_->config->authentication.login_timeout;
    }
    void on_time();
    void arm();
    std::optional<Instant> deadline() const;
    Party party() const;
    Transport transport_name() const { return {host_.shard, number_, client_}; }
    protocol::Reason record(const Error& error, Phase phase);
    void close();

    ConnectionHost& host_;
    std::uint64_t number_;
    Endpoint client_;
    Endpoint local_;
    std::shared_ptr<const Serving> serving_;
    std::optional<Error> refused_;
    std::shared_ptr<void> place_;
    TlsTransport transport_;
    Stage stage_ = Stage::handshake;

    protocol::HttpRequestReader reader_;
    int requests_ = 0;
    Instant must_be_in_;                 ///< The login as a whole.
    std::optional<Instant> must_go_on_;  ///< The request that has begun, or the pause before it.
    std::optional<protocol::LoginServer> login_;
    Instant login_until_;
    std::string context_;  ///< Of the last login, for requests without a cookie.
    std::string agent_;
    std::optional<protocol::Admit> admit_;            ///< Waits for the look-up of its user.
    std::optional<std::vector<std::string>> groups_;  ///< Of the user whose password was right.

    std::unique_ptr<ClientTunnel> tunnel_;
    bool session_settled_ = false;  ///< Ended, detached or taken over: nothing more to do about it.

    EventLoop::Timer timer_;
    std::optional<Instant> armed_;
    bool over_ = false;
};

}  // namespace causeway::gateway
