// One simulated client: login, CONNECT, a ping through the tunnel, and then quiet until the end.
//
// It speaks the protocol through the layers that our client is made of, but has no TUN: the ping is
// an ICMP packet that it writes itself, and whose answer it looks for. Its datagrams, if it is to
// have any, are those of Traffic.

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/event_loop.h"
#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/protocol/connect_request.h"
#include "causeway/protocol/cstp_session.h"
#include "causeway/protocol/login_client.h"
#include "causeway/tls/stream.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace causeway::load {

struct LoadSettings {
    Endpoint gateway;
    std::string server_name;
    std::map<std::string, Secret> answers;  ///< To the fields of the login form.
    IpAddress ping;                         ///< Inner IPv4 address that answers.
    std::shared_ptr<const tls::Context> context;
    bool datagrams = false;  ///< Asks for a datagram channel, as a client of ours does.
};

/// How far a client has come.
enum class Step : std::uint8_t { connecting, logging_in, asking_tunnel, pinging, up, ended };

class LoadClient {
public:
    using Told = std::function<void(LoadClient&)>;

    /// `up` is called when the ping was answered, `ended` when the client failed or was told to go.
    LoadClient(EventLoop& loop, const LoadSettings& settings, Told up, Told ended);

    void start();
    /// Sends another ping; `up` is called again when it is answered.
    void ping_again();
    /// Says goodbye (BYE b0) and closes.
    void stop();

    Step step() const { return step_; }
    /// What the gateway granted; once it is up.
    const protocol::SessionParameters& granted() const { return granted_; }
    /// See tls::Stream.
    Result<Bytes> export_key(std::string_view label, std::size_t size) const {
        return stream_->export_keying_material(label, size);
    }
    const std::optional<Error>& failure() const { return failure_; }
    /// From start to the first answer, and of the last ping alone.
    Clock::duration took() const { return up_at_ - started_; }
    Clock::duration round_trip() const { return answered_at_ - pinged_at_; }

private:
    void on_ready(std::uint32_t flags);
    void read();
    void flush();
    Result<void> take_events();
    Result<void> take(const tls::Event& event);
    Result<void> take_plaintext(ByteView bytes);
    Result<void> log_in(ByteView bytes);
    Result<void> ask_tunnel();
    Result<void> read_reply(ByteView bytes);
    Result<void> carry(ByteView bytes);
    Result<void> write(ByteView bytes);
    void connect_now();
    void ping();
    void fail_with(Error error);

    EventLoop& loop_;
    const LoadSettings& settings_;
    Told up_;
    Told ended_;
    Fd socket_;
    EventLoop::Watch watch_;
    EventLoop::Timer timer_;
    std::optional<tls::Stream> stream_;
    std::optional<protocol::LoginClient> login_;
    std::optional<protocol::ConnectReply> reply_;
    std::optional<protocol::CstpSession> session_;
    Secret cookie_;
    protocol::SessionParameters granted_;
    Step step_ = Step::connecting;
    std::optional<Error> failure_;
    Instant started_;
    Instant up_at_;
    Instant pinged_at_;
    Instant answered_at_;
    std::uint16_t sequence_ = 0;
    bool wants_writing_ = false;
};

}  // namespace causeway::load
