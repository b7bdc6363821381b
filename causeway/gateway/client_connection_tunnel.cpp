// The part of ClientConnection that carries a tunnel: how it begins, and each of its ends.

#include "causeway/base/text.h"
#include "causeway/gateway/client_connection.h"
#include "causeway/gateway/datagram_offer.h"
#include "causeway/gateway/reasons.h"

#include <utility>

namespace causeway::gateway {

void ClientConnection::start_tunnel(Grant grant, const protocol::ConnectRequest& request) {
    const auto now = Clock::now();
    auto parameters = session_parameters(grant, request, client_);
    auto link = offer_datagrams(request, grant, parameters);
    // Known before the client is: its hello may be here at once.
    if (link) host_.datagrams.add(link);
    send(protocol::write_connect_accepted(parameters, request.knows_v6_headers), false);
    const auto replaced = grant.replaced;
    stage_ = Stage::tunnel;
    must_go_on_.reset();
    tunnel_ = std::make_unique<ClientTunnel>(std::move(grant), parameters, transport_,
                                             host_.packets, now);
    if (link) allow_datagrams(std::move(link));
    host_.registry.log().note(tunnel_->grant().resumed ? "resumed" : "connected", party());
    if (replaced) host_.replaced(*replaced);
    const Bytes rest = reader_.take_rest();
    reader_ = protocol::HttpRequestReader();
    if (!rest.empty())
        if (const auto end = tunnel_->feed(rest, now)) on_tunnel_event(*end);
}

std::shared_ptr<DatagramLink> ClientConnection::offer_datagrams(
    const protocol::ConnectRequest& request, const Grant& grant,
    protocol::SessionParameters& told) {
    const Party whose{client_, grant.user, grant.group.name, grant.session};
    auto offer = gateway::offer_datagrams(request, told, grant, transport_.stream(), whose, local_,
                                          {static_cast<std::uint32_t>(host_.shard), number_});
    if (!offer) {
        // The tunnel does without; the reason belongs into the record.
        host_.registry.record(
            Error{Vpn::negotiationFailed, "no datagram channel was offered"}.because(
                std::move(offer).error()),
            Phase::datagram, whose, Clock::now());
        return nullptr;
    }
    if (!*offer) return nullptr;
    told.datagram = std::move((*offer)->parameters);
    return std::make_shared<DatagramLink>(std::move((*offer)->terms));
}

void ClientConnection::allow_datagrams(std::shared_ptr<DatagramLink> link) {
    tunnel_->allow_datagrams(link, [this, link] {
        host_.datagrams.remove(*link);
        if (const auto place = link->association()) host_.end_datagrams(*place);
    });
}

/// The channel that a key was exported from has another now, and the next handshake of the client
/// will be under that.
void ClientConnection::renew_datagrams() {
    auto* link = tunnel_ ? tunnel_->datagrams() : nullptr;
    if (link == nullptr || !std::holds_alternative<tls::PskKey>(link->terms.key)) return;
    auto key = exported_key(transport_.stream());
    if (!key)
        return host_.registry.log().note("datagrams-over", party(), {{"why", key.error().detail}});
    link->set_key(std::move(*key));
    if (const auto place = link->association()) host_.renew_datagrams(*place);
}

void ClientConnection::said_goodbye(const protocol::DisconnectNotice& notice) {
    if (over_ || transport_.is_closing() || !tunnel_) return;
    on_tunnel_event(ClientSaidGoodbye{protocol::keeps_session(notice), notice.text});
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
        host_.registry.detach(number, transport_name(), tunnel_->take_traffic(), now);
        host_.registry.log().note("away", party());
    } else {
        host_.registry.add_traffic(number, tunnel_->take_traffic());
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
        if (!host_.registry.detach(number, transport_name(), tunnel_->take_traffic(), now))
            return close();
    } else {
        host_.registry.add_traffic(number, tunnel_->take_traffic());
        if (!host_.registry.end(number, ends.reason, now, transport_name())) return close();
    }
    const auto told = record(why, Phase::disconnect);
    tunnel_->say_goodbye(row(ends.reason), told);
    close();
}

void ClientConnection::lose_tunnel(const Error& failure) {
    session_settled_ = true;
    const bool was_ours = host_.registry.detach(tunnel_->grant().session, transport_name(),
                                                tunnel_->take_traffic(), Clock::now());
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
    host_.registry.add_traffic(tunnel_->grant().session, tunnel_->take_traffic());
    const auto told = record(refusal(Reason::replaced), Phase::disconnect);
    tunnel_->say_goodbye(row(Reason::replaced), told);
    transport_.close(true);
    arm();
}

}  // namespace causeway::gateway
