#include "causeway/gateway/datagram_shard.h"

#include "causeway/gateway/limits.h"
#include "causeway/protocol/moving_datagram.h"
#include "causeway/tls/client_hello.h"

#include <sys/epoll.h>

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

using datapath::Drop;

const char* spoken(protocol::DatagramDown::Why why) {
    switch (why) {
        case protocol::DatagramDown::Why::silence: return "silence";
        case protocol::DatagramDown::Why::unanswered: return "the client does not hear us";
        case protocol::DatagramDown::Why::renewed: return "TLS has new keys";
        case protocol::DatagramDown::Why::narrow: return "the way takes too small packets only";
        case protocol::DatagramDown::Why::peer_left: return "the client sends through TLS";
    }
    std::unreachable();
}

}  // namespace

std::size_t DatagramShard::SourceHash::operator()(const Source& source) const noexcept {
    // Only clients that have logged in get a source into the table.
    return AddressHash{}(source.remote.address) * 31 +
           (std::size_t{source.remote.port} << 8 | source.socket);
}

DatagramShard::DatagramShard(Parts parts) : parts_(parts), receive_(*this, parts.merges) {}

DatagramShard::~DatagramShard() = default;

Result<void> DatagramShard::add_socket(Fd socket) {
    auto port = datapath::UdpPort::open(std::move(socket));
    if (!port) return pass(port);
    const std::size_t index = sockets_.size();
    auto& added = sockets_.emplace_back();
    added.port = std::make_unique<datapath::UdpPort>(std::move(*port));
    added.way = std::make_unique<datapath::SendPath>(*added.port);
    added.watch = parts_.loop.watch(added.port->fd(), EPOLLIN,
                                    [this, index](std::uint32_t flags) { on_ready(index, flags); });
    return {};
}

DatagramShard::Entry* DatagramShard::entry(std::uint64_t number) {
    const auto found = entries_.find(number);
    return found == entries_.end() ? nullptr : &found->second;
}

std::uint64_t DatagramShard::insert(std::unique_ptr<DatagramAssociation> association) {
    const auto number = ++last_number_;
    entries_[number].association = std::move(association);
    return number;
}

// ---- From the network --------------------------------------------------------------------------

void DatagramShard::on_ready(std::size_t index, std::uint32_t flags) {
    auto& socket = sockets_[index];
    if (std::exchange(socket.is_drained, false))
        datapath::let_gather(socket.moderation.pause(socket.port->receives(), Clock::now()));
    now_ = Clock::now();
    if ((flags & EPOLLERR) != 0) take_trouble(index);
    if ((flags & EPOLLOUT) != 0) {
        socket.way->flush();
        want_writing(socket);
        if (!is_waiting()) parts_.host.can_send();
    }
    for (std::size_t datagrams = 0; datagrams < datagrams_a_turn;) {
        auto train = socket.port->receive_train();
        if (!train) {
            socket.is_drained = true;
            end_run();
            if (socket.port->has_trouble()) take_trouble(index);
            break;
        }
        datagrams += take_train(index, *train);
    }
    end_run();
    parts_.host.end_turn();
}

std::uint64_t DatagramShard::up_at(const Source& source) const {
    const auto peers = sources_.find(source);
    return peers == sources_.end() ? 0 : peers->second.up;
}

std::size_t DatagramShard::take_train(std::size_t socket, datapath::Train& train) {
    const datapath::UdpPath path = train.path;
    const Source source{path.remote, socket};
    // Trains that follow one another from one client are one run: its datagrams may come one by
    // one.
    std::uint64_t number = up_at(source);
    if (number != current_number_) {
        end_run();
        number = up_at(source);
    }
    Entry* known = number == 0 ? nullptr : entry(number);
    if (known != nullptr && known->association->link().is_over) {
        end_run();
        remove(number);
        known = nullptr;
    }
    if (train.bytes.empty()) drops_in_.add(Drop::record_too_short);
    if (known != nullptr) {
        current_ = known->association.get();
        current_number_ = number;
        current_->path.local = path.local;
    }

    // What is no record of the channel that is up waits until all records of it are through: it may
    // end that channel.
    bool has_others = false;
    std::size_t count = 0;
    auto rest = train;
    for (auto datagram = train.next(); !datagram.empty(); datagram = train.next(), ++count)
        if (!take_record(known, datagram)) has_others = true;
    if (has_others) {
        end_run();
        for (auto datagram = rest.next(); !datagram.empty(); datagram = rest.next())
            if (known == nullptr ||
                datapath::record_type(datagram) != datapath::RecordType::application_data)
                take_other(socket, path, datagram);
    }
    return std::max<std::size_t>(count, 1);
}

