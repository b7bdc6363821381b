// One client's datagram channel on the shard that its datagrams reach: the handshake, then records
// and signs of life.
//
//     datagram --feed--> tls::Datagram          handshake, late flights, alerts
//     record   --open--> RecordOpener           -> DATA to the ReceivePath, the rest to the session
//     packet   --send--> SendPath               RecordSealer in it
//
// It opens no socket and sets no timer: whoever owns it does (DatagramShard).

#pragma once

#include "causeway/datapath/receive_path.h"
#include "causeway/datapath/send_path.h"
#include "causeway/gateway/datagram_link.h"
#include "causeway/protocol/datagram_session.h"
#include "causeway/tls/datagram.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <variant>

namespace causeway::gateway {

/// The handshake is complete.
struct AssociationReady {};
/// There is no channel any more: the handshake failed, the client closed it, or was silent.
struct AssociationOver {
    Error why;
};
/// The way to the client takes no packet of the smallest size that IP asks for. What the client
/// sends still comes; what is for it goes through TLS.
struct AssociationNarrow {
    std::size_t fits;
};
using AssociationEvent =
    std::variant<AssociationReady, AssociationNarrow, protocol::DatagramUp, protocol::DatagramDown,
                 protocol::DatagramDisconnect, AssociationOver>;

class DatagramAssociation {
public:
    /// `hello` is the client's first datagram, which is fed besides.
    DatagramAssociation(std::shared_ptr<DatagramLink> link, datapath::CryptoBackend backend,
                        ByteView hello_random, Instant now);
    ~DatagramAssociation();

    DatagramLink& link() { return *link_; }
    const std::shared_ptr<DatagramLink>& shared_link() const { return link_; }
    bool is_ready() const { return session_.has_value(); }
    bool carries() const { return session_ && session_->carries() && !is_narrow_; }
    /// "DTLS 1.2, TLS_PSK_WITH_AES_128_GCM_SHA256"; once it is ready.
    std::string channel_name() const { return "DTLS 1.2, " + channel_.summary().suite_name; }
    /// Whether that hello began this association: it is no other, but the same once more.
    bool began_with(ByteView hello_random) const;

    /// Where it is reached.
    std::size_t socket = 0;
    datapath::UdpPath path;

    /// A datagram that is no application data. Answers leave through `way`. False when it was of no
    /// use.
    bool feed(ByteView datagram, datapath::SendPath& way, Instant now);
    struct Opened {
        bool is_data;     ///< Or else control.
        bool was_newest;  ///< Than all before.
    };
    /// A datagram of application data; DATA in it goes to `to`. Or why it was dropped.
    std::expected<Opened, datapath::Drop> open(ByteView record, datapath::ReceivePath& to,
                                               Instant now);
    /// All datagrams that had arrived together were opened.
    void end_train(datapath::SendPath& way, Instant now);

    /// Sends a packet, or a run of them, to the client; what cannot be sent is counted. False when
    /// it was larger than `packet_limit`: its sender should be told.
    bool send(const datapath::SuperPacket& packet, datapath::SendPath& way, Instant now);
    /// Adds what was sent since the last call to the link's counters, and hands it out.
    datapath::Counters end_turn(Instant now);
    /// Largest packet that `send` takes now.
    std::size_t packet_limit() const { return session_ ? session_->packet_limit() : 0; }

    /// DATA of the client came through TLS.
    void data_by_tunnel(Instant now);
    /// The network refuses datagrams above `link_mtu`, the IP header included.
    void refused(std::size_t link_mtu, Instant now);
    /// TLS has new keys: a stock client is asked to begin anew.
    void renew(datapath::SendPath& way, Instant now);
    /// It is reached elsewhere now.
    void moved(Instant now);

    std::optional<AssociationEvent> next();
    std::optional<Instant> deadline() const;
    void advance(datapath::SendPath& way, Instant now);

private:
    void take_channel_events(Instant now);
    void take_payload(ByteView payload, Instant now);
    void start(Instant now);
    void send_pending(datapath::SendPath& way,
                      datapath::SendPath::Carries carries = datapath::SendPath::Carries::control);
    void send_messages(datapath::SendPath& way);
    void send_payload(ByteView payload, datapath::SendPath& way);
    void send_alert(ByteView alert, datapath::SendPath& way);
    std::expected<Opened, datapath::Drop> open_by_channel(ByteView record,
                                                          datapath::ReceivePath& to, Instant now);
    bool send_by_channel(const datapath::SuperPacket& packet, datapath::SendPath& way);
    void fail_with(Error error);

    std::shared_ptr<DatagramLink> link_;
    datapath::CryptoBackend backend_;
    Bytes hello_random_;
    tls::Datagram channel_;
    std::optional<datapath::RecordSealer> sealer_;  ///< Nothing for suites with CBC.
    std::optional<datapath::RecordOpener> opener_;
    std::optional<protocol::DatagramSession> session_;
    std::deque<AssociationEvent> events_;
    datapath::ReceivePath* to_ = nullptr;               ///< While `open` runs,
    std::optional<datapath::SendPath::Carries> taken_;  ///< and what OpenSSL opened by then.
    datapath::Counters sent_;                           ///< Not in the link's counters yet.
    datapath::Splitter splitter_;                       ///< CBC, with the next.
    Bytes scratch_;                                     ///< Type byte and packet.
    bool is_confirmed_ = false;
    bool heard_data_ = false;
    bool is_narrow_ = false;
    bool is_over_ = false;
};

}  // namespace causeway::gateway
