#include "causeway/provider/records.h"

#include "causeway/protocol/datagram_mtu.h"
#include "causeway/protocol/moving_datagram.h"

#include <utility>

namespace causeway::provider {
namespace {

Result<datapath::RecordSealer> make_sealer(datapath::CryptoBackend crypto,
                                           datapath::RecordSuite suite,
                                           const tls::TrafficKeys& keys) {
    return datapath::RecordSealer::make(
        crypto,
        {suite, as_bytes(keys.write_key.reveal()), as_bytes(keys.write_iv.reveal()), keys.epoch},
        keys.first_write_sequence, keys.first_explicit_nonce);
}

Result<datapath::RecordOpener> make_opener(datapath::CryptoBackend crypto,
                                           datapath::RecordSuite suite,
                                           const tls::TrafficKeys& keys) {
    return datapath::RecordOpener::make(crypto, {suite, as_bytes(keys.read_key.reveal()),
                                                 as_bytes(keys.read_iv.reveal()), keys.epoch});
}

}  // namespace

Records::Records(tls::DatagramSettings settings, datapath::UdpPort& port)
    : handshake_(std::move(settings)), path_(port) {}

Result<void> Records::take_keys(datapath::CryptoBackend crypto) {
    if (!handshake_.summary().is_aead) return {};
    auto keys = handshake_.take_traffic_keys();
    if (!keys) return pass(keys);
    const auto suite = datapath::record_suite(keys->suite);
    if (!suite)
        return fail(Tls::errSSLInternal,
                    "the suite " + handshake_.summary().suite_name + " has no records of ours");
    auto sealer = make_sealer(crypto, *suite, *keys);
    if (!sealer) return pass(sealer);
    auto opener = make_opener(crypto, *suite, *keys);
    if (!opener) return pass(opener);
    sealer_ = std::move(*sealer);
    opener_ = std::move(*opener);
    crypto_ = name(sealer_->backend());
    return {};
}

std::size_t Records::packet_size(int link_mtu, Family family) const {
    const int size =
        sealer_ ? protocol::tunnel_mtu(link_mtu, family, static_cast<int>(sealer_->overhead()))
                : protocol::tunnel_mtu_of_cbc(link_mtu, family);
    return static_cast<std::size_t>(size);
}

bool Records::send(const datapath::SuperPacket& packet, std::size_t packet_limit,
                   datapath::Counters& counters) {
    if (!sealer_) return send_by_openssl(packet, packet_limit, counters);
    return path_.send(packet, *sealer_, nullptr, packet_limit, counters) !=
           datapath::SendPath::Taken::too_large;
}

bool Records::send_by_openssl(const datapath::SuperPacket& packet, std::size_t packet_limit,
                              datapath::Counters& counters) {
    if (auto started = splitter_.start(packet); !started) {
        counters.drops.add(started.error(), datapath::packet_count(packet));
        return true;
    }
    if (splitter_.packet_size() > packet_limit) {
        counters.drops.add(datapath::Drop::too_large, splitter_.count());
        return false;
    }
    for (auto piece = splitter_.next(); !piece.empty(); piece = splitter_.next()) {
        const std::span payload(piece.data() - 1, piece.size() + 1);
        payload[0] = datapath::data_payload;
        if (!handshake_.write(payload)) {
            counters.drops.add(datapath::Drop::refused);
            continue;
        }
        counters.add(piece.size());
        send_pending(datapath::SendPath::Carries::packet);
    }
    return true;
}

void Records::send(const protocol::DatagramMessage& message, ByteView connection_id) {
    if (!sealer_) {
        if (handshake_.write(message.payload)) send_handshake();
    } else if (message.is_moving && !connection_id.empty()) {
        send_moving(message.payload, connection_id);
    } else {
        // In a train of its own: one that is too large for the way takes no other with it.
        path_.flush();
        path_.send_payload(message.payload, *sealer_, nullptr);
        path_.flush();
    }
}

void Records::send_moving(ByteView payload, ByteView connection_id) {
    const auto header = protocol::moving_header(connection_id);
    Bytes datagram(header.begin(), header.end());
    datagram.resize(header.size() + payload.size() + sealer_->overhead());
    if (sealer_->seal(payload, std::span(datagram).subspan(header.size())) != 0)
        path_.send_datagram(datagram, nullptr);
}

void Records::send_handshake() { send_pending(datapath::SendPath::Carries::control); }

void Records::send_pending(datapath::SendPath::Carries carries) {
    for (; !handshake_.pending().empty(); handshake_.sent())
        path_.send_datagram(handshake_.pending(), nullptr, carries);
    path_.flush();
}

}  // namespace causeway::provider
