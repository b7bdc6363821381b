#include "causeway/provider/tunnel.h"

#include "causeway/base/text.h"
#include "causeway/datapath/receive_path.h"
#include "causeway/datapath/splitter.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace causeway::provider {
namespace {

// Packets of one turn: what one super-packet brings at most.
constexpr std::size_t batch_size = 64;
constexpr std::size_t backlog_limit = 256 * 1024;
// How long the gateway may take to answer with keys of its own, before a second connection is
// made instead.
constexpr std::chrono::seconds rekey_limit{10};

std::size_t packet_room(const protocol::SessionParameters& parameters) {
    return std::clamp<std::size_t>(static_cast<std::size_t>(parameters.mtu), 2048,
                                   protocol::cstp_payload_limit);
}

}  // namespace

// Held by itself while it works: a handler may destroy the tunnel it is called by.
class Tunnel::Work final : public std::enable_shared_from_this<Tunnel::Work>,
                           private datapath::SuperPacketSink {
public:
    Work(EventLoop& loop, Entered entered, datapath::TunPort& tun, Handler handler)
        : loop_(loop),
          link_(std::move(entered.link)),
          rest_(std::move(entered.rest)),
          session_(protocol::Role::client, protocol::CstpTimes::of(entered.parameters),
                   Clock::now()),
          tun_(tun),
          handler_(std::move(handler)),
          receive_path_(*this, tun.merges()) {
        session_.set_output_limit(backlog_limit + batch_size * packet_room(entered.parameters) +
                                  datapath::super_packet_limit);
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
        auto link = std::move(link_);
        abandon();
        return link;
    }

    const Link& link() const { return *link_; }
    const datapath::Counters& received() const { return received_; }
    const datapath::Counters& sent() const { return sent_; }

private:
    void read_tun() {
        const auto self = shared_from_this();
        const auto now = Clock::now();
        for (std::size_t count = 0; count < batch_size;) {
            auto packet = tun_.read(sent_.drops);
            if (!packet) return end(device_gone(std::move(packet).error()));
            if (!*packet) break;
            count += frame(**packet, now);
        }
        send();
    }

    /// Each packet is framed, which copies it, before the next one's header goes over its end.
    std::size_t frame(const datapath::SuperPacket& packet, Instant now) {
        if (const auto started = splitter_.start(packet); !started) {
            sent_.drops.add(started.error());
            return 1;
        }
        for (ByteView piece = splitter_.next(); !piece.empty(); piece = splitter_.next()) {
            if (session_.send(std::span(&piece, 1), now) == 1)
                sent_.add(piece.size());
            else
                sent_.drops.add(datapath::Drop::queue_full);
        }
        return splitter_.count();
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
        link_->when_drained([this] {
            congested_ = false;
            if (!paused_) resume();
        });
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
            for (const auto packet : arrived->packets)
                if (!receive_path_.add(packet)) received_.drops.add(datapath::Drop::too_large);
            receive_path_.flush();
            if (write_failure_) end(device_gone(*std::exchange(write_failure_, std::nullopt)));
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

    // datapath::SuperPacketSink
    void take(const datapath::SuperPacket& packet, std::size_t count) override {
        if (write_failure_) return received_.drops.add(datapath::Drop::interface_down, count);
        auto written = tun_.write(packet, count, received_);
        if (!written) write_failure_ = std::move(written).error();
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
    Bytes rest_;
    protocol::CstpSession session_;
    datapath::TunPort& tun_;
    Handler handler_;
    datapath::Splitter splitter_;
    datapath::ReceivePath receive_path_;
    std::optional<Error> write_failure_;
    datapath::Counters received_;
    datapath::Counters sent_;
    EventLoop::Watch tun_watch_;
    EventLoop::Timer timer_;
    EventLoop::Timer rekey_timer_;
    EventLoop::Timer first_;
    Instant timer_at_{};
    bool paused_ = true;
    bool congested_ = false;
    bool gone_ = false;
};

Tunnel::Tunnel(EventLoop& loop, Entered entered, datapath::TunPort& tun, Handler handler)
    : work_(std::make_shared<Work>(loop, std::move(entered), tun, std::move(handler))) {
    work_->start();
}

Tunnel::~Tunnel() { work_->abandon(); }

void Tunnel::pause() { work_->pause(); }
void Tunnel::resume() { work_->resume(); }
std::unique_ptr<Link> Tunnel::leave(std::string_view text) { return work_->leave(text); }
std::unique_ptr<Link> Tunnel::release() { return work_->release(); }
const Link& Tunnel::link() const { return work_->link(); }
const datapath::Counters& Tunnel::received() const { return work_->received(); }
const datapath::Counters& Tunnel::sent() const { return work_->sent(); }

}  // namespace causeway::provider
