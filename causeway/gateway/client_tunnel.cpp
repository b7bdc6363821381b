#include "causeway/gateway/client_tunnel.h"

#include "causeway/gateway/limits.h"
#include "causeway/protocol/limits.h"

#include <algorithm>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

using datapath::Drop;

// Packets that are framed before they are sealed and sent; each of a usual MTU, or smaller.
constexpr std::size_t unsent_limit = 64;
constexpr std::size_t unsent_bytes_limit = 128 * 1024;
constexpr std::size_t packet_room = 2048;

protocol::RekeyMethod spoken_method(RekeyMethod method) {
    switch (method) {
        case RekeyMethod::none: return protocol::RekeyMethod::none;
        case RekeyMethod::ssl: return protocol::RekeyMethod::ssl;
        case RekeyMethod::new_tunnel: return protocol::RekeyMethod::new_tunnel;
    }
    return protocol::RekeyMethod::none;
}

/// IP, TCP with timestamps, the record of TLS 1.2 and the CSTP header: what one packet costs.
int link_overhead(const Endpoint& client) {
    return (client.address.is_v4() ? 20 : 40) + 32 + (5 + 8 + 16) + 8;
}

int tunnel_mtu(const Grant& grant, const protocol::ConnectRequest& request,
               const Endpoint& client) {
    int mtu = std::min(grant.settings.mtu, static_cast<int>(protocol::cstp_packet_limit));
    if (request.base_mtu > 0) mtu = std::min(mtu, request.base_mtu - link_overhead(client));
    if (request.base_mtu == 0 && request.mtu > 0) mtu = std::min(mtu, request.mtu);
    return std::max(mtu, grant.address6 ? 1280 : 576);
}

InnerAddresses inner_addresses(const Grant& grant) {
    InnerAddresses addresses;
    if (grant.address4) addresses.address4 = grant.address4->address;
    if (grant.address6) addresses.address6 = grant.address6->address;
    return addresses;
}

}  // namespace

protocol::SessionParameters session_parameters(const Grant& grant,
                                               const protocol::ConnectRequest& request,
                                               const Endpoint& client) {
    protocol::SessionParameters told;
    told.server_name = grant.server_name;
    told.hostname = request.hostname;
    told.address_v4 = grant.address4;
    told.address_v6 = grant.address6;
    told.include = grant.group.include;
    told.exclude = grant.group.exclude;
    told.dns = grant.group.dns;
    told.domains = grant.group.search_domains;
    told.split_dns = grant.group.split_dns;
    told.tunnels_all_dns = grant.group.tunnel_all_dns;
    told.mtu = tunnel_mtu(grant, request, client);
    told.base_mtu = request.base_mtu;
    told.dpd = grant.settings.dpd;
    told.keepalive = grant.settings.keepalive;
    told.idle_timeout = grant.group.idle_timeout;
    told.session_timeout = grant.session_left;
    told.disconnected_timeout = grant.settings.cookie_timeout;
    told.rekey_time = grant.settings.rekey_time;
    told.rekey_method = spoken_method(grant.settings.rekey_method);
    told.banner = grant.group.banner;
    told.bundles = request.bundles;
    return told;
}

ClientTunnel::ClientTunnel(Grant grant, const protocol::SessionParameters& parameters,
                           TlsTransport& transport, PacketSink& sink, Instant now)
    : grant_(std::move(grant)),
      addresses_(inner_addresses(grant_)),
      transport_(transport),
      sink_(sink),
      session_(protocol::Role::gateway, protocol::CstpTimes::of(parameters), now) {
    session_.set_bundles(parameters.bundles);
    session_.set_output_limit(2 * datapath::super_packet_limit + unsent_limit * packet_room);
}

std::optional<TunnelEvent> ClientTunnel::feed(ByteView bytes, Instant now) {
    session_.feed(bytes, now);
    return take_events();
}

std::optional<TunnelEvent> ClientTunnel::advance(Instant now) {
    if (link_) session_.used_elsewhere(link_->used());
    session_.advance(now);
    return take_events();
}

std::optional<TunnelEvent> ClientTunnel::take_events() {
    while (true) {
        auto event = session_.next();
        if (!event) return TunnelEnds{Reason::protocol_error, {}, std::move(event).error()};
        if (!*event) break;
        if (auto end = judge(**event)) return end;
    }
    write_messages();
    return std::nullopt;
}

