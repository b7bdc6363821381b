// One simulated client's datagram channel: the handshake in OpenSSL, then records of our own.
//
// All clients of a driver share one socket, one path out and one path in, and differ by their own
// address: so nothing but the keys is another for each packet, and many clients cost the driver
// what one does.

#pragma once

#include "causeway/datapath/receive_path.h"
#include "causeway/datapath/record_opener.h"
#include "causeway/datapath/record_sealer.h"
#include "causeway/datapath/send_path.h"
#include "causeway/protocol/datagram_session.h"
#include "causeway/tls/datagram.h"

#include <cstddef>
#include <optional>

namespace causeway::load {

struct ChannelSettings {
    datapath::UdpPath path;  ///< The gateway's port, and the client's own address.
    tls::PskKey key;
    protocol::DatagramTimes times;
    std::size_t mtu = 0;  ///< Of the tunnel.
};

class LoadChannel {
public:
    /// `way` outlives it; the first hello is in it when this returns.
    LoadChannel(ChannelSettings settings, datapath::SendPath& way, Instant now);

    /// A datagram for this client. Packets in it go to `to`.
    void feed(ByteView datagram, datapath::ReceivePath& to, Instant now);
    /// All datagrams that had arrived together were fed.
    void end_train(Instant now);

    /// DATA goes this way.
    bool carries() const { return session_ && session_->carries(); }
    std::size_t packet_limit() const { return session_ ? session_->packet_limit() : 0; }
    /// False when the packets were not sent; `drops` has the reason.
    bool send(const datapath::SuperPacket& packet, Instant now);

    /// Why it does not work, or did not for a time.
    const std::optional<Error>& failure() const { return failure_; }
    /// Of both directions, at this end.
    const datapath::Drops& drops() const { return counters_.drops; }

    std::optional<Instant> deadline() const;
    void advance(Instant now);

private:
    void take_handshake_events(Instant now);
    void start(Instant now);
    void settle();
    void fail_with(Error error);

    ChannelSettings settings_;
    datapath::SendPath& way_;
    tls::Datagram handshake_;
    std::optional<datapath::RecordSealer> sealer_;
    std::optional<datapath::RecordOpener> opener_;
    std::optional<protocol::DatagramSession> session_;
    std::optional<Error> failure_;
    datapath::Counters counters_;
    bool is_confirmed_ = false;
    bool heard_data_ = false;
};

}  // namespace causeway::load
