#include "causeway/gateway/shard.h"

#include "causeway/datapath/icmp_too_big.h"
#include "causeway/datapath/ip_header.h"
#include "causeway/gateway/limits.h"
#include "causeway/gateway/reasons.h"

#include <signal.h>
#include <sys/epoll.h>

#include <algorithm>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

constexpr std::size_t packets_a_turn = 512;  // then clients have their turn

/// A shard's thread handles no signals: the main thread does.
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

Shard::Shard(Parts parts)
    : parts_(std::move(parts)),
      host_(make_host()),
      receive_path_(*this, parts_.tunnel.port.merges()),
      datagrams_({.loop = loop_,
                  .shard = parts_.index,
                  .registry = parts_.registry,
                  .table = parts_.datagrams,
                  .host = *this,
                  .crypto = parts_.crypto,
                  .merges = parts_.tunnel.port.merges()}) {
    tunnel_watch_ = loop_.watch(parts_.tunnel.port.fd(), EPOLLIN, [this](auto) { read_tunnel(); });
}

Shard::~Shard() { stop(); }

void Shard::stop() {
    is_stopped_ = true;
    loop_.stop();
    if (thread_.joinable()) thread_.join();
}

void Shard::start() {
    thread_ = std::thread([this] {
        block_signals();
        datapath::wake_in_time();
        loop_.run();
    });
}

ConnectionHost Shard::make_host() {
    return {
        .loop = loop_,
        .shard = parts_.index,
        .registry = parts_.registry,
        .logins = parts_.logins,
        .packets = *this,
        .datagrams = parts_.datagrams,
        .check =
            [this](std::uint64_t number, std::string user, std::optional<Secret> password) {
                check(number, std::move(user), std::move(password));
            },
        .replaced =
            [this](const Transport& before) { all_[before.shard]->replaced(before.connection); },
        .renew_datagrams =
            [this](const Place& place) {
                at_shard(place.shard, [number = place.connection](DatagramShard& there) {
                    there.renew(number);
                });
            },
        .end_datagrams =
            [this](const Place& place) {
                at_shard(place.shard,
                         [number = place.connection](DatagramShard& there) { there.drop(number); });
            },
        .over = [this](std::uint64_t number) { loop_.post([this, number] { forget(number); }); },
    };
}

ClientConnection* Shard::connection(std::uint64_t number) {
    const auto found = connections_.find(number);
    return found == connections_.end() ? nullptr : found->second.get();
}

void Shard::adopt(Arrival arrival, std::shared_ptr<const Serving> serving,
                  std::optional<Unwelcome> unwelcome) {
    ++load_;
    loop_.post([this, arrival = std::move(arrival), serving = std::move(serving),
                unwelcome = std::move(unwelcome)]() mutable {
        const auto number = ++last_number_;
        connections_.emplace(
            number, std::make_unique<ClientConnection>(host_, number, std::move(arrival),
                                                       std::move(serving), std::move(unwelcome)));
    });
}

void Shard::forget(std::uint64_t number) {
    const auto found = connections_.find(number);
    if (found == connections_.end()) return;
    if (const auto* tunnel = found->second->any_tunnel()) add_tunnel(*tunnel, past_);
    connections_.erase(found);
    --load_;
    if (connections_.empty() && when_empty_) std::exchange(when_empty_, {})();
}

void Shard::check(std::uint64_t number, std::string user, std::optional<Secret> password) {
    auto answered = [this, number](Result<Account> account) {
        loop_.post([this, number, account = std::move(account)]() mutable {
            if (auto* asker = connection(number)) asker->password_checked(std::move(account));
        });
    };
    if (parts_.auth == nullptr)
        return answered(std::unexpected(refusal(Reason::password_check_failed)));
    if (password)
        parts_.auth->check_password(std::move(user), std::move(*password), std::move(answered));
    else
        parts_.auth->look_up(std::move(user), std::move(answered));
}

// ---- Packets -----------------------------------------------------------------------------------

void Shard::packets_from(ClientTunnel& client, std::span<const ByteView> packets) {
    // What a client sends says which way it listens to.
    if (client.is_carried_by_datagrams())
        if (const auto place = client.datagrams()->association())
            at_shard(place->shard, [number = place->connection](DatagramShard& there) {
                there.data_by_tunnel(number);
            });
    sender_ = &client;
    for (const ByteView packet : packets)
        if (!receive_path_.add(packet)) client.drops().add(datapath::Drop::too_large);
    receive_path_.flush();
    sender_ = nullptr;
    flush_clients();
}

void Shard::take(const datapath::SuperPacket& packet, std::size_t count) {
    forward(packet, count, sender_->addresses(), sender_->allows_client_to_client(),
            sender_->drops());
}

