#include "causeway/provider/tunnel.h"

#include "causeway/base/text.h"
#include "causeway/datapath/icmp_too_big.h"
#include "causeway/datapath/receive_path.h"
#include "causeway/datapath/splitter.h"
#include "causeway/protocol/limits.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <optional>

namespace causeway::provider {
namespace {

// Packets of one turn, so that the other direction gets its turn too: what one super-packet brings
// at most.
constexpr std::size_t batch_size = 64;
constexpr std::size_t backlog_limit = 256 * 1024;
// Beside the backlog: what one turn may add to it.
constexpr std::size_t turn_limit =
    batch_size * protocol::cstp_payload_limit + 2 * datapath::super_packet_limit;
// How long the gateway may take to answer with keys of its own, before a second connection is
// made instead.
constexpr std::chrono::seconds rekey_limit{10};
// How long a packet may be under way, and may be repeated.
constexpr std::chrono::seconds packet_lifetime{60};

}  // namespace

// Held by itself while it works: a handler may destroy the tunnel it is called by.
class Tunnel::Work : public std::enable_shared_from_this<Tunnel::Work> {
public:
    Work(Environment& environment, Entered entered, datapath::TunLanes& tun, Handler handler)
        : loop_(environment.loop),
          link_(std::move(entered.link)),
          link_flow_(own_flow(link_->socket())),
          rest_(std::move(entered.rest)),
          session_(protocol::Role::client, protocol::CstpTimes::of(entered.parameters),
                   Clock::now()),
          tun_(tun),
          sink_(tun),
          receive_path_(sink_, tun.merges()),
          datagram_sink_(tun),
          datagrams_(
              environment, *link_, entered.parameters, std::move(entered.master_secret),
              datagram_sink_, [this](DatagramChanged changed) { told(std::move(changed)); },
              [this](Error why) { end(device_gone(std::move(why))); }),
          handler_(std::move(handler)) {
        session_.set_output_limit(backlog_limit + turn_limit);
        session_.set_bundles(entered.parameters.bundles);
        keeps_last_ =
            entered.parameters.datagram && entered.parameters.datagram->connection_id.empty();
    }

    void start() {
        link_->set_handler([this](LinkEvent event) { heard(std::move(event)); });
        first_ = loop_.at(Clock::now(), [this] { take_rest(); });
        set_timer();
    }

    void abandon() {
        gone_ = true;
        tun_watch_.reset();
        timer_.reset();
        rekey_timer_.reset();
        first_.reset();
        link_.reset();
    }

    void pause() {
        paused_ = true;
        tun_watch_.reset();
    }

    void resume() {
        paused_ = false;
        datagrams_.start();
        if (!tun_watch_ && !congested_)
            tun_watch_ = loop_.watch(tun_.fd(), EPOLLIN, [this](auto) { read_tun(); });
    }

    std::unique_ptr<Link> leave(std::string_view text) {
        pause();
        session_.disconnect(protocol::DisconnectByte::user, text);
        send();
        return release();
    }

    std::unique_ptr<Link> release() {
        datagrams_.close();
        auto link = std::move(link_);
        abandon();
        return link;
    }

    Move move() {
        if (!datagrams_.can_move()) return Move::never;
        return datagrams_.move() ? Move::done : Move::not_yet;
    }

    std::optional<IpAddress> local_address() const {
        if (const auto* flow = datagrams_.flow()) return flow->local.address;
        return link_flow_ ? std::optional(link_flow_->local.address) : std::nullopt;
    }

    const Link& link() const { return *link_; }
    TunnelTotals totals() {
        TunnelTotals totals;
        totals.sent = sent_;
        totals.sent += datagrams_sent_;
        totals.received = sink_.counters();
        totals.received += datagram_sink_.counters();
        totals.sent_as_datagrams = datagrams_sent_.packets;
        totals.received_as_datagrams = datagram_sink_.counters().packets;
        totals.received_through_tls = session_.counters().packets_in;
        totals.answers = answers_;
        totals.repeated = repeated_;
        totals.looped = looped_;
        totals.datagrams = datagrams_.totals();
        return totals;
    }

private:
    void read_tun() {
        const auto self = shared_from_this();
        if (datagrams_.carries()) return read_to_datagrams();
        const auto now = Clock::now();
        for (std::size_t count = 0; count < batch_size;) {
            auto packet = tun_.read(sent_.drops);
            if (!packet) return end(device_gone(std::move(packet).error()));
            if (!*packet) break;
            if (is_own(**packet)) return end_loop(**packet);
            count += frame(**packet, now);
        }
        send();
    }

    bool is_own(const datapath::SuperPacket& packet) const {
        const auto* datagrams = datagrams_.flow();
        return (datagrams && datagrams->sent(packet.bytes)) ||
               (link_flow_ && link_flow_->sent(packet.bytes));
    }

