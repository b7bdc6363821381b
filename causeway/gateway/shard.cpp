#include "causeway/gateway/shard.h"

#include "causeway/datapath/ip_header.h"
#include "causeway/datapath/tun_device.h"
#include "causeway/gateway/limits.h"
#include "causeway/gateway/reasons.h"

#include <signal.h>
#include <sys/epoll.h>

#include <algorithm>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

constexpr std::size_t batch_size = 64;
constexpr int batches_a_turn = 8;  // then clients have their turn

/// A shard's thread handles no signals: the main thread does.
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

Shard::Shard(Parts parts)
    : parts_(std::move(parts)), host_(make_host()), batch_(batch_size, parts_.packet_limit) {
    tunnel_watch_ =
        loop_.watch(parts_.tunnel_queue.get(), EPOLLIN, [this](auto) { read_tunnel(); });
}

Shard::~Shard() { stop(); }

void Shard::stop() {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
}

void Shard::start() {
    thread_ = std::thread([this] {
        block_signals();
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
        .check =
            [this](std::uint64_t number, std::string user, std::optional<Secret> password) {
                check(number, std::move(user), std::move(password));
            },
        .replaced =
            [this](const Transport& before) { all_[before.shard]->replaced(before.connection); },
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
    if (connections_.erase(number) == 0) return;
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
    const auto& pools = parts_.registry.pools();
    to_device_.clear();
    to_clients_.clear();
    for (const ByteView packet : packets) {
        const auto header = datapath::parse_ip_header(packet);
        if (!header) {
            client.drops().add(header.error());
            continue;
        }
        const auto way =
            judge(*header, client.addresses(), pools, client.allows_client_to_client());
        if (!way)
            client.drops().add(way.error());
        else if (*way == Way::device)
            to_device_.push_back(packet.first(header->length));
        else
            to_clients_.push_back(packet.first(header->length));
    }
    if (!to_device_.empty()) {
        datapath::Counters counters;
        const auto written = datapath::write_batch(parts_.tunnel_queue.get(), to_device_, counters);
        client.drops() += counters.drops;
        if (!written) parts_.device_failed(written.error());
    }
    if (!to_clients_.empty()) deliver(to_clients_);
}

void Shard::read_tunnel() {
    for (int turn = 0; turn < batches_a_turn; ++turn) {
        batch_.clear();
        const auto count = datapath::read_batch(parts_.tunnel_queue.get(), batch_, drops_);
        if (!count) {
            tunnel_watch_.reset();
            return parts_.device_failed(count.error());
        }
        deliver(batch_.packets());
        if (!batch_.is_full()) return;
    }
}

void Shard::deliver(std::span<const ByteView> packets) {
    views_.clear();
    destinations_.clear();
    for (const ByteView packet : packets) {
        const auto header = datapath::parse_ip_header(packet);
        if (!header) {
            drops_.add(header.error());
            continue;
        }
        views_.push_back(packet.first(header->length));
        destinations_.push_back(header->destination);
    }
    places_.assign(destinations_.size(), std::nullopt);
    parts_.registry.routes().find(destinations_, places_);

    // All packets of one client together, in their order.
    for (std::size_t i = 0; i < places_.size(); ++i) {
        if (views_[i].empty()) continue;
        if (!places_[i]) {
            drops_.add(datapath::Drop::no_destination);
            continue;
        }
        group_.clear();
        for (std::size_t j = i; j < places_.size(); ++j)
            if (places_[j] == places_[i]) group_.push_back(std::exchange(views_[j], {}));
        deliver_to(*places_[i], group_);
    }
}

void Shard::deliver_to(Place place, std::span<const ByteView> packets) {
    if (place.shard != parts_.index) return all_[place.shard]->hand_over(place.connection, packets);
    auto* client = connection(place.connection);
    auto* tunnel = client == nullptr ? nullptr : client->tunnel();
    if (tunnel == nullptr) return drops_.add(datapath::Drop::no_destination, packets.size());
    tunnel->deliver(packets, Clock::now());
}

void Shard::hand_over(std::uint64_t number, std::span<const ByteView> packets) {
    bool was_empty = false;
    {
        const std::lock_guard lock(inbox_mutex_);
        was_empty = inbox_.empty();
        for (const ByteView packet : packets) {
            if (inbox_.size() >= handover_limit)
                ++inbox_full_;
            else
                inbox_.push_back({number, copy(packet)});
        }
    }
    if (was_empty) loop_.post([this] { take_inbox(); });
}

void Shard::take_inbox() {
    std::vector<Parcel> parcels;
    {
        const std::lock_guard lock(inbox_mutex_);
        parcels.swap(inbox_);
    }
    const auto index = static_cast<std::uint32_t>(parts_.index);
    for (std::size_t i = 0; i < parcels.size();) {
        group_.clear();
        const auto number = parcels[i].connection;
        for (; i < parcels.size() && parcels[i].connection == number; ++i)
            group_.push_back(parcels[i].packet);
        deliver_to({index, number}, group_);
    }
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
    if (const auto* tunnel = client.tunnel()) {
        party.user = tunnel->grant().user;
        party.group = tunnel->grant().group.name;
        party.session = tunnel->grant().session;
        parts_.registry.add_traffic(party.session, tunnel->traffic());
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

void Shard::look(std::move_only_function<void(Report)> done) {
    loop_.post([this, done = std::move(done)]() mutable {
        Report report;
        report.connections = connections_.size();
        report.drops = drops_;
        report.drops.add(datapath::Drop::queue_full, inbox_full_);
        for (const auto& [number, client] : connections_) {
            auto* tunnel = client->tunnel();
            if (tunnel == nullptr) continue;
            report.sessions.push_back({tunnel->grant().session, tunnel->traffic(),
                                       tunnel->drops().total(), tunnel->dropped_for_client(),
                                       client->channel()});
        }
        done(std::move(report));
    });
}

}  // namespace causeway::gateway
