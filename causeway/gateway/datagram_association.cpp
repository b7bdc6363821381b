#include "causeway/gateway/datagram_association.h"

#include "causeway/datapath/splitter.h"
#include "causeway/protocol/datagram_mtu.h"

#include <algorithm>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

using datapath::Drop;

tls::DatagramSettings settings_of(const DatagramLink& link, Instant now) {
    tls::DatagramSettings settings;
    settings.is_server = true;
    settings.key = link.key();
    settings.suites = link.terms.suites;
    settings.now = now;
    return settings;
}

protocol::PathMtuLimits limits_of(const DatagramTerms& terms) {
    return {.smallest = terms.addresses.address6 ? std::size_t{1280} : std::size_t{576},
            .largest = terms.mtu,
            .is_echoed = terms.times.is_own_end};
}

datapath::RecordKey record_key(const tls::TrafficKeys& keys, const Secret& key, const Secret& iv) {
    return {*datapath::record_suite(keys.suite), as_bytes(key.reveal()), as_bytes(iv.reveal()),
            keys.epoch};
}

}  // namespace

DatagramAssociation::DatagramAssociation(std::shared_ptr<DatagramLink> link,
                                         datapath::CryptoBackend backend, ByteView hello_random,
                                         Instant now)
    : link_(std::move(link)),
      backend_(backend),
      hello_random_(copy(hello_random)),
      channel_(settings_of(*link_, now)) {
    ++link_->handshakes;
}

DatagramAssociation::~DatagramAssociation() {
    if (!is_ready()) --link_->handshakes;
}

bool DatagramAssociation::began_with(ByteView hello_random) const {
    return std::ranges::equal(hello_random_, hello_random);
}

// ---- The channel -------------------------------------------------------------------------------

bool DatagramAssociation::feed(ByteView datagram, datapath::SendPath& way, Instant now) {
    const auto ignored = channel_.facts().datagrams_ignored;
    channel_.feed(datagram, now);
    take_channel_events(now);
    send_pending(way);
    return channel_.facts().datagrams_ignored == ignored;
}

void DatagramAssociation::take_channel_events(Instant now) {
    while (!is_over_) {
        auto event = channel_.next();
        if (!event) return fail_with(event.error());
        if (!*event) return;
        if (std::holds_alternative<tls::DatagramReady>(**event))
            start(now);
        else if (const auto* data = std::get_if<tls::DatagramData>(&**event))
            take_payload(data->bytes, now);
        else if (std::holds_alternative<tls::DatagramClosed>(**event))
            fail_with(Error{Tls::errSSLClosedGraceful, "the client closed the datagram channel"});
    }
}

void DatagramAssociation::start(Instant now) {
    const auto& summary = channel_.summary();
    if (summary.is_aead) {
        auto keys = channel_.take_traffic_keys();
        if (!keys) return fail_with(keys.error());
        auto sealer = datapath::RecordSealer::make(
            backend_, record_key(*keys, keys->write_key, keys->write_iv),
            keys->first_write_sequence, keys->first_explicit_nonce);
        if (!sealer) return fail_with(sealer.error());
        auto opener = datapath::RecordOpener::make(
            backend_, record_key(*keys, keys->read_key, keys->read_iv));
        if (!opener) return fail_with(opener.error());
        sealer_ = std::move(*sealer);
        opener_ = std::move(*opener);
    }
    --link_->handshakes;
    session_.emplace(protocol::Role::gateway, link_->terms.times, limits_of(link_->terms), now);
    events_.emplace_back(AssociationReady{});
}

void DatagramAssociation::fail_with(Error error) {
    if (std::exchange(is_over_, true)) return;
    events_.emplace_back(AssociationOver{std::move(error)});
}

void DatagramAssociation::send_pending(datapath::SendPath& way,
                                       datapath::SendPath::Carries carries) {
    for (; !channel_.pending().empty(); channel_.sent())
        way.send_datagram(channel_.pending(), &path, carries);
    if (carries == datapath::SendPath::Carries::control) way.flush();
}