void DatagramShard::end_run() {
    if (current_ == nullptr) return;
    receive_.flush();
    auto& association = *std::exchange(current_, nullptr);
    settle_received(association.link());
    association.end_train(way_of(association), now_);
    settle(std::exchange(current_number_, 0));
}

/// What a run of one client's trains has brought goes into the counters.
void DatagramShard::settle_received(DatagramLink& link) {
    const auto drops = std::exchange(from_client_, {});
    const auto received = std::exchange(received_, {});
    drops_in_ += drops;
    traffic_ += received;
    link.add_dropped_from_client(drops);
    if (received.packets_in > 0) link.add(received, now_);
}

void DatagramShard::end_sending(DatagramAssociation& association, Instant now) {
    const auto sent = association.end_turn(now);
    traffic_ += {0, 0, sent.packets, sent.bytes};
    drops_out_ += sent.drops;
}

std::expected<DatagramAssociation::Opened, Drop> DatagramShard::open(DatagramAssociation& to,
                                                                     ByteView record) {
    const auto opened = to.open(record, receive_, now_);
    if (opened && !opened->is_data) ++control_in_;
    return opened;
}

/// A datagram of the handshake, or one that says that it is.
void DatagramShard::feed(std::uint64_t number, Entry& known, ByteView datagram) {
    if (known.association->feed(datagram, *sockets_[known.association->socket].way, now_)) {
        ++handshakes_in_;
    } else {
        from_client_.add(Drop::record_unknown);
        settle_received(known.association->link());
    }
    settle(number);
}

/// False when the datagram is none of the channel's data.
bool DatagramShard::take_record(Entry* known, ByteView datagram) {
    if (known == nullptr ||
        datapath::record_type(datagram) != datapath::RecordType::application_data)
        return false;
    if (const auto opened = open(*known->association, datagram); !opened)
        from_client_.add(opened.error());
    return true;
}

void DatagramShard::take(const datapath::SuperPacket& packet, std::size_t count) {
    if (current_ == nullptr) return from_client_.add(Drop::malformed, count);
    received_.packets_in += count;
    received_.bytes_in += packet.bytes.size();
    parts_.host.packets_from(current_->link(), packet, count, from_client_);
}

void DatagramShard::take_other(std::size_t socket, const datapath::UdpPath& path,
                               ByteView datagram) {
    if (datapath::record_type(datagram) == datapath::RecordType::application_data)
        return take_stray(socket, path, datagram);
    if (datapath::record_type(datagram)) return take_handshake(socket, path, datagram);
    const auto moving = protocol::read_moving_datagram(datagram);
    if (!moving) return drops_in_.add(Drop::record_unknown);
    const auto link = parts_.table.by_connection_id(moving->connection_id);
    if (!link || !may_try_stray()) return drops_in_.add(Drop::record_unknown);
    ask_to_move(*link, socket, path, moving->record, std::make_shared<Stray>(stray_drops_));
}

void DatagramShard::take_handshake(std::size_t socket, const datapath::UdpPath& path,
                                   ByteView datagram) {
    if (const auto hello = tls::client_hello(datagram))
        return take_hello(socket, path, datagram, hello->random, hello->app_id);
    const auto peers = sources_.find({path.remote, socket});
    if (peers == sources_.end()) return drops_in_.add(Drop::record_unknown);
    const auto number =
        peers->second.shaking_hands != 0 ? peers->second.shaking_hands : peers->second.up;
    if (auto* known = entry(number))
        feed(number, *known, datagram);
    else
        drops_in_.add(Drop::record_unknown);
}

