#include "tests/load/load_channel.h"

#include <utility>

namespace causeway::load {
namespace {

constexpr std::size_t smallest_packet = 576;

tls::DatagramSettings handshake_settings(const ChannelSettings& settings, Instant now) {
    tls::DatagramSettings handshake;
    handshake.key = settings.key;
    handshake.now = now;
    return handshake;
}

datapath::RecordKey record_key(const tls::TrafficKeys& keys, const Secret& key, const Secret& iv) {
    return {*datapath::record_suite(keys.suite), as_bytes(key.reveal()), as_bytes(iv.reveal()),
            keys.epoch};
}

}  // namespace

LoadChannel::LoadChannel(ChannelSettings settings, datapath::SendPath& way, Instant now)
    : settings_(std::move(settings)), way_(way), handshake_(handshake_settings(settings_, now)) {
    take_handshake_events(now);
}

void LoadChannel::feed(ByteView datagram, datapath::ReceivePath& to, Instant now) {
    if (!opener_ || datapath::record_type(datagram) != datapath::RecordType::application_data) {
        handshake_.feed(datagram, now);
        return take_handshake_events(now);
    }
    const auto payload = to.open(datagram, *opener_);
    if (!payload) return counters_.drops.add(payload.error());
    if (!std::exchange(is_confirmed_, true)) handshake_.confirm();
    if (payload->empty())
        heard_data_ = true;
    else
        session_->feed(*payload, now);
}

void LoadChannel::end_train(Instant now) {
    if (!session_) return;
    if (std::exchange(heard_data_, false)) session_->data_heard(now);
    settle();
}

bool LoadChannel::send(const datapath::SuperPacket& packet, Instant now) {
    if (!session_) return false;
    session_->data_sent(datapath::largest_packet(packet), now);
    return way_.send(packet, *sealer_, &settings_.path, session_->packet_limit(), counters_) ==
           datapath::SendPath::Taken::all;
}

void LoadChannel::take_handshake_events(Instant now) {
    while (!failure_) {
        auto event = handshake_.next();
        if (!event) {
            fail_with(std::move(event).error());
            break;
        }
        if (!*event) break;
        if (std::holds_alternative<tls::DatagramReady>(**event)) start(now);
    }
    for (; !handshake_.pending().empty(); handshake_.sent())
        way_.send_datagram(handshake_.pending(), &settings_.path);
    way_.flush();
}

void LoadChannel::start(Instant now) {
    auto keys = handshake_.take_traffic_keys();
    if (!keys) return fail_with(std::move(keys).error());
    constexpr auto backend = datapath::CryptoBackend::automatic;
    auto sealer =
        datapath::RecordSealer::make(backend, record_key(*keys, keys->write_key, keys->write_iv),
                                     keys->first_write_sequence, keys->first_explicit_nonce);
    if (!sealer) return fail_with(std::move(sealer).error());
    auto opener =
        datapath::RecordOpener::make(backend, record_key(*keys, keys->read_key, keys->read_iv));
    if (!opener) return fail_with(std::move(opener).error());
    sealer_ = std::move(*sealer);
    opener_ = std::move(*opener);
    session_.emplace(protocol::Role::client, settings_.times,
                     protocol::PathMtuLimits{smallest_packet, settings_.mtu, true}, now);
    settle();
}

/// Sends what the session has to say, and takes what has happened to it.
void LoadChannel::settle() {
    while (auto event = session_->next()) {
        if (std::holds_alternative<protocol::DatagramDown>(*event) ||
            std::holds_alternative<protocol::DatagramLost>(*event))
            fail_with(Error{Vpn::serverNotResponding, "the datagram channel fell silent"});
        else if (std::holds_alternative<protocol::DatagramUp>(*event))
            failure_.reset();
    }
    const auto messages = session_->messages();
    if (messages.empty()) return;
    // Each alone: one that is too large for the way takes no other with it.
    way_.flush();
    for (const auto& message : messages) {
        way_.send_payload(message.payload, *sealer_, &settings_.path);
        way_.flush();
    }
    session_->sent();
}

void LoadChannel::fail_with(Error error) { failure_ = std::move(error); }

std::optional<Instant> LoadChannel::deadline() const {
    auto first = handshake_.deadline();
    const auto other = session_ ? session_->deadline() : std::nullopt;
    if (other && (!first || *other < *first)) first = other;
    return first;
}

void LoadChannel::advance(Instant now) {
    handshake_.advance(now);
    take_handshake_events(now);
    if (!session_) return;
    session_->advance(now);
    settle();
}

}  // namespace causeway::load