// ---- Records -----------------------------------------------------------------------------------

std::expected<DatagramAssociation::Opened, Drop> DatagramAssociation::open(
    ByteView record, datapath::ReceivePath& to, Instant now) {
    if (!is_ready() || is_over_) return std::unexpected(Drop::record_unknown);
    if (!opener_) return open_by_channel(record, to, now);
    const auto payload = to.open(record, *opener_);
    if (!payload) return std::unexpected(payload.error());
    if (!std::exchange(is_confirmed_, true)) channel_.confirm();
    if (payload->empty())
        heard_data_ = true;
    else
        session_->feed(*payload, now);
    return Opened{payload->empty(), opener_->was_newest()};
}

std::expected<DatagramAssociation::Opened, Drop> DatagramAssociation::open_by_channel(
    ByteView record, datapath::ReceivePath& to, Instant now) {
    const auto ignored = channel_.facts().datagrams_ignored;
    to_ = &to;
    taken_.reset();
    channel_.feed(record, now);
    take_channel_events(now);
    to_ = nullptr;
    if (channel_.facts().datagrams_ignored != ignored) return std::unexpected(Drop::record_forged);
    if (!taken_) return std::unexpected(Drop::malformed);
    return Opened{*taken_ == datapath::SendPath::Carries::packet, true};
}

/// What OpenSSL opened.
void DatagramAssociation::take_payload(ByteView payload, Instant now) {
    using Carries = datapath::SendPath::Carries;
    if (payload.empty() || !session_) return;
    if (payload.front() != datapath::data_payload) {
        session_->feed(payload, now);
        taken_ = Carries::control;
    } else if (to_ != nullptr && to_->add(payload.subspan(1))) {
        heard_data_ = true;
        taken_ = Carries::packet;
    }
}

void DatagramAssociation::end_train(datapath::SendPath& way, Instant now) {
    if (!session_) return;
    if (std::exchange(heard_data_, false)) session_->data_heard(now);
    send_messages(way);
}

// ---- Packets -----------------------------------------------------------------------------------

bool DatagramAssociation::send(const datapath::SuperPacket& packet, datapath::SendPath& way,
                               Instant now) {
    if (!session_ || is_over_ || session_->is_over()) {
        sent_.drops.add(Drop::no_destination, datapath::packet_count(packet));
        return true;
    }
    session_->data_sent(datapath::largest_packet(packet), now);
    if (!sealer_) return send_by_channel(packet, way);
    using Taken = datapath::SendPath::Taken;
    return way.send(packet, *sealer_, &path, session_->packet_limit(), sent_) != Taken::too_large;
}

bool DatagramAssociation::send_by_channel(const datapath::SuperPacket& packet,
                                          datapath::SendPath& way) {
    if (const auto started = splitter_.start(packet); !started) {
        sent_.drops.add(started.error(), datapath::packet_count(packet));
        return true;
    }
    if (splitter_.packet_size() > session_->packet_limit()) {
        sent_.drops.add(Drop::too_large, splitter_.count());
        return false;
    }
    for (auto one = splitter_.next(); !one.empty(); one = splitter_.next()) {
        scratch_.assign(1, datapath::data_payload);
        append(scratch_, one);
        if (channel_.write(scratch_))
            sent_.add(one.size());
        else
            sent_.drops.add(Drop::refused);
        send_pending(way, datapath::SendPath::Carries::packet);
    }
    return true;
}

void DatagramAssociation::send_payload(ByteView payload, datapath::SendPath& way) {
    if (sealer_) {
        way.send_payload(payload, *sealer_, &path);
    } else if (channel_.write(payload)) {
        send_pending(way);
    }
}