std::optional<TunnelEvent> ClientTunnel::judge(const protocol::CstpEvent& event) {
    if (const auto* arrived = std::get_if<protocol::Packets>(&event))
        sink_.packets_from(*this, arrived->packets);
    else if (const auto* dead = std::get_if<protocol::PeerDead>(&event))
        return TunnelEnds{Reason::peer_dead, spoken(dead->silence), std::nullopt};
    else if (const auto* left = std::get_if<protocol::ClientLeft>(&event))
        return ClientSaidGoodbye{left->keeps_session, left->notice.text};
    else if (const auto* idle = std::get_if<protocol::IdleExpired>(&event))
        return TunnelEnds{Reason::idle, spoken(idle->timeout), std::nullopt};
    else if (std::holds_alternative<protocol::SessionExpired>(event))
        return TunnelEnds{Reason::session_timeout, spoken(grant_.group.session_timeout),
                          std::nullopt};
    return std::nullopt;  // RekeyDue is a client's matter
}

std::optional<std::size_t> ClientTunnel::deliver(const datapath::SuperPacket& packet, Instant now) {
    // Sealed bytes wait here only when the socket's own buffer is full already.
    if (transport_.backlog() > backlog_limit) {
        drops_out_.add(datapath::Drop::queue_full, datapath::packet_count(packet));
        return std::nullopt;
    }
    if (const auto started = splitter_.start(packet); !started) {
        drops_out_.add(started.error(), datapath::packet_count(packet));
        return std::nullopt;
    }
    if (splitter_.packet_size() > protocol::cstp_packet_limit) {
        drops_out_.add(datapath::Drop::too_large, splitter_.count());
        return protocol::cstp_packet_limit;
    }
    // Each packet is framed, which copies it, before the next one's header goes over its end.
    for (ByteView piece = splitter_.next(); !piece.empty(); piece = splitter_.next()) {
        if (session_.send(std::span(&piece, 1), now) == 1) {
            ++unsent_;
            unsent_bytes_ += piece.size();
        } else {
            drops_out_.add(datapath::Drop::queue_full);
        }
    }
    if (unsent_ >= unsent_limit || unsent_bytes_ >= unsent_bytes_limit) flush();
    return std::nullopt;
}

void ClientTunnel::flush() {
    unsent_ = unsent_bytes_ = 0;
    write_messages();
    transport_.flush();
}

void ClientTunnel::write_messages() {
    const auto messages = session_.messages();
    if (messages.empty()) return;
    // A failure latches in the stream, which tells it to its owner at the next turn.
    [[maybe_unused]] const auto written = transport_.stream().write_many(messages);
    session_.sent(messages.size());
}

void ClientTunnel::say_goodbye(const ReasonRow& row, const protocol::Reason& reason) {
    session_.disconnect(static_cast<protocol::DisconnectByte>(row.disconnect), reason);
    write_messages();
}

void ClientTunnel::allow_datagrams(std::shared_ptr<DatagramLink> link,
                                   std::move_only_function<void()> ended) {
    link_ = std::move(link);
    datagrams_ended_ = std::move(ended);
}

void ClientTunnel::end_datagrams() {
    if (link_) link_->is_over = true;
    if (datagrams_ended_) std::exchange(datagrams_ended_, {})();
}

Traffic ClientTunnel::traffic_through_tls() const {
    const auto& counters = session_.counters();
    return {counters.packets_in, counters.bytes_in, counters.packets_out, counters.bytes_out};
}

Traffic ClientTunnel::traffic() const {
    Traffic all = traffic_through_tls();
    if (link_) all += link_->traffic();
    return all -= taken_;
}

Traffic ClientTunnel::take_traffic() {
    const Traffic fresh = traffic();
    taken_ += fresh;
    return fresh;
}

datapath::Drops ClientTunnel::dropped_from_client() const {
    datapath::Drops all = drops_;
    if (link_) all += link_->dropped_from_client();
    return all;
}

datapath::Drops ClientTunnel::dropped_for_client() const {
    datapath::Drops all = drops_out_;
    if (link_) all += link_->dropped_for_client();
    return all;
}

}  // namespace causeway::gateway