void DatagramShard::take_hello(std::size_t socket, const datapath::UdpPath& path, ByteView datagram,
                               ByteView random, ByteView name) {
    Peers& peers = sources_[{path.remote, socket}];
    const auto forget_if_unused = [&] {
        if (peers.up == 0 && peers.shaking_hands == 0) sources_.erase({path.remote, socket});
    };
    for (const auto number : {peers.shaking_hands, peers.up}) {
        auto* known = number == 0 ? nullptr : entry(number);
        if (known == nullptr || !known->association->began_with(random)) continue;
        return feed(number, *known, datagram);
    }
    const auto link = name.empty() ? nullptr : parts_.table.by_name(name);
    if (!link || link->is_over) {
        drops_in_.add(Drop::record_unknown);
        return forget_if_unused();
    }
    // Who has seen a hello on its way can send it from anywhere: so many may be tried at a time.
    if (handshakes_ >= handshake_limit || link->handshakes >= handshakes_of_session_limit) {
        drops_in_.add(Drop::queue_full);
        return forget_if_unused();
    }
    if (peers.shaking_hands != 0) remove(std::exchange(peers.shaking_hands, 0));
    auto begun = std::make_unique<DatagramAssociation>(link, parts_.crypto, random, now_);
    begun->socket = socket;
    begun->path = path;
    const auto number = insert(std::move(begun));
    ++handshakes_;
    sources_[{path.remote, socket}].shaking_hands = number;
    feed(number, *entry(number), datagram);
}

// ---- Sources that are new ----------------------------------------------------------------------

bool DatagramShard::may_try_stray() {
    if (now_ - strays_since_ > std::chrono::seconds(1)) strays_since_ = now_, strays_ = 0;
    return strays_++ < stray_limit;
}

void DatagramShard::take_stray(std::size_t socket, const datapath::UdpPath& path, ByteView record) {
    if (!may_try_stray()) return drops_in_.add(Drop::record_unknown);
    const auto stray = std::make_shared<Stray>(stray_drops_);
    for (const auto& link : parts_.table.of_source(path.remote.address, stray_session_limit))
        ask_to_move(*link, socket, path, record, stray);
}

void DatagramShard::ask_to_move(const DatagramLink& link, std::size_t socket,
                                const datapath::UdpPath& path, ByteView record,
                                const std::shared_ptr<Stray>& stray) {
    const auto where = link.association();
    if (!where || link.is_over) return;
    if (where->shard == parts_.shard)
        return try_move(where->connection, record, parts_.shard, socket, path, *stray);
    parts_.host.at_shard(where->shard, [number = where->connection, bytes = copy(record), stray,
                                        from = parts_.shard, socket, path](DatagramShard& there) {
        there.now_ = Clock::now();
        there.try_move(number, bytes, from, socket, path, *stray);
    });
}

void DatagramShard::try_move(std::uint64_t number, ByteView record, std::size_t shard,
                             std::size_t socket, const datapath::UdpPath& path, Stray& stray) {
    auto* known = entry(number);
    if (known == nullptr || known->association->link().is_over) return;
    auto& association = *known->association;
    current_ = &association;
    const auto opened = open(association, record);
    receive_.flush();
    current_ = nullptr;
    settle_received(association.link());
    // What another session's record is to this one is no loss of this one.
    if (!opened) return stray.refused(opened.error());
    stray.taken();
    const bool is_elsewhere = shard != parts_.shard || socket != association.socket ||
                              path.remote != association.path.remote;
    if (!opened->was_newest || !is_elsewhere) {
        association.end_train(way_of(association), now_);
        return settle(number);
    }

    leave_source(number, association);
    const auto before = association.path.remote;
    parts_.registry.log().note("datagrams-moved", association.link().terms.party,
                               {{"from", before.text()}, {"to", path.remote.text()}});
    if (shard == parts_.shard) {
        association.socket = socket;
        association.path = path;
        sources_[{path.remote, socket}].up = number;
        association.moved(now_);
        association.end_train(way_of(association), now_);
        parts_.table.set_source(association.shared_link(), path.remote.address);
        return settle(number);
    }
    stop_carrying(number, association);
    association.link().forget_association(place(number));
    end_sending(association, now_);
    auto moving = std::move(known->association);
    entries_.erase(number);
    auto box = std::make_shared<std::unique_ptr<DatagramAssociation>>(std::move(moving));
    parts_.host.at_shard(shard, [box, socket, path](DatagramShard& there) {
        there.adopt(std::move(*box), socket, path);
    });
}

void DatagramShard::adopt(std::unique_ptr<DatagramAssociation> association, std::size_t socket,
                          const datapath::UdpPath& path) {
    now_ = Clock::now();
    association->socket = socket;
    association->path = path;
    const auto number = insert(std::move(association));
    auto* adopted = entry(number);
    sources_[{path.remote, socket}].up = number;
    auto& link = *adopted->association;
    link.link().set_association(place(number));
    link.link().set_channel(link.channel_name());
    parts_.table.set_source(link.shared_link(), path.remote.address);
    link.moved(now_);
    link.end_train(way_of(link), now_);
    if (link.carries()) on_up(number, *adopted);
    settle(number);
}