    /// Sealed and sent again they would go round, each time larger, until they are too large.
    void end_loop(const datapath::SuperPacket& packet) {
        looped_ += datapath::packet_count(packet);
        end(Error{Vpn::unrecoverableNetworkChange,
                  fmt::format("the route to the gateway {} leads into the tunnel itself",
                              link_->remote().address.text())}
                .with("address", link_->remote().text()));
    }

    /// Each packet is framed, which copies it, before the next one's header goes over its end.
    std::size_t frame(const datapath::SuperPacket& packet, Instant now) {
        if (const auto started = splitter_.start(packet); !started) {
            sent_.drops.add(started.error(), datapath::packet_count(packet));
            return 1;
        }
        if (splitter_.packet_size() > protocol::cstp_packet_limit) {
            sent_.drops.add(datapath::Drop::too_large, splitter_.count());
            answer_too_large(packet.bytes, protocol::cstp_packet_limit);
            return splitter_.count();
        }
        for (ByteView piece = splitter_.next(); !piece.empty(); piece = splitter_.next()) {
            if (session_.send(std::span(&piece, 1), now) == 1)
                sent_.add(piece.size());
            else
                sent_.drops.add(datapath::Drop::queue_full);
        }
        return splitter_.count();
    }

    void read_to_datagrams() {
        auto& association = datagrams_.active();
        for (std::size_t count = 0; count < batch_size && !association.is_waiting();) {
            auto packet = tun_.read(sent_.drops);
            if (!packet) return end(device_gone(std::move(packet).error()));
            if (!*packet) break;
            if (is_own(**packet)) return end_loop(**packet);
            count += datapath::packet_count(**packet);
            if (keeps_last_) keep(**packet);
            if (!association.send(**packet, datagrams_sent_))
                answer_too_large((*packet)->bytes, association.packet_limit());
        }
        if (association.flush()) wait_for_socket();
    }

    /// Who sent it learns what fits, and sends smaller ones.
    void answer_too_large(ByteView packet, std::size_t limit) {
        std::array<std::byte, datapath::icmp_too_big_limit> answer;
        const std::size_t size = datapath::write_icmp_too_big(packet, limit, answer);
        if (size == 0) return;
        datapath::Counters answers;  // ours, and none of the gateway's packets
        auto written = tun_.write(ByteView(answer).first(size), {}, 1, answers);
        answers_ += answers.packets;
        if (!written) end(device_gone(std::move(written).error()));
    }

    // A stock gateway goes on sending datagrams into the void until DATA comes through TLS. When
    // they stop, and nobody here has anything to say, the last packet goes again; it may be lost
    // anyway.

    void keep(const datapath::SuperPacket& packet) {
        if (packet.offload.segmentation != datapath::Segmentation::none) return;
        last_.assign(packet.bytes.begin(), packet.bytes.end());
        last_offload_ = packet.offload;
        last_at_ = Clock::now();
    }

    void told(DatagramChanged changed) {
        if (changed.state == DatagramChanged::State::down) repeat_last();
        tell(std::move(changed));
    }

    void repeat_last() {
        const auto now = Clock::now();
        if (last_.empty() || now - last_at_ > packet_lifetime || !link_) return;
        repeated_ += frame({last_, last_offload_}, now);
        last_.clear();
        send();
    }

    /// The UDP socket is full.
    void wait_for_socket() {
        congested_ = true;
        tun_watch_.reset();
        datagrams_.active().when_drained([this] { has_room(); });
    }

    void has_room() {
        congested_ = false;
        if (!paused_ && !gone_) resume();
    }

    void send() {
        if (!link_ || !session_.has_output()) return;
        const auto messages = session_.messages();
        link_->write(messages);
        session_.sent(messages.size());
        if (link_ && link_->backlog() > backlog_limit) wait_for_room();
    }

    void wait_for_room() {
        if (congested_) return;
        congested_ = true;
        tun_watch_.reset();
        link_->when_drained([this] { has_room(); });
    }

    /// What came behind the gateway's answer goes before everything that came later.
    void take_rest() {
        if (!first_) return;
        first_.reset();
        take(rest_);
    }

    void heard(LinkEvent event) {
        const auto self = shared_from_this();
        take_rest();
        if (const auto* data = std::get_if<LinkData>(&event)) return take(data->bytes);
        if (std::holds_alternative<LinkRekeyed>(event)) {
            rekey_timer_.reset();
            session_.rekeyed(Clock::now());
            datagrams_.renew();
            set_timer();
            return tell(TunnelRekeyed{});
        }
        if (std::holds_alternative<LinkRekeyRefused>(event)) return rekey_elsewhere();
        if (auto* ended = std::get_if<LinkEnded>(&event)) end(std::move(ended->why));
    }

    void take(ByteView bytes) {
        const auto self = shared_from_this();
        session_.feed(bytes, Clock::now());
        work();
    }

    void work() {
        while (!gone_) {
            auto event = session_.next();
            if (!event) return end(std::move(event).error());
            if (!*event) break;
            handle(**event);
        }
        if (gone_) return;
        send();
        set_timer();
    }