void Shard::packets_from(DatagramLink& client, const datapath::SuperPacket& packet,
                         std::size_t count, datapath::Drops& drops) {
    forward(packet, count, client.terms.addresses, client.terms.client_to_client, drops);
}

void Shard::forward(const datapath::SuperPacket& packet, std::size_t count,
                    const InnerAddresses& sender, bool client_to_client, datapath::Drops& drops) {
    const auto header = datapath::parse_ip_header(packet.bytes);
    if (!header) return drops.add(header.error(), count);
    const auto way = judge(*header, sender, parts_.registry.pools(), client_to_client);
    if (!way) return drops.add(way.error(), count);
    const datapath::SuperPacket whole{packet.bytes.first(header->length), packet.offload};
    if (*way == Way::client) {
        between_clients_ += count;
        return deliver(whole);
    }
    datapath::Counters counters;
    const auto written = parts_.tunnel.port.write(whole, count, counters);
    drops += counters.drops;
    if (written) return;
    drops.add(datapath::Drop::interface_down, count);
    parts_.device_failed(written.error());
}

void Shard::said_goodbye(const DatagramLink& client, const protocol::DisconnectNotice& notice) {
    auto* shard = all_[client.terms.tunnel.shard];
    shard->loop_.post([shard, number = client.terms.tunnel.connection, notice] {
        if (auto* connection = shard->connection(number)) connection->said_goodbye(notice);
    });
}

void Shard::at_shard(std::size_t shard, std::move_only_function<void(DatagramShard&)> action) {
    // At the end shards go one by one, and their clients with them.
    if (is_stopped_) return;
    all_[shard]->loop_.post(
        [there = all_[shard], action = std::move(action)]() mutable { action(there->datagrams_); });
}

void Shard::can_send() {
    if (tunnel_watch_) tunnel_watch_.want(EPOLLIN);
}

void Shard::read_tunnel() {
    for (std::size_t count = 0; count < packets_a_turn;) {
        // Packets wait in the device rather than here: its queue is short, and drops fairly.
        if (datagrams_.is_waiting()) {
            tunnel_watch_.want(0);
            break;
        }
        const auto packet = parts_.tunnel.port.read(drops_);
        if (!packet) {
            tunnel_watch_.reset();
            flush_clients();
            return parts_.device_failed(packet.error());
        }
        if (!*packet) break;
        count += datapath::packet_count(**packet);
        deliver(**packet);
    }
    flush_clients();
}

void Shard::deliver(const datapath::SuperPacket& packet) {
    const auto header = datapath::parse_ip_header(packet.bytes);
    if (!header) return drops_.add(header.error(), datapath::packet_count(packet));
    std::optional<Place> place;
    parts_.registry.routes().find(std::span(&header->destination, 1), std::span(&place, 1));
    if (!place) return drops_.add(datapath::Drop::no_destination, datapath::packet_count(packet));
    deliver_to(*place, packet);
}

void Shard::deliver_to(Place place, const datapath::SuperPacket& packet) {
    if (place.shard != parts_.index) return all_[place.shard]->hand_over(place.connection, packet);
    if (is_association(place)) {
        if (const auto mtu = datagrams_.send(place.connection, packet))
            answer_too_large(packet, *mtu);
        return;
    }
    auto* client = connection(place.connection);
    auto* tunnel = client == nullptr ? nullptr : client->tunnel();
    if (tunnel == nullptr)
        return drops_.add(datapath::Drop::no_destination, datapath::packet_count(packet));
    if (const auto mtu = tunnel->deliver(packet, Clock::now())) answer_too_large(packet, *mtu);
    if (std::ranges::find(unflushed_, tunnel) == unflushed_.end()) unflushed_.push_back(tunnel);
}

void Shard::answer_too_large(const datapath::SuperPacket& packet, std::size_t mtu) {
    std::array<std::byte, datapath::super_packet_headroom + datapath::icmp_too_big_limit> room;
    const auto answer = std::span(room).subspan<datapath::super_packet_headroom>();
    const std::size_t size = datapath::write_icmp_too_big(packet.bytes, mtu, answer);
    if (size == 0) return;
    const datapath::SuperPacket whole{answer.first(size), {}};
    ++answers_;
    std::optional<Place> place;
    if (const auto header = datapath::parse_ip_header(whole.bytes))
        parts_.registry.routes().find(std::span(&header->destination, 1), std::span(&place, 1));
    // To another client, or to whoever the kernel knows. An answer is never answered.
    if (place) return deliver_to(*place, whole);
    datapath::Counters counters;
    const auto written = parts_.tunnel.port.write(whole, 1, counters);
    answers_written_ += counters.packets;
    drops_ += counters.drops;
    if (written) return;
    drops_.add(datapath::Drop::interface_down);
    parts_.device_failed(written.error());
}

