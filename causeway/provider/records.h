// The records of one datagram channel on their way out and in: of our own making once an AEAD suite
// is agreed, OpenSSL's with a CBC suite, and those of the handshake.

#pragma once

#include "causeway/base/address.h"
#include "causeway/datapath/record_opener.h"
#include "causeway/datapath/record_sealer.h"
#include "causeway/datapath/send_path.h"
#include "causeway/datapath/splitter.h"
#include "causeway/protocol/datagram_session.h"
#include "causeway/tls/datagram.h"

#include <optional>
#include <string>

namespace causeway::provider {

class Records {
public:
    /// `port`, connected, outlives it.
    Records(tls::DatagramSettings settings, datapath::UdpPort& port);

    tls::Datagram& handshake() { return handshake_; }
    /// The handshake is complete: takes the keys, if the suite is one of ours. Fails with what
    /// RecordSealer::make and RecordOpener::make fail with.
    Result<void> take_keys(datapath::CryptoBackend crypto);
    /// Who seals: "ipsec-mb", "evp", or "openssl" for a CBC suite.
    const std::string& crypto() const { return crypto_; }
    /// Opens application data; nothing before `take_keys` and for a CBC suite.
    std::optional<datapath::RecordOpener>& opener() { return opener_; }
    /// The largest packet for a datagram over a link of that MTU.
    std::size_t packet_size(int link_mtu, Family outer) const;
    bool is_nearly_used_up() const { return sealer_ && sealer_->is_nearly_used_up(); }

    /// Packets as DATA. False when they are larger than `packet_limit`: dropped and counted.
    bool send(const datapath::SuperPacket& packet, std::size_t packet_limit,
              datapath::Counters& counters);
    /// `connection_id`: see protocol::MovingDatagram; empty: none.
    void send(const protocol::DatagramMessage& message, ByteView connection_id);
    /// What the handshake has pending.
    void send_handshake();
    datapath::SendPath& path() { return path_; }
    const datapath::SendPath& path() const { return path_; }

private:
    bool send_by_openssl(const datapath::SuperPacket& packet, std::size_t packet_limit,
                         datapath::Counters& counters);
    void send_moving(ByteView payload, ByteView connection_id);
    void send_pending(datapath::SendPath::Carries carries);

    tls::Datagram handshake_;
    datapath::SendPath path_;
    datapath::Splitter splitter_;
    std::optional<datapath::RecordSealer> sealer_;
    std::optional<datapath::RecordOpener> opener_;
    std::string crypto_ = "openssl";
};

}  // namespace causeway::provider
