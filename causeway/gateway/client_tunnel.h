// One client's tunnel: what CONNECT granted, and its CSTP session on a TLS transport.

#pragma once

#include "causeway/datapath/splitter.h"
#include "causeway/gateway/datagram_link.h"
#include "causeway/gateway/packet_gate.h"
#include "causeway/gateway/registry.h"
#include "causeway/gateway/tls_transport.h"
#include "causeway/protocol/cstp_session.h"
#include "causeway/protocol/session_parameters.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <variant>

namespace causeway::gateway {

/// The client said goodbye; with `comes_back` its session waits for it.
struct ClientSaidGoodbye {
    bool comes_back = false;
    std::string text;
};
/// We end the transport, or the session with it.
struct TunnelEnds {
    Reason reason;
    std::string particulars;
    std::optional<Error> cause;
};
using TunnelEvent = std::variant<ClientSaidGoodbye, TunnelEnds>;

/// The parameters that a client is told for its grant. `client` is its outer address.
protocol::SessionParameters session_parameters(const Grant& grant,
                                               const protocol::ConnectRequest& request,
                                               const Endpoint& client);

class ClientTunnel {
public:
    /// Takes the packets of a client, in batches. The views last as long as the call.
    class PacketSink {
    public:
        virtual void packets_from(ClientTunnel& client, std::span<const ByteView> packets) = 0;

    protected:
        ~PacketSink() = default;
    };

    /// `transport` and `sink` must outlive the tunnel.
    ClientTunnel(Grant grant, const protocol::SessionParameters& parameters,
                 TlsTransport& transport, PacketSink& sink, Instant now);

    ~ClientTunnel() { end_datagrams(); }

    /// The client may have a datagram channel besides. `ended` is called once, when it may not any
    /// more.
    void allow_datagrams(std::shared_ptr<DatagramLink> link, std::move_only_function<void()> ended);
    /// The datagram channel ends with this connection. Nothing when it ended before.
    void end_datagrams();
    /// What is shared with the datagram channel; nothing when there was none to be.
    DatagramLink* datagrams() { return link_.get(); }
    /// DATA for the client goes by datagram now.
    bool is_carried_by_datagrams() const { return link_ && link_->carries; }

    const Grant& grant() const { return grant_; }
    const InnerAddresses& addresses() const { return addresses_; }
    bool allows_client_to_client() const { return grant_.settings.client_to_client; }

    /// What arrived in the TLS channel. Nothing, or how the tunnel ends.
    std::optional<TunnelEvent> feed(ByteView bytes, Instant now);
    /// Packets for the client; what does not fit is dropped and counted. They leave with `flush`
    /// at the latest. Returns the largest packet that TLS takes when these were larger.
    std::optional<std::size_t> deliver(const datapath::SuperPacket& packet, Instant now);
    /// Sends what was delivered: once for all packets of a turn.
    void flush();
    /// The time came; as `feed`.
    std::optional<TunnelEvent> advance(Instant now);
    std::optional<Instant> deadline() const { return session_.deadline(); }

    /// Tells the client why, as the last message.
    void say_goodbye(const ReasonRow& row, const protocol::Reason& reason);

    /// What was moved and not yet taken by `take_traffic`.
    Traffic traffic() const;
    /// For the session's own counters, which outlive the tunnel.
    Traffic take_traffic();
    /// What came from the client through TLS and was not forwarded, to be added to.
    datapath::Drops& drops() { return drops_; }

    // Since the beginning, through TLS alone
    Traffic traffic_through_tls() const;
    const datapath::Drops& dropped_from_tls() const { return drops_; }
    const datapath::Drops& dropped_for_tls() const { return drops_out_; }

    /// All that came from the client, and all that was for it, and was dropped.
    datapath::Drops dropped_from_client() const;
    datapath::Drops dropped_for_client() const;

private:
    std::optional<TunnelEvent> take_events();
    std::optional<TunnelEvent> judge(const protocol::CstpEvent& event);
    void write_messages();

    Grant grant_;
    InnerAddresses addresses_;
    TlsTransport& transport_;
    PacketSink& sink_;
    protocol::CstpSession session_;
    datapath::Splitter splitter_;
    std::size_t unsent_ = 0;  ///< Packets that were delivered and not flushed.
    std::size_t unsent_bytes_ = 0;
    datapath::Drops drops_;
    datapath::Drops drops_out_;
    Traffic taken_;
    std::shared_ptr<DatagramLink> link_;
    std::move_only_function<void()> datagrams_ended_;
};

}  // namespace causeway::gateway