    void handle(const protocol::CstpEvent& event) {
        if (const auto* arrived = std::get_if<protocol::Packets>(&event)) {
            deliver(arrived->packets);
        } else if (const auto* dead = std::get_if<protocol::PeerDead>(&event)) {
            end(Error{Vpn::serverDead, fmt::format("nothing was heard from the gateway for {}",
                                                   spoken(dead->silence))}
                    .with("silence_ms", std::to_string(dead->silence.count()))
                    .because({Tls::errSSLNetworkTimeout,
                              "no packet and no sign of life came through the channel"}));
        } else if (const auto* due = std::get_if<protocol::RekeyDue>(&event)) {
            rekey(due->method);
        }
    }

    void deliver(std::span<const ByteView> packets) {
        for (const auto packet : packets)
            if (!receive_path_.add(packet)) sink_.counters().drops.add(datapath::Drop::malformed);
        receive_path_.flush();
        datagrams_.data_by_tunnel();
        if (auto gone = sink_.take_failure()) end(device_gone(std::move(*gone)));
    }

    void rekey(protocol::RekeyMethod method) {
        if (method != protocol::RekeyMethod::ssl) return rekey_elsewhere();
        rekey_timer_ = loop_.at(Clock::now() + rekey_limit, [this] { rekey_elsewhere(); });
        link_->rekey();
    }

    void rekey_elsewhere() {
        rekey_timer_.reset();
        tell(TunnelRekeyDue{});
    }

    void set_timer() {
        const auto deadline = session_.deadline();
        if (!deadline || !handler_) return timer_.reset();
        // Deadlines mostly move later, with every packet; the timer that is set comes early then,
        // and is set anew. That is cheaper than moving it each time.
        if (timer_ && timer_at_ <= *deadline) return;
        timer_at_ = *deadline;
        timer_ = loop_.at(*deadline, [this] {
            const auto self = shared_from_this();
            timer_.reset();
            session_.advance(Clock::now());
            work();
        });
    }

    static Error device_gone(Error why) {
        return Error{Vpn::configurationFailed, "the tunnel's interface was removed"}.because(
            std::move(why));
    }

    void end(Error why) {
        tun_watch_.reset();
        timer_.reset();
        rekey_timer_.reset();
        tell(TunnelEnded{std::move(why)});
    }

    void tell(TunnelEvent event) {
        if (!handler_) return;
        const bool last = std::holds_alternative<TunnelEnded>(event);
        auto handler = std::move(handler_);
        handler_ = nullptr;
        handler(std::move(event));
        if (!last && !gone_) handler_ = std::move(handler);
    }

    EventLoop& loop_;
    std::unique_ptr<Link> link_;
    std::optional<OwnFlow> link_flow_;
    std::uint64_t repeated_ = 0;
    std::uint64_t looped_ = 0;
    Bytes rest_;
    protocol::CstpSession session_;
    datapath::TunLanes& tun_;
    datapath::Splitter splitter_;
    datapath::Counters sent_;            ///< Through TLS.
    datapath::Counters datagrams_sent_;  ///< As datagrams.
    std::uint64_t answers_ = 0;
    TunSink sink_;
    datapath::ReceivePath receive_path_;
    TunSink datagram_sink_;
    Datagrams datagrams_;
    Handler handler_;
    EventLoop::Watch tun_watch_;
    EventLoop::Timer timer_;
    EventLoop::Timer rekey_timer_;
    EventLoop::Timer first_;
    Bytes last_;  ///< Of the packets that were sent as datagrams one by one.
    datapath::VirtioHeader last_offload_;
    Instant last_at_{};
    bool keeps_last_ = false;
    Instant timer_at_{};
    bool paused_ = true;
    bool congested_ = false;
    bool gone_ = false;
};

TunnelTotals& TunnelTotals::operator+=(const TunnelTotals& other) {
    sent += other.sent;
    received += other.received;
    sent_as_datagrams += other.sent_as_datagrams;
    received_as_datagrams += other.received_as_datagrams;
    received_through_tls += other.received_through_tls;
    answers += other.answers;
    repeated += other.repeated;
    looped += other.looped;
    datagrams += other.datagrams;
    return *this;
}

Tunnel::Tunnel(Environment& environment, Entered entered, datapath::TunLanes& tun, Handler handler)
    : work_(std::make_shared<Work>(environment, std::move(entered), tun, std::move(handler))) {
    work_->start();
}

Tunnel::~Tunnel() { work_->abandon(); }

void Tunnel::pause() { work_->pause(); }
void Tunnel::resume() { work_->resume(); }
std::unique_ptr<Link> Tunnel::leave(std::string_view text) { return work_->leave(text); }
std::unique_ptr<Link> Tunnel::release() { return work_->release(); }
Move Tunnel::move() { return work_->move(); }
std::optional<IpAddress> Tunnel::local_address() const { return work_->local_address(); }
const Link& Tunnel::link() const { return work_->link(); }
TunnelTotals Tunnel::totals() const { return work_->totals(); }

}  // namespace causeway::provider
