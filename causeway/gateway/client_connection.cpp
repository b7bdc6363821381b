#include "causeway/gateway/client_connection.h"

#include "causeway/base/text.h"
#include "causeway/gateway/limits.h"
#include "causeway/gateway/reasons.h"

#include <algorithm>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}

bool is_about_certificate(const Error& failure) {
    return failure.find(Domain::x509) != nullptr || failure.find(Domain::trust) != nullptr ||
           failure.find(Tls::errSSLCertificateRequired) != nullptr;
}

/// What the end of a handshake is to the record; nothing for a peer that never said a word.
std::optional<Error> handshake_incident(const Error& failure, const tls::Facts& facts) {
    if (!facts.peer_spoke) return std::nullopt;
    if (is_about_certificate(failure)) return certificate_refusal(failure);
    return Error{Vpn::negotiationFailed, "the secure channel to the client did not come about"}
        .because(failure);
}

Error http_failure(Error cause) {
    return refusal(Reason::request_refused, cause.detail).because(std::move(cause));
}

}  // namespace

ClientConnection::ClientConnection(ConnectionHost& host, std::uint64_t number, Arrival arrival,
                                   std::shared_ptr<const Serving> serving,
                                   std::optional<Unwelcome> unwelcome)
    : host_(host),
      number_(number),
      client_(arrival.client),
      local_(arrival.local),
      serving_(std::move(serving)),
      transport_(host.loop, std::move(arrival.socket), serving_->context, *this),
      must_be_in_(Clock::now() + login_time()) {
    if (unwelcome) {
        refused_ = std::move(unwelcome->why);
        place_ = std::move(unwelcome->place);
    }
    arm();
}

ClientConnection::~ClientConnection() { host_.registry.connection_closed(client_.address); }

std::string ClientConnection::channel() {
    if (stage_ == Stage::handshake) return {};
    const auto& summary = transport_.stream().summary();
    return fmt::format("{}, {}", tls::name(summary.version), summary.suite_name);
}

// ---- The channel -------------------------------------------------------------------------------

void ClientConnection::on_event(const tls::Event& event) {
    if (over_) return;
    if (const auto* data = std::get_if<tls::Data>(&event)) {
        if (tunnel_) {
            if (const auto end = tunnel_->feed(data->bytes, Clock::now())) on_tunnel_event(*end);
        } else {
            reader_.feed(data->bytes);
        }
    } else if (std::holds_alternative<tls::HandshakeCompleted>(event)) {
        on_handshake();
    } else if (std::holds_alternative<tls::Rekeyed>(event)) {
        renew_datagrams();
    } else if (std::holds_alternative<tls::Closed>(event)) {
        if (tunnel_ && !session_settled_)
            lose_tunnel(Error{Tls::errSSLClosedGraceful, "the client closed the channel"});
        close();
    }
}

void ClientConnection::on_handshake() {
    if (stage_ != Stage::handshake) return;
    stage_ = Stage::requests;
    must_go_on_ = Clock::now() + request_time_limit;
    if (const auto& fault = transport_.stream().summary().peer_fault; fault && !refused_)
        refused_ = certificate_refusal(*fault);
}

void ClientConnection::on_failure(const Error& failure) {
    if (over_) return;
    if (tunnel_ && !session_settled_) {
        const bool is_rekey = failure.find(Tls::errSSLPeerNoRenegotiation) != nullptr;
        if (is_rekey) return on_tunnel_event(TunnelEnds{Reason::rekey_too_soon, {}, failure});
        lose_tunnel(failure);
    } else if (stage_ == Stage::handshake) {
        if (const auto incident = handshake_incident(failure, transport_.stream().facts()))
            record(*incident, Phase::tls);
    }
    close();
}

void ClientConnection::on_turn_end() {
    if (!over_ && !transport_.is_closing() && stage_ == Stage::requests) serve_requests();
    arm();
}

void ClientConnection::on_over() {
    if (over_) return;
    over_ = true;
    timer_.reset();
    // What came after the session went to another connection.
    if (tunnel_) host_.registry.add_traffic(tunnel_->grant().session, tunnel_->take_traffic());
    host_.over(number_);
}

void ClientConnection::close() {
    if (tunnel_) tunnel_->end_datagrams();
    transport_.close();
    arm();
}

// ---- Requests ----------------------------------------------------------------------------------

