#include "causeway/gateway/client_connection.h"

#include "causeway/base/random.h"
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

Reason reason_for(protocol::Reject::Why why) {
    using Why = protocol::Reject::Why;
    switch (why) {
        case Why::bad_request:
        case Why::too_many_requests: return Reason::request_refused;
        case Why::certificate_missing: return Reason::certificate_missing;
        case Why::user_differs: return Reason::certificate_user_differs;
    }
    return Reason::request_refused;
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
    host_.over(number_);
}

void ClientConnection::close() {
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

// ---- Login -------------------------------------------------------------------------------------

std::optional<protocol::CertificateUser> ClientConnection::certificate_user() {
    const auto& authentication = serving_->config->authentication;
    const auto& chain = transport_.stream().summary().peer_chain;
    if (authentication.client_certificate() == ClientCertificate::none || chain.empty())
        return std::nullopt;
    const auto users = chain.front().attribute(authentication.username_from);
    protocol::CertificateUser user;
    if (!users.empty()) user.user = users.front();
    if (!authentication.group_from.empty()) {
        const auto groups = chain.front().attribute(authentication.group_from);
        if (!groups.empty()) user.group = groups.front();
    }
    return user;
}

void ClientConnection::take_login(const protocol::HttpRequest& request) {
    const auto now = Clock::now();
    const auto named = protocol::login_context(request);
    if (auto waiting = host_.logins.take(named.value_or(context_), now)) {
        login_ = std::move(waiting->login);
        login_until_ = waiting->until;
        return;
    }
    auto certificate = certificate_user();
    auto policy = certificate ? serving_->with_certificate : serving_->without_certificate;
    login_.emplace(std::move(policy), base64(random_bytes(32)), std::move(certificate));
    login_until_ = now + login_time();
}

void ClientConnection::serve_login(const protocol::HttpRequest& request) {
    const auto certificate = certificate_user();
    if (certificate && certificate->user.empty())
        return refuse_request(
            refusal(Reason::certificate_no_name, {},
                    {{"looked_for", serving_->config->authentication.username_from}}),
            row(Reason::certificate_no_name).login_status);
    take_login(request);
    context_ = login_->context();
    act(login_->on(request));
}

void ClientConnection::act(protocol::LoginAction action) {
    std::visit([this](auto&& one) { act_on(std::forward<decltype(one)>(one)); }, std::move(action));
}

void ClientConnection::act_on(protocol::Respond respond) {
    put_login_back();
    stage_ = Stage::requests;
    send(respond.bytes.reveal(), respond.closes);
}

void ClientConnection::put_login_back() {
    if (login_ && !login_->is_over()) host_.logins.put(std::move(*login_), login_until_);
    login_.reset();
}

void ClientConnection::act_on(protocol::CheckPassword check) {
    stage_ = Stage::checking;
    host_.check(number_, std::move(check.user), std::move(check.password));
}

void ClientConnection::act_on(protocol::Admit admit) {
    admit_ = std::move(admit);
    if (groups_) return let_in();
    // By certificate alone: the users file still says who is locked, and who is in which group.
    if (!serving_->config->authentication.users_file.empty()) {
        stage_ = Stage::checking;
        return host_.check(number_, admit_->user, std::nullopt);
    }
    groups_.emplace();
    if (!admit_->group.empty()) groups_->push_back(admit_->group);
    let_in();
}

void ClientConnection::act_on(const protocol::Reject& reject) {
    refuse_login(refusal(reason_for(reject.why), reject.detail));
}

void ClientConnection::password_checked(Result<Account> account) {
    if (over_ || transport_.is_closing() || !login_) return;
    if (!account) {
        const ReasonRow* reason = reason_of(account.error());
        if (reason == nullptr || reason->reason != Reason::wrong_password)
            return refuse_login(account.error());
        const auto told = record(account.error(), Phase::authenticate);
        act(login_->password_wrong(told));
    } else {
        groups_ = std::move(account->groups);
        if (admit_)
            let_in();
        else
            act(login_->password_right());
    }
    // A client may have sent its next request while the check was under way.
    on_turn_end();
    transport_.flush();
}

void ClientConnection::let_in() {
    const protocol::Admit admit = std::move(*std::exchange(admit_, std::nullopt));
    const auto groups = std::move(*std::exchange(groups_, std::nullopt));
    auto admitted =
        host_.registry.admit(admit.user, admit.group, groups, client_, agent_, Clock::now());
    if (!admitted) return refuse_login(admitted.error());
    act_on(login_->complete(admitted->cookie));
}

void ClientConnection::refuse_login(const Error& error) {
    const ReasonRow* reason = reason_of(error);
    const auto told = record(error, Phase::authenticate);
    act_on(login_->refuse({reason == nullptr ? 503 : reason->login_status, told}));
    transport_.flush();
}

// ---- CONNECT and the tunnel --------------------------------------------------------------------

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

void ClientConnection::start_tunnel(Grant grant, const protocol::ConnectRequest& request) {
    const auto now = Clock::now();
    const auto parameters = session_parameters(grant, request, client_);
    send(protocol::write_connect_accepted(parameters, request.knows_v6_headers), false);
    const auto replaced = grant.replaced;
    stage_ = Stage::tunnel;
    must_go_on_.reset();
    tunnel_ = std::make_unique<ClientTunnel>(std::move(grant), parameters, transport_,
                                             host_.packets, now);
    host_.registry.log().note(tunnel_->grant().resumed ? "resumed" : "connected", party());
    if (replaced) host_.replaced(*replaced);
    const Bytes rest = reader_.take_rest();
    reader_ = protocol::HttpRequestReader();
    if (!rest.empty())
        if (const auto end = tunnel_->feed(rest, now)) on_tunnel_event(*end);
}

void ClientConnection::on_tunnel_event(const TunnelEvent& event) {
    if (session_settled_) return;
    std::visit([this](const auto& one) { on_tunnel_event(one); }, event);
}

void ClientConnection::on_tunnel_event(const ClientSaidGoodbye& goodbye) {
    const auto now = Clock::now();
    const auto number = tunnel_->grant().session;
    session_settled_ = true;
    Error why = refusal(Reason::user_ended, printable(goodbye.text));
    if (goodbye.comes_back) {
        host_.registry.detach(number, transport_name(), tunnel_->traffic(), now);
        host_.registry.log().note("away", party());
    } else {
        host_.registry.add_traffic(number, tunnel_->traffic());
        if (host_.registry.end(number, Reason::user_ended, now, transport_name()))
            record(why, Phase::disconnect);
    }
    close();
}

void ClientConnection::on_tunnel_event(const TunnelEnds& ends) {
    const auto now = Clock::now();
    const auto number = tunnel_->grant().session;
    session_settled_ = true;
    Error why = refusal(ends.reason, ends.particulars);
    if (ends.cause) why = std::move(why).because(*ends.cause);
    // A client that went silent may come back with its cookie; all others are done.
    if (ends.reason == Reason::peer_dead || ends.reason == Reason::rekey_too_soon) {
        if (!host_.registry.detach(number, transport_name(), tunnel_->traffic(), now))
            return close();
    } else {
        host_.registry.add_traffic(number, tunnel_->traffic());
        if (!host_.registry.end(number, ends.reason, now, transport_name())) return close();
    }
    const auto told = record(why, Phase::disconnect);
    tunnel_->say_goodbye(row(ends.reason), told);
    close();
}

void ClientConnection::lose_tunnel(const Error& failure) {
    session_settled_ = true;
    const bool was_ours = host_.registry.detach(tunnel_->grant().session, transport_name(),
                                                tunnel_->traffic(), Clock::now());
    if (was_ours) record(refusal(Reason::connection_lost).because(failure), Phase::connected);
}

void ClientConnection::tell_and_close(Reason why, const protocol::Reason& told) {
    if (over_ || transport_.is_closing()) return;
    if (tunnel_) {
        session_settled_ = true;
        tunnel_->say_goodbye(row(why), told);
    } else if (stage_ != Stage::handshake) {
        send(protocol::write_refusal({503, told}), false);
    }
    close();
}

void ClientConnection::replaced() {
    if (over_ || transport_.is_closing() || !tunnel_ || session_settled_) return;
    session_settled_ = true;
    host_.registry.add_traffic(tunnel_->grant().session, tunnel_->traffic());
    const auto told = record(refusal(Reason::replaced), Phase::disconnect);
    tunnel_->say_goodbye(row(Reason::replaced), told);
    transport_.close(true);
    arm();
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
