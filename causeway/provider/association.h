// One datagram channel to the gateway on the event loop: a UDP socket, the DTLS handshake in it,
// then records of our own making in trains.
//
//     TUN --SuperPacket--> send -> SendPath --trains--> UDP
//     TUN <-- ReceivePath <-- RecordOpener <--trains-- UDP      other payloads: DatagramSession
//
// With a CBC suite the records are OpenSSL's, one by one.

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/event_loop.h"
#include "causeway/datapath/record_suite.h"
#include "causeway/datapath/super_packet.h"
#include "causeway/datapath/udp_port.h"
#include "causeway/error/error.h"
#include "causeway/protocol/datagram_session.h"
#include "causeway/provider/own_flow.h"
#include "causeway/provider/protect.h"
#include "causeway/provider/tun_sink.h"
#include "causeway/tls/datagram.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace causeway::provider {

struct AssociationSettings {
    Endpoint remote;
    std::variant<tls::PskKey, tls::ResumedKey> key;
    protocol::DatagramTimes times;
    Bytes connection_id;      ///< See protocol::MovingDatagram; empty at a stock gateway.
    int mtu = 0;              ///< Of the tunnel, as granted: the most that packets may have.
    int link_mtu = 0;         ///< Of the way to the gateway, or 0.
    bool carries_v6 = false;  ///< Packets below 1280 bytes would be none.
    datapath::CryptoBackend crypto = datapath::CryptoBackend::automatic;
    std::chrono::milliseconds handshake_limit{12'000};
};

/// DATA should go this way now.
struct AssociationUp {
    std::string suite;    ///< IANA name.
    std::string crypto;   ///< "ipsec-mb", "evp", or "openssl" for a CBC suite.
    std::size_t mtu = 0;  ///< Of packets.
};
/// DATA should go through TLS; it may come back.
struct AssociationDown {
    Error why;
};
/// How large packets may be has changed while it carries.
struct AssociationResized {
    std::size_t mtu;
};
/// Its key is nearly used up.
struct AssociationWorn {};
/// The end: the handshake failed, or nothing was heard for too long. Told once.
struct AssociationEnded {
    Error why;
};
/// The TUN is gone.
struct AssociationTunGone {
    Error why;
};
using AssociationEvent = std::variant<AssociationUp, AssociationDown, AssociationResized,
                                      AssociationWorn, AssociationEnded, AssociationTunGone>;

/// Events come from the loop, never from inside a call of this class; the handler may destroy it.
class Association {
public:
    using Handler = std::move_only_function<void(AssociationEvent)>;

    /// Opens the socket and begins the handshake. `sink` outlives it. Fails with what `protect`
    /// fails with, or the errno of the call on the socket.
    static Result<std::unique_ptr<Association>> open(EventLoop& loop, AssociationSettings settings,
                                                     const Protect& protect, TunSink& sink,
                                                     Handler handler);
    ~Association();

    bool carries() const;
    /// Sends the packets of `packet` as DATA; whether they may go this way is the caller's to know.
    /// False when they are too large for it: then they were dropped and counted.
    bool send(const datapath::SuperPacket& packet, datapath::Counters& counters);
    std::size_t packet_limit() const;
    /// The socket has no room for more: see `flush`.
    bool is_waiting() const;
    /// Ends a turn of sending. True when the socket has no room for more: `when_drained` is called
    /// once it has.
    bool flush();
    void when_drained(EventLoop::Action action);

    /// DATA came through TLS.
    void data_by_tunnel();

    /// Whether the gateway would follow to another address of ours (MovingDatagram), and there is
    /// something to follow.
    bool can_move() const;
    /// The address it was sent from is gone. Goes on from one that this machine has now; what is to
    /// be sent waits until the gateway answers there. False when there is none: then it waits for
    /// the next call, or for silence.
    bool move();
    /// What its socket sends and receives; nothing while it has no address.
    const std::optional<OwnFlow>& flow() const;

    /// From now on it only delivers what was under way: it says and tells nothing any more.
    void retire();
    /// Delivers what waits in its socket, which is closed then: nothing is lost that was here.
    void close();

    const datapath::UdpPort& port() const;
    protocol::DatagramCounters control() const;
    /// Datagrams of the handshake that came, and datagrams without a packet that were sent.
    std::uint64_t handshakes_in() const;
    std::uint64_t control_out() const;
    /// What came and was dropped, and what was sealed and could not be sent.
    const datapath::Drops& drops_in() const;
    datapath::Drops drops_out() const;

private:
    class Work;
    explicit Association(std::shared_ptr<Work> work);
    std::shared_ptr<Work> work_;
};

}  // namespace causeway::provider