void ClientConnection::serve_requests() {
    while (stage_ == Stage::requests && !transport_.is_closing()) {
        auto request = reader_.next();
        if (!request) return refuse_request(http_failure(std::move(request).error()), 400);
        if (!*request) break;
        must_go_on_ = Clock::now() + thinking_time_limit;
        if (++requests_ > request_count_limit)
            return refuse_request(refusal(Reason::request_refused, "too many requests"), 400);
        serve(**request);
    }
    // The clock of a request runs from its first byte and is not wound up by further ones.
    const bool has_begun = stage_ == Stage::requests && !reader_.is_idle();
    if (has_begun && must_go_on_ > Clock::now() + request_time_limit)
        must_go_on_ = Clock::now() + request_time_limit;
}

void ClientConnection::serve(const protocol::HttpRequest& request) {
    if (const auto agent = request.headers.find("User-Agent")) agent_ = header_text(*agent, 120);
    if (refuse_if_unwelcome(request)) return;
    if (protocol::is_connect(request)) return serve_connect(request);
    serve_login(request);
}

bool ClientConnection::refuse_if_unwelcome(const protocol::HttpRequest& request) {
    if (!refused_) {
        auto welcome = host_.registry.not_banned(client_.address, Clock::now());
        if (welcome) return false;
        refused_ = std::move(welcome).error();
    }
    const ReasonRow* reason = reason_of(*refused_);
    const bool connects = request.method == "CONNECT";
    refuse_request(*refused_, reason == nullptr ? 503
                              : connects        ? reason->connect_status
                                                : reason->login_status);
    return true;
}

void ClientConnection::refuse_request(const Error& error, int status) {
    const auto told = record(error, Phase::authenticate);
    send(protocol::write_refusal({status, told}), true);
}

void ClientConnection::send(std::string_view plaintext, bool closes) {
    auto rest = as_bytes(plaintext);
    while (!rest.empty()) {
        const auto part = rest.first(std::min<std::size_t>(rest.size(), 16384));
        if (!transport_.stream().write(part)) return close();
        rest = rest.subspan(part.size());
    }
    transport_.flush();
    if (closes) close();
}

void ClientConnection::serve_connect(const protocol::HttpRequest& request) {
    auto wanted = protocol::read_connect_request(request);
    if (!wanted) {
        const auto status = parse_number<int>(wanted.error().fact("http_status"), 400, 599);
        const bool has_cookie = wanted.error().code != Code(Vpn::authenticationFailed);
        Error error = has_cookie ? http_failure(wanted.error())
                                 : refusal(Reason::cookie_missing).because(wanted.error());
        return refuse_request(
            error, has_cookie ? status.value_or(400) : row(Reason::cookie_missing).connect_status);
    }
    auto grant = host_.registry.connect(*wanted, transport_name(), Clock::now());
    if (!grant) {
        const ReasonRow* reason = reason_of(grant.error());
        const auto told = record(grant.error(), Phase::session);
        send(protocol::write_refusal({reason == nullptr ? 503 : reason->connect_status, told}),
             true);
        return;
    }
    start_tunnel(std::move(*grant), *wanted);
}

// ---- Time --------------------------------------------------------------------------------------

std::optional<Instant> ClientConnection::deadline() const {
    auto first = transport_.deadline();
    if (transport_.is_closing()) return first;
    if (stage_ == Stage::tunnel) return earlier(first, tunnel_->deadline());
    if (const auto stalled = transport_.stalled_since())
        first = earlier(first, *stalled + stalled_time_limit);
    if (stage_ == Stage::requests) first = earlier(first, must_go_on_);
    return earlier(first, must_be_in_);
}

void ClientConnection::arm() {
    if (over_) return;
    const auto next = deadline();
    // A timer that rings early only looks again: most deadlines move on with every packet.
    if (!next || (armed_ && *armed_ <= *next)) return;
    armed_ = next;
    timer_ = host_.loop.at(*next, [this] {
        armed_.reset();
        on_time();
    });
}

void ClientConnection::on_time() {
    const auto now = Clock::now();
    transport_.advance(now);
    if (over_) return;
    if (!transport_.is_closing() && stage_ == Stage::tunnel) {
        if (const auto end = tunnel_->advance(now)) on_tunnel_event(*end);
        transport_.flush();
    } else if (!transport_.is_closing()) {
        const auto due = deadline();
        const bool is_late = stage_ != Stage::handshake && due && *due <= now;
        if (is_late) refuse_request(refusal(Reason::login_timeout), 401);
    }
    arm();
}

Party ClientConnection::party() const {
    Party party;
    party.client = client_;
    if (tunnel_) {
        party.user = tunnel_->grant().user;
        party.group = tunnel_->grant().group.name;
        party.session = tunnel_->grant().session;
    } else if (login_) {
        party.user = login_->user();
        party.group = login_->group();
    }
    return party;
}

protocol::Reason ClientConnection::record(const Error& error, Phase phase) {
    return host_.registry.record(error, phase, party(), Clock::now());
}

}  // namespace causeway::gateway