void DatagramAssociation::send_messages(datapath::SendPath& way) {
    if (!session_) return;
    const auto messages = session_->messages();
    if (messages.empty()) return;
    // One that finds no room is lost as it might be on the way: the session asks again.
    // Each goes in a train of its own: one that is too large for the way takes no other with it.
    way.flush();
    for (const auto& message : messages) {
        if (message.kind == protocol::DatagramMessage::Kind::alert)
            send_alert(message.payload, way);
        else
            send_payload(message.payload, way);
        way.flush();
    }
    session_->sent();
}

/// With CBC there is none: OpenSSL writes the records, and only alerts of its own.
void DatagramAssociation::send_alert(ByteView alert, datapath::SendPath& way) {
    if (!sealer_) return;
    Bytes record(alert.size() + sealer_->overhead());
    if (sealer_->seal(alert, record, datapath::RecordType::alert) != 0)
        way.send_datagram(record, &path);
}

datapath::Counters DatagramAssociation::end_turn(Instant now) {
    if (sent_ == datapath::Counters{}) return {};
    if (sent_.packets > 0) link_->add({0, 0, sent_.packets, sent_.bytes}, now);
    link_->add_dropped_for_client(sent_.drops);
    return std::exchange(sent_, {});
}

// ---- Time --------------------------------------------------------------------------------------

void DatagramAssociation::data_by_tunnel(Instant now) {
    if (session_) session_->data_by_tunnel(now);
}

void DatagramAssociation::refused(std::size_t link_mtu, Instant now) {
    if (!session_) return;
    const auto family = path.remote.address.family();
    const int mtu = static_cast<int>(std::min<std::size_t>(link_mtu, 65'535));
    const int fits = opener_
                         ? protocol::tunnel_mtu(mtu, family, static_cast<int>(opener_->overhead()))
                         : protocol::tunnel_mtu_of_cbc(mtu, family);
    const auto size = static_cast<std::size_t>(std::max(fits, 0));
    if (size < limits_of(link_->terms).smallest && !std::exchange(is_narrow_, true))
        events_.emplace_back(AssociationNarrow{size});
    session_->refused(size, now);
}

void DatagramAssociation::renew(datapath::SendPath& way, Instant now) {
    if (!session_) return;
    session_->renew(now);
    send_messages(way);
}

void DatagramAssociation::moved(Instant now) {
    is_narrow_ = false;
    if (session_) session_->moved(now);
}

std::optional<AssociationEvent> DatagramAssociation::next() {
    while (session_ && !is_over_) {
        auto event = session_->next();
        if (!event) break;
        const bool is_up = std::holds_alternative<protocol::DatagramUp>(*event);
        if (is_up && !is_narrow_)
            events_.emplace_back(protocol::DatagramUp{});
        else if (const auto* down = std::get_if<protocol::DatagramDown>(&*event))
            events_.emplace_back(*down);
        else if (auto* notice = std::get_if<protocol::DatagramDisconnect>(&*event))
            events_.emplace_back(std::move(*notice));
        else if (const auto* lost = std::get_if<protocol::DatagramLost>(&*event))
            fail_with(Error{
                Tls::errSSLNetworkTimeout,
                fmt::format("no datagram came from the client for {} ms", lost->silence.count())});
        // PathMtuChanged: `packet_limit` has it.
    }
    if (sealer_ && sealer_->is_nearly_used_up())
        fail_with(Error{Tls::errSSLClosedGraceful, "the numbers of this key are nearly used up"});
    if (events_.empty()) return std::nullopt;
    auto event = std::move(events_.front());
    events_.pop_front();
    return event;
}

std::optional<Instant> DatagramAssociation::deadline() const {
    // Once it is confirmed there is nothing that the handshake could still wait for.
    auto first = is_confirmed_ ? std::nullopt : channel_.deadline();
    const auto other = session_ ? session_->deadline() : std::nullopt;
    if (other && (!first || *other < *first)) first = other;
    return first;
}

void DatagramAssociation::advance(datapath::SendPath& way, Instant now) {
    channel_.advance(now);
    take_channel_events(now);
    send_pending(way);
    if (session_) session_->advance(now);
    send_messages(way);
}

}  // namespace causeway::gateway
