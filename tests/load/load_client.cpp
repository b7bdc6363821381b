#include "tests/load/load_client.h"

#include "causeway/protocol/datagram_suites.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace causeway::load {
namespace {

constexpr std::uint16_t echo_identifier = 0x4357;

std::uint16_t checksum(ByteView bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += big_endian_16(bytes.subspan(i, 2));
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

void put_at(Bytes& packet, std::size_t at, std::uint16_t number) {
    packet[at] = static_cast<std::byte>(number >> 8);
    packet[at + 1] = static_cast<std::byte>(number & 0xff);
}

/// An ICMP echo request in IPv4 (RFC 792, RFC 791), 84 bytes as ping(8) sends it.
Bytes echo_request(const IpAddress& from, const IpAddress& to, std::uint16_t sequence) {
    Bytes packet(84);
    packet[0] = std::byte{0x45};
    put_at(packet, 2, 84);
    packet[8] = std::byte{64};
    packet[9] = std::byte{IPPROTO_ICMP};
    std::ranges::copy(from.bytes(), packet.begin() + 12);
    std::ranges::copy(to.bytes(), packet.begin() + 16);
    put_at(packet, 10, checksum(ByteView(packet).first(20)));
    packet[20] = std::byte{8};
    put_at(packet, 24, echo_identifier);
    put_at(packet, 26, sequence);
    put_at(packet, 22, checksum(ByteView(packet).subspan(20)));
    return packet;
}

bool is_answer(ByteView packet, std::uint16_t sequence) {
    return packet.size() >= 28 && packet[0] == std::byte{0x45} &&
           packet[9] == std::byte{IPPROTO_ICMP} && packet[20] == std::byte{0} &&
           big_endian_16(packet.subspan(24, 2)) == echo_identifier &&
           big_endian_16(packet.subspan(26, 2)) == sequence;
}

protocol::LoginSettings login_settings(const LoadSettings& settings) {
    protocol::LoginSettings login;
    login.gateway.host = settings.server_name;
    login.gateway.port = settings.gateway.port;
    login.has_certificate = settings.answers.empty();
    return login;
}

}  // namespace

LoadClient::LoadClient(EventLoop& loop, const LoadSettings& settings, Told up, Told ended)
    : loop_(loop), settings_(settings), up_(std::move(up)), ended_(std::move(ended)) {}

void LoadClient::start() {
    started_ = Clock::now();
    login_.emplace(login_settings(settings_));
    connect_now();
}

void LoadClient::connect_now() {
    watch_.reset();
    socket_ = Fd(
        socket(settings_.gateway.address.domain(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_storage storage;
    const auto size = settings_.gateway.to_sockaddr(storage);
    if (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0 &&
        errno != EINPROGRESS)
        return fail_with(system_error(errno, "connect"));
    const int on = 1;
    setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    stream_.emplace(settings_.context,
                    tls::StreamSettings{settings_.server_name, Clock::now(), wall_now()});
    step_ = Step::connecting;
    wants_writing_ = true;
    watch_ = loop_.watch(socket_.get(), EPOLLIN | EPOLLOUT,
                         [this](std::uint32_t flags) { on_ready(flags); });
}

void LoadClient::on_ready(std::uint32_t flags) {
    if (step_ == Step::connecting && (flags & EPOLLOUT) != 0)
        if (const auto done = take_events(); !done) return fail_with(done.error());
    if ((flags & EPOLLOUT) != 0) flush();
    if ((flags & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && step_ != Step::ended) read();
}

void LoadClient::read() {
    static thread_local std::array<std::byte, 65536> buffer;
    const ssize_t count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const auto now = Clock::now();
    if (count > 0)
        stream_->feed(ByteView(buffer).first(static_cast<std::size_t>(count)), now);
    else if (count == 0)
        stream_->feed_end(now);
    else
        stream_->feed_reset(errno, now);
    if (const auto done = take_events(); !done) return fail_with(done.error());
    flush();
}

Result<void> LoadClient::take_events() {
    while (step_ != Step::ended) {
        auto event = stream_->next();
        if (!event) return pass(event);
        if (!*event) return {};
        if (auto done = take(**event); !done) return done;
    }
    return {};
}

Result<void> LoadClient::take(const tls::Event& event) {
    if (const auto* data = std::get_if<tls::Data>(&event)) return take_plaintext(data->bytes);
    if (std::holds_alternative<tls::HandshakeCompleted>(event)) {
        if (step_ != Step::connecting) return {};
        step_ = Step::logging_in;
        login_->connected();
        return log_in({});
    }
    if (std::holds_alternative<tls::Closed>(event))
        return fail(Tls::errSSLClosedGraceful, "the gateway closed the connection");
    return {};
}

Result<void> LoadClient::take_plaintext(ByteView bytes) {
    switch (step_) {
        case Step::logging_in: return log_in(bytes);
        case Step::asking_tunnel: return read_reply(bytes);
        case Step::pinging:
        case Step::up: return carry(bytes);
        case Step::connecting:
        case Step::ended: break;
    }
    return {};
}

Result<void> LoadClient::log_in(ByteView bytes) {
    if (!bytes.empty()) login_->feed(bytes);
    while (true) {
        auto event = login_->next();
        if (!event) return pass(event);
        if (!*event) break;
        if (std::holds_alternative<protocol::NeedAnswers>(**event)) {
            if (auto answered = login_->answer(settings_.answers); !answered) return answered;
        } else if (auto* in = std::get_if<protocol::LoggedIn>(&**event)) {
            cookie_ = std::move(in->cookie);
            return ask_tunnel();
        } else if (!std::holds_alternative<protocol::Banner>(**event)) {
            return fail(Vpn::negotiationFailed, "the gateway wants what a load client cannot do");
        }
    }
    const auto pending = login_->pending();
    if (auto written = write(pending); !written) return written;
    login_->sent(pending.size());
    return {};
}

Result<void> LoadClient::ask_tunnel() {
    protocol::ConnectRequest request;
    request.cookie = cookie_;
    request.host = settings_.server_name;
    request.user_agent = "OpenConnect VPN Agent (Causeway load driver)";
    request.base_mtu = 1500;
    if (settings_.datagrams) {
        request.datagram_ciphers = protocol::psk_negotiate;
        request.is_own_end = true;
    }
    step_ = Step::asking_tunnel;
    reply_.emplace();
    return write(as_bytes(protocol::write_connect_request(request).reveal()));
}

Result<void> LoadClient::read_reply(ByteView bytes) {
    reply_->feed(bytes);
    auto granted = reply_->next();
    if (!granted) return pass(granted);
    if (!*granted) return {};
    if (!(*granted)->address_v4) return fail(Vpn::negotiationFailed, "no IPv4 address was granted");
    granted_ = std::move(**granted);
    session_.emplace(protocol::Role::client, protocol::CstpTimes::of(granted_), Clock::now());
    step_ = Step::pinging;
    ping();
    const Bytes rest = reply_->take_rest();
    reply_.reset();
    login_.reset();
    return rest.empty() ? Result<void>() : carry(rest);
}

void LoadClient::ping() {
    pinged_at_ = Clock::now();
    const Bytes packet = echo_request(granted_.address_v4->address, settings_.ping, ++sequence_);
    const ByteView view = packet;
    session_->send({&view, 1}, pinged_at_);
    for (const ByteView message : session_->messages())
        if (!write(message)) break;
    session_->sent(session_->messages().size());
}

void LoadClient::ping_again() {
    step_ = Step::pinging;
    ping();
    flush();
}

Result<void> LoadClient::carry(ByteView bytes) {
    session_->feed(bytes, Clock::now());
    while (true) {
        auto event = session_->next();
        if (!event) return pass(event);
        if (!*event) break;
        const auto* arrived = std::get_if<protocol::Packets>(&**event);
        if (arrived == nullptr || step_ != Step::pinging) continue;
        for (const ByteView packet : arrived->packets) {
            if (!is_answer(packet, sequence_)) continue;
            step_ = Step::up;
            answered_at_ = Clock::now();
            if (sequence_ == 1) up_at_ = answered_at_;
            up_(*this);
        }
    }
    for (const ByteView message : session_->messages())
        if (auto written = write(message); !written) return written;
    session_->sent(session_->messages().size());
    return {};
}

Result<void> LoadClient::write(ByteView bytes) {
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min<std::size_t>(bytes.size(), 16384));
        if (auto written = stream_->write(part); !written) return written;
        bytes = bytes.subspan(part.size());
    }
    return {};
}

void LoadClient::flush() {
    while (!stream_->pending().empty()) {
        const auto pending = stream_->pending();
        const ssize_t count = send(socket_.get(), pending.data(), pending.size(), MSG_NOSIGNAL);
        if (count <= 0) break;
        stream_->sent(static_cast<std::size_t>(count));
    }
    const bool wants = !stream_->pending().empty();
    if (wants == wants_writing_) return;
    wants_writing_ = wants;
    watch_.want(wants ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void LoadClient::stop() {
    if (step_ == Step::ended) return;
    if (session_) {
        session_->disconnect(protocol::DisconnectByte::user, "load test over");
        for (const ByteView message : session_->messages())
            if (!write(message)) break;
    }
    stream_->close();
    flush();
    step_ = Step::ended;
    watch_.reset();
    socket_.reset();
}

void LoadClient::fail_with(Error error) {
    if (step_ == Step::ended) return;
    if (stream_) flush();
    step_ = Step::ended;
    failure_ = std::move(error);
    watch_.reset();
    ended_(*this);
}

}  // namespace causeway::load