void Shard::flush_clients() {
    for (auto* tunnel : unflushed_) tunnel->flush();
    unflushed_.clear();
    datagrams_.flush();
}

void Shard::hand_over(std::uint64_t number, const datapath::SuperPacket& packet) {
    constexpr std::size_t headroom = datapath::super_packet_headroom;
    bool was_empty = false;
    {
        const std::lock_guard lock(inbox_mutex_);
        const std::size_t count = datapath::packet_count(packet);
        if (inbox_packets_ + count > handover_limit) {
            inbox_full_ += count;
            return;
        }
        inbox_packets_ += count;
        was_empty = inbox_.empty();
        Bytes bytes(headroom + packet.bytes.size());
        std::ranges::copy(packet.bytes, bytes.begin() + headroom);
        inbox_.push_back({number, std::move(bytes), packet.offload});
    }
    if (was_empty) loop_.post([this] { take_inbox(); });
}

void Shard::take_inbox() {
    std::vector<Parcel> parcels;
    {
        const std::lock_guard lock(inbox_mutex_);
        parcels.swap(inbox_);
        inbox_packets_ = 0;
    }
    const auto index = static_cast<std::uint32_t>(parts_.index);
    for (auto& parcel : parcels)
        deliver_to(
            {index, parcel.connection},
            {std::span(parcel.bytes).subspan(datapath::super_packet_headroom), parcel.offload});
    flush_clients();
}

// ---- Orders ------------------------------------------------------------------------------------

void Shard::tell_and_close(std::uint64_t number, Reason why, protocol::Reason told,
                           std::move_only_function<void()> done) {
    loop_.post([this, number, why, told = std::move(told), done = std::move(done)]() mutable {
        if (auto* client = connection(number)) client->tell_and_close(why, told);
        done();
    });
}

void Shard::replaced(std::uint64_t number) {
    loop_.post([this, number] {
        if (auto* client = connection(number)) client->replaced();
    });
}

void Shard::end_one(ClientConnection& client, Reason why) {
    if (client.is_closing()) return;
    Party party;
    party.client = client.client();
    if (auto* tunnel = client.tunnel()) {
        party.user = tunnel->grant().user;
        party.group = tunnel->grant().group.name;
        party.session = tunnel->grant().session;
        parts_.registry.add_traffic(party.session, tunnel->take_traffic());
        if (!parts_.registry.end(party.session, why, Clock::now())) return;
    }
    const auto told = parts_.registry.record(refusal(why), Phase::disconnect, party, Clock::now());
    client.tell_and_close(why, told);
}

void Shard::end_all(Reason why, std::move_only_function<void()> done) {
    loop_.post([this, why, done = std::move(done)]() mutable {
        when_empty_ = std::move(done);
        // Goodbyes may be over at once; they are destroyed later, but take no chances.
        std::vector<ClientConnection*> clients;
        for (const auto& [number, client] : connections_) clients.push_back(client.get());
        for (auto* client : clients) end_one(*client, why);
        if (connections_.empty() && when_empty_) std::exchange(when_empty_, {})();
    });
}

void Shard::add_tunnel(const ClientTunnel& tunnel, Report& report) const {
    report.through_tls += tunnel.traffic_through_tls();
    report.drops_in += tunnel.dropped_from_tls();
    report.drops_out += tunnel.dropped_for_tls();
}

void Shard::look(std::move_only_function<void(Report)> done) {
    loop_.post([this, done = std::move(done)]() mutable {
        Report report = past_;
        report.connections = connections_.size();
        report.between_clients = between_clients_;
        report.answers = answers_;
        report.answers_written = answers_written_;
        report.drops_out += drops_;
        report.drops_out.add(datapath::Drop::queue_full, inbox_full_);
        report.datagrams = datagrams_.report();
        report.tun_offloads = parts_.tunnel.port.offloads();
        report.tun_reads = parts_.tunnel.port.reads();
        report.tun_writes = parts_.tunnel.port.writes();
        for (const auto& [number, client] : connections_) {
            if (const auto* any = client->any_tunnel()) add_tunnel(*any, report);
            auto* tunnel = client->tunnel();
            if (tunnel == nullptr) continue;
            auto* datagrams = tunnel->datagrams();
            report.sessions.push_back(
                {.session = tunnel->grant().session,
                 .traffic = tunnel->traffic(),
                 .channel = client->channel(),
                 .datagram_channel = datagrams == nullptr ? std::string() : datagrams->channel(),
                 .is_carried_by_datagrams = tunnel->is_carried_by_datagrams(),
                 .drops_from_client = tunnel->dropped_from_client(),
                 .drops_for_client = tunnel->dropped_for_client()});
        }
        done(std::move(report));
    });
}

}  // namespace causeway::gateway