// ---- To the network ----------------------------------------------------------------------------

std::optional<std::size_t> DatagramShard::send(std::uint64_t number,
                                               const datapath::SuperPacket& packet) {
    auto* known = entry(number);
    if (known == nullptr) {
        drops_out_.add(Drop::no_destination, datapath::packet_count(packet));
        return std::nullopt;
    }
    auto& association = *known->association;
    if (!std::exchange(known->was_used, true)) used_.push_back(number);
    if (association.send(packet, way_of(association), Clock::now())) return std::nullopt;
    return association.packet_limit();
}

void DatagramShard::flush() {
    const auto now = Clock::now();
    for (auto& socket : sockets_) {
        socket.way->flush();
        want_writing(socket);
    }
    for (const auto number : std::exchange(used_, {})) {
        auto* known = entry(number);
        if (known == nullptr) continue;
        known->was_used = false;
        end_sending(*known->association, now);
        settle(number);
    }
}

bool DatagramShard::is_waiting() const {
    return std::ranges::any_of(sockets_,
                               [](const Socket& socket) { return socket.way->is_waiting(); });
}

void DatagramShard::want_writing(Socket& socket) {
    const bool wants = socket.way->is_waiting();
    if (wants == std::exchange(socket.wants_writing, wants)) return;
    socket.watch.want(wants ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void DatagramShard::take_trouble(std::size_t index) {
    auto& socket = sockets_[index];
    for (auto trouble = socket.port->trouble(); trouble; trouble = socket.port->trouble()) {
        // Anybody can send an ICMP message in a router's name: a size is tried, not believed, and
        // "unreachable" is left to the signs of life.
        if (!trouble->mtu || !trouble->remote) continue;
        const auto peers = sources_.find({*trouble->remote, index});
        if (peers == sources_.end()) continue;
        const auto number = peers->second.up;
        if (auto* known = entry(number)) {
            known->association->refused(*trouble->mtu, now_);
            settle(number);
        }
    }
}

// ---- Channels ----------------------------------------------------------------------------------

void DatagramShard::settle(std::uint64_t number) {
    while (auto* known = entry(number)) {
        const auto event = known->association->next();
        if (!event) return arm(number, *known);
        if (std::holds_alternative<AssociationReady>(*event))
            on_ready_channel(number, *known);
        else if (std::holds_alternative<protocol::DatagramUp>(*event))
            on_up(number, *known);
        else if (const auto* down = std::get_if<protocol::DatagramDown>(&*event))
            on_down(number, *known, *down);
        else if (const auto* narrow = std::get_if<AssociationNarrow>(&*event))
            on_narrow(number, *known, narrow->fits);
        else if (const auto* goodbye = std::get_if<protocol::DatagramDisconnect>(&*event))
            parts_.host.said_goodbye(known->association->link(), goodbye->notice);
        else if (const auto* over = std::get_if<AssociationOver>(&*event))
            on_over(number, *over);
    }
}

void DatagramShard::on_ready_channel(std::uint64_t number, Entry& known) {
    --handshakes_;
    auto& association = *known.association;
    auto& link = association.link();
    if (link.is_over) return remove(number);
    auto& peers = sources_[{association.path.remote, association.socket}];
    if (peers.shaking_hands == number) peers.shaking_hands = 0;
    // One source, one channel: records have to be tried with one key only.
    if (const auto before = std::exchange(peers.up, number); before != 0 && before != number)
        remove(before);
    const auto before = link.set_association(place(number));
    if (before && *before != place(number)) known.replaces = before;
    link.set_channel(association.channel_name());
    parts_.table.set_source(association.shared_link(), association.path.remote.address);
}

void DatagramShard::on_up(std::uint64_t number, Entry& known) {
    auto& association = *known.association;
    const auto& terms = association.link().terms;
    bool is_routed = false;
    for (const auto& address : {terms.addresses.address4, terms.addresses.address6})
        if (address && parts_.registry.routes().divert(*address, terms.tunnel, place(number)))
            is_routed = true;
    if (!is_routed) return;  // another connection has the session: this one is about to end
    association.link().carries = true;
    parts_.registry.log().note(
        "datagrams-up", terms.party,
        {{"channel", association.link().channel()}, {"from", association.path.remote.text()}});
    if (const auto before = std::exchange(known.replaces, std::nullopt))
        parts_.host.at_shard(before->shard, [number = before->connection](DatagramShard& there) {
            there.drop(number);
        });
}

void DatagramShard::on_down(std::uint64_t number, Entry& known,
                            const protocol::DatagramDown& down) {
    auto& association = *known.association;
    stop_carrying(number, association);
    parts_.registry.log().note(
        "datagrams-down", association.link().terms.party,
        {{"why", spoken(down.why)}, {"silent_ms", std::to_string(down.silence.count())}});
}

void DatagramShard::on_narrow(std::uint64_t number, Entry& known, std::size_t fits) {
    stop_carrying(number, *known.association);
    parts_.registry.log().note(
        "datagrams-down", known.association->link().terms.party,
        {{"why", "the way takes too small packets only"}, {"fits", std::to_string(fits)}});
}

void DatagramShard::on_over(std::uint64_t number, const AssociationOver& over) {
    auto* known = entry(number);
    const auto party = known->association->link().terms.party;
    const bool was_up = known->association->is_ready();
    const bool is_expected = over.why.code == Code(Tls::errSSLClosedGraceful);
    remove(number);
    if (is_expected || was_up)
        return parts_.registry.log().note("datagrams-over", party, {{"why", over.why.detail}});
    parts_.registry.log().record(
        Error{Vpn::negotiationFailed, "the datagram channel to the client did not come about"}
            .because(over.why),
        Phase::datagram, party);
}

void DatagramShard::stop_carrying(std::uint64_t number, DatagramAssociation& association) {
    auto& link = association.link();
    for (const auto& address : {link.terms.addresses.address4, link.terms.addresses.address6})
        if (address) parts_.registry.routes().restore(*address, place(number));
    if (link.association() == place(number)) link.carries = false;
}

void DatagramShard::leave_source(std::uint64_t number, const DatagramAssociation& association) {
    const auto peers = sources_.find({association.path.remote, association.socket});
    if (peers == sources_.end()) return;
    if (peers->second.up == number) peers->second.up = 0;
    if (peers->second.shaking_hands == number) peers->second.shaking_hands = 0;
    if (peers->second.up == 0 && peers->second.shaking_hands == 0) sources_.erase(peers);
}

void DatagramShard::remove(std::uint64_t number) {
    auto* known = entry(number);
    if (known == nullptr) return;
    auto& association = *known->association;
    if (!association.is_ready()) --handshakes_;
    end_sending(association, now_);
    leave_source(number, association);
    stop_carrying(number, association);
    association.link().forget_association(place(number));
    entries_.erase(number);
}

void DatagramShard::data_by_tunnel(std::uint64_t number) {
    auto* known = entry(number);
    if (known == nullptr) return;
    known->association->data_by_tunnel(Clock::now());
    settle(number);
}

void DatagramShard::renew(std::uint64_t number) {
    auto* known = entry(number);
    if (known == nullptr) return;
    known->association->renew(way_of(*known->association), Clock::now());
    settle(number);
}

void DatagramShard::drop(std::uint64_t number) { remove(number); }

void DatagramShard::arm(std::uint64_t number, Entry& known) {
    const auto next = known.association->deadline();
    // A timer that rings early only looks again: most deadlines move on with every packet.
    if (!next || (known.armed && *known.armed <= *next)) return;
    known.armed = next;
    known.timer = parts_.loop.at(*next, [this, number] {
        auto* due = entry(number);
        if (due == nullptr) return;
        due->armed.reset();
        now_ = Clock::now();
        if (due->association->link().is_over) return remove(number);
        due->association->advance(way_of(*due->association), now_);
        settle(number);
    });
}

DatagramShard::Report DatagramShard::report() const {
    Report report;
    report.channels = entries_.size();
    report.traffic = traffic_;
    report.control_in = control_in_;
    report.handshakes_in = handshakes_in_;
    report.drops_in = drops_in_;
    report.drops_in += stray_drops_->sum();
    report.drops_out = drops_out_;
    for (const auto& socket : sockets_) {
        report.offloads = socket.port->offloads();
        report.sends += socket.port->sends();
        report.receives += socket.port->receives();
        report.overflowed += socket.port->overflowed();
        report.unsent += socket.way->drops().total();
        report.drops_out += socket.way->drops();
        report.control_out += socket.way->control();
        report.waiting += socket.way->waiting();
    }
    return report;
}

}  // namespace causeway::gateway
