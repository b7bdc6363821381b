#include "causeway/provider/association.h"

#include "causeway/datapath/receive_moderation.h"
#include "causeway/datapath/receive_path.h"
#include "causeway/provider/datagram_failure.h"
#include "causeway/provider/records.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace causeway::provider {
namespace {

using datapath::Drop;
using datapath::RecordType;

// One turn of the loop receives no more, so that the other direction gets its turn too.
constexpr std::size_t datagrams_a_turn = 512;
// What a socket can hold at its end; more is somebody who does not stop sending.
constexpr int turns_at_the_end = 512;
constexpr std::size_t smallest_v4 = 576;
constexpr std::size_t smallest_v6 = 1280;
constexpr int link_mtu_default = 1500;

Result<void> connect_to(int socket, const Endpoint& remote) {
    sockaddr_storage storage;
    const auto size = remote.to_sockaddr(storage);
    if (connect(socket, reinterpret_cast<const sockaddr*>(&storage), size) != 0)
        return std::unexpected(system_error(errno, "connect"));
    return {};
}

/// The kernel chooses another address of ours, and a port. Mark and options stay, and so does what
/// waits to be received.
Result<void> connect_anew(int socket, const Endpoint& remote) {
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    if (connect(socket, &nobody, sizeof nobody) != 0)
        return std::unexpected(system_error(errno, "connect"));
    return connect_to(socket, remote);
}

Result<Fd> connected_socket(const Endpoint& remote, const Protect& protect) {
    Fd socket(
        ::socket(remote.address.domain(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
    if (!socket) return std::unexpected(system_error(errno, "socket"));
    if (protect)
        if (auto done = protect(socket.get()); !done) return pass(done);
    if (auto connected = connect_to(socket.get(), remote); !connected) return pass(connected);
    return socket;
}

tls::DatagramSettings handshake_settings(const AssociationSettings& settings) {
    tls::DatagramSettings handshake;
    handshake.key = settings.key;
    handshake.handshake_limit = settings.handshake_limit;
    handshake.now = Clock::now();
    return handshake;
}

}  // namespace

// Held by itself while it works: a handler may destroy the association it is called by.
class Association::Work : public std::enable_shared_from_this<Association::Work> {
public:
    Work(EventLoop& loop, AssociationSettings settings, datapath::UdpPort port, TunSink& sink,
         Handler handler)
        : loop_(loop),
          settings_(std::move(settings)),
          port_(std::move(port)),
          records_(handshake_settings(settings_), port_),
          handshake_(records_.handshake()),
          send_path_(records_.path()),
          sink_(sink),
          receive_path_(sink, sink.merges()),
          handler_(std::move(handler)),
          flow_(own_flow(port_.fd())) {}

    void start() {
        watch_ = loop_.watch(port_.fd(), EPOLLIN, [this](auto flags) { ready(flags); });
        soon_ = loop_.at(Clock::now(), [this] {
            const auto self = shared_from_this();
            work();
        });
    }

    void abandon() {
        gone_ = true;
        watch_.reset();
        timer_.reset();
        soon_.reset();
        handler_ = nullptr;
        drained_ = nullptr;
    }

    void retire() {
        retired_ = true;
        handler_ = nullptr;
        timer_.reset();
        soon_.reset();
        let_go();
    }

    void close() {
        const auto self = shared_from_this();
        retire();
        // Trouble of the way hides what lies behind it.
        for (int turn = 0; turn < turns_at_the_end && !gone_; ++turn)
            if (!receive() && !port_.trouble()) break;
        abandon();
        closed_with_ = send_path_.waiting();
    }

    bool carries() const { return session_ && session_->carries() && !retired_; }

    bool send(const datapath::SuperPacket& packet, datapath::Counters& counters) {
        if (!session_) return false;
        largest_sent_ = std::max(largest_sent_, datapath::largest_packet(packet));
        return records_.send(packet, session_->packet_limit(), counters);
    }

    std::size_t packet_limit() const { return session_ ? session_->packet_limit() : 0; }
    bool is_waiting() const { return send_path_.is_waiting() || where_ != Where::here; }

    bool can_move() const {
        return handler_ && session_ && !settings_.connection_id.empty() &&
               (session_->carries() || where_ == Where::nowhere);
    }

    bool move() {
        where_ = Where::nowhere;
        const bool is_connected = connect_anew(port_.fd(), settings_.remote).has_value();
        flow_ = is_connected ? own_flow(port_.fd()) : std::nullopt;
        if (!flow_) return false;
        where_ = Where::moving;
        session_->moved(Clock::now());
        send_messages();
        set_timer();
        return true;
    }

    const std::optional<OwnFlow>& flow() const { return flow_; }

    bool flush() {
        send_path_.flush();
        if (const auto size = std::exchange(largest_sent_, 0); size > 0) {
            session_->data_sent(size, Clock::now());
            set_timer();
            if (records_.is_nearly_used_up() && !std::exchange(told_worn_, true))
                soon_ = loop_.at(Clock::now(), [this] { tell(AssociationWorn{}); });
        }
        want_write(send_path_.is_waiting());
        return is_waiting();
    }

    void when_drained(EventLoop::Action action) { drained_ = std::move(action); }

    void data_by_tunnel() {
        if (!carries()) return;
        session_->data_by_tunnel(Clock::now());
        if (!session_->carries())
            soon_ = loop_.at(Clock::now(), [this] {
                const auto self = shared_from_this();
                work();
            });
    }

    const datapath::UdpPort& port() const { return port_; }
    protocol::DatagramCounters control() const {
        return session_ ? session_->counters() : protocol::DatagramCounters{};
    }
    std::uint64_t handshakes_in() const { return handshakes_in_; }
    std::uint64_t control_out() const { return send_path_.control(); }
    const datapath::Drops& drops_in() const { return drops_in_; }
    datapath::Drops drops_out() const {
        auto drops = send_path_.drops();
        drops.add(Drop::channel_closed, closed_with_);
        return drops;
    }

private:
    // From the socket

    void ready(std::uint32_t flags) {
        const auto self = shared_from_this();
        if (flags & EPOLLERR) take_trouble();
        if (flags & EPOLLOUT) drained();
        if (!gone_ && (flags & (EPOLLIN | EPOLLERR))) receive();
        if (!gone_) work();
    }

    void drained() {
        send_path_.flush();
        want_write(send_path_.is_waiting());
        if (is_waiting() || !drained_) return;
        auto drained = std::move(drained_);
        drained_ = nullptr;
        drained();
    }

    /// The gateway has followed, or will not: nothing waits for that any more.
    void settle() {
        where_ = Where::here;
        let_go();
    }

    /// Nobody has to wait for this socket any more.
    void let_go() {
        if (drained_) soon_ = loop_.at(Clock::now(), std::exchange(drained_, nullptr));
    }

    void want_write(bool wanted) {
        if (wants_write_ == wanted || gone_) return;
        wants_write_ = wanted;
        watch_.want(wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }

    /// False when nothing is left in the socket.
    bool receive() {
        if (std::exchange(is_drained_, false))
            datapath::let_gather(moderation_.pause(port_.receives(), Clock::now()));
        const auto now = Clock::now();
        for (std::size_t taken = 0; taken < datagrams_a_turn;) {
            auto train = port_.receive_train();
            is_drained_ = !train;
            if (!train) break;
            taken += std::max<std::size_t>(train->count(), 1);
            if (train->bytes.empty()) drops_in_.add(Drop::record_too_short);
            const bool is_here = flow_ && train->path.local == flow_->local.address;
            for (auto datagram = train->next(); !datagram.empty(); datagram = train->next())
                take(datagram, now);
            if (where_ == Where::moving && is_here && session_ && session_->last_heard() == now)
                settle();
        }
        receive_path_.flush();
        if (session_ && std::exchange(heard_data_, false)) session_->data_heard(now);
        return !is_drained_;
    }

    void take(ByteView datagram, Instant now) {
        const bool is_data = datapath::record_type(datagram) == RecordType::application_data;
        if (is_data && records_.opener()) return take_record(datagram, now);
        if (is_data && !session_) return drops_in_.add(Drop::record_unknown);
        const auto ignored = handshake_.facts().datagrams_ignored;
        handshake_.feed(datagram, now);
        take_handshake_events(now);
        if (handshake_.facts().datagrams_ignored != ignored)
            drops_in_.add(is_data ? Drop::record_forged : Drop::record_unknown);
        else if (!is_data)
            ++handshakes_in_;
    }

    void take_record(ByteView record, Instant now) {
        const auto payload = receive_path_.open(record, *records_.opener());
        if (!payload) return drops_in_.add(payload.error());
        if (!std::exchange(is_confirmed_, true)) handshake_.confirm();
        if (payload->empty())
            heard_data_ = true;
        else
            session_->feed(*payload, now);
    }

    /// What OpenSSL opened.
    void take_payload(ByteView payload, Instant now) {
        if (payload.empty() || !session_) return drops_in_.add(Drop::malformed);
        if (payload.front() != datapath::data_payload) return session_->feed(payload, now);
        heard_data_ = true;
        if (!receive_path_.add(payload.subspan(1))) drops_in_.add(Drop::malformed);
    }

    void take_handshake_events(Instant now) {
        while (!gone_ && !failure_) {
            auto event = handshake_.next();
            if (!event) {
                failure_ = std::move(event).error();
                break;
            }
            if (!*event) break;
            if (const auto* data = std::get_if<tls::DatagramData>(&**event))
                take_payload(data->bytes, now);
            else if (std::holds_alternative<tls::DatagramReady>(**event))
                begin(now);
            else
                failure_ = Error{Tls::errSSLClosedGraceful,
                                 "the gateway closed the datagram channel in order"};
        }
        records_.send_handshake();
    }

    /// What the socket says about earlier datagrams.
    void take_trouble() {
        while (const auto trouble = port_.trouble()) {
            last_trouble_ = trouble->number;
            if (trouble->number == EMSGSIZE && trouble->mtu && session_) {
                session_->refused(packet_size(static_cast<int>(*trouble->mtu)), Clock::now());
            } else if (!session_ && trouble->number != EMSGSIZE && !failure_) {
                failure_ = unreachable_by_datagram(settings_.remote, trouble->number);
            }
        }
    }

    // The handshake is complete

    void begin(Instant now) {
        if (auto made = records_.take_keys(settings_.crypto); !made) {
            failure_ = std::move(made).error();
            return;
        }
        const int link = settings_.link_mtu > 0 ? settings_.link_mtu : link_mtu_default;
        const std::size_t largest =
            std::min(packet_size(link), static_cast<std::size_t>(settings_.mtu));
        smallest_ = std::min(settings_.carries_v6 ? smallest_v6 : smallest_v4, largest);
        session_.emplace(protocol::Role::client, settings_.times,
                         protocol::PathMtuLimits{smallest_, largest, true}, now);
    }

    std::size_t packet_size(int link_mtu) const {
        return records_.packet_size(link_mtu, settings_.remote.address.family());
    }

    // To the socket

    void send_messages() {
        if (!session_ || retired_) return;
        // What the socket says at once about their sizes may lead to others.
        for (int round = 0; round < 4 && !session_->messages().empty(); ++round) {
            for (const auto& message : session_->messages())
                records_.send(message, settings_.connection_id);
            session_->sent();
            send_path_.flush();
            if (port_.has_trouble()) take_trouble();
        }
        want_write(send_path_.is_waiting());
    }

    // Events and time

    void work() {
        if (!handler_) return;
        const auto now = Clock::now();
        if (!session_) take_handshake_events(now);
        if (port_.has_trouble()) take_trouble();
        send_messages();
        while (!gone_ && handler_ && session_) {
            auto event = session_->next();
            if (!event) break;
            handle(*event);
        }
        if (gone_ || !handler_) return;
        if (auto gone = sink_.take_failure()) return tell(AssociationTunGone{std::move(*gone)});
        if (failure_) return end(*failure_);
        send_messages();
        set_timer();
    }

    void handle(const protocol::DatagramEvent& event) {
        if (std::holds_alternative<protocol::DatagramUp>(event))
            return tell(AssociationUp{handshake_.summary().suite_name, records_.crypto(),
                                      session_->packet_limit()});
        if (const auto* changed = std::get_if<protocol::PathMtuChanged>(&event)) {
            if (session_->carries()) tell(AssociationResized{changed->size});
        } else if (const auto* down = std::get_if<protocol::DatagramDown>(&event)) {
            if (where_ == Where::moving) where_ = Where::here;
            let_go();
            tell(AssociationDown{stopped(down->why, down->silence)});
        } else if (const auto* lost = std::get_if<protocol::DatagramLost>(&event)) {
            end(stopped(lost->why, lost->silence));
        }
    }

    Error stopped(protocol::DatagramDown::Why why, std::chrono::milliseconds silence) const {
        return datagrams_stopped(settings_.remote, why, silence, last_trouble_, smallest_);
    }

    void end(Error why) {
        watch_.reset();
        timer_.reset();
        let_go();
        if (!session_)
            why = no_datagram_handshake(settings_.remote, std::move(why),
                                        handshake_.facts().peer_spoke, settings_.handshake_limit);
        tell(AssociationEnded{std::move(why)});
    }

    void tell(AssociationEvent event) {
        if (!handler_) return;
        const bool last = std::holds_alternative<AssociationEnded>(event);
        auto handler = std::move(handler_);
        handler_ = nullptr;
        handler(std::move(event));
        if (!last && !gone_ && !retired_) handler_ = std::move(handler);
    }

    void set_timer() {
        if (!handler_) return;
        const auto deadline = session_ ? session_->deadline() : handshake_.deadline();
        if (!deadline) return timer_.reset();
        // Deadlines mostly move later; see Tunnel.
        if (timer_ && timer_at_ <= *deadline) return;
        timer_at_ = *deadline;
        timer_ = loop_.at(*deadline, [this] {
            const auto self = shared_from_this();
            timer_.reset();
            const auto now = Clock::now();
            if (session_)
                session_->advance(now);
            else
                handshake_.advance(now);
            work();
        });
    }

    /// Our address: good, gone, or new and not known to the gateway for certain.
    enum class Where : std::uint8_t { here, nowhere, moving };

    EventLoop& loop_;
    AssociationSettings settings_;
    datapath::UdpPort port_;
    datapath::ReceiveModeration moderation_;
    Records records_;
    tls::Datagram& handshake_;
    datapath::SendPath& send_path_;
    TunSink& sink_;
    datapath::ReceivePath receive_path_;
    Handler handler_;
    std::optional<OwnFlow> flow_;
    Where where_ = Where::here;
    std::optional<protocol::DatagramSession> session_;
    datapath::Drops drops_in_;
    std::uint64_t handshakes_in_ = 0;
    std::size_t closed_with_ = 0;  ///< Datagrams that waited then.
    std::optional<Error> failure_;
    int last_trouble_ = 0;
    std::size_t smallest_ = 0;  ///< Of packets.
    EventLoop::Watch watch_;
    EventLoop::Timer timer_;
    EventLoop::Timer soon_;
    EventLoop::Action drained_;
    Instant timer_at_{};
    std::size_t largest_sent_ = 0;  ///< In this turn.
    bool is_drained_ = false;       ///< Nothing was left in the socket after the last turn.
    bool is_confirmed_ = false;
    bool heard_data_ = false;
    bool wants_write_ = false;
    bool told_worn_ = false;
    bool retired_ = false;
    bool gone_ = false;
};

Result<std::unique_ptr<Association>> Association::open(EventLoop& loop,
                                                       AssociationSettings settings,
                                                       const Protect& protect, TunSink& sink,
                                                       Handler handler) {
    auto socket = connected_socket(settings.remote, protect);
    if (!socket) return pass(socket);
    auto port = datapath::UdpPort::open(std::move(*socket));
    if (!port) return pass(port);
    auto work = std::make_shared<Work>(loop, std::move(settings), std::move(*port), sink,
                                       std::move(handler));
    work->start();
    return std::unique_ptr<Association>(new Association(std::move(work)));
}

Association::Association(std::shared_ptr<Work> work) : work_(std::move(work)) {}
Association::~Association() { work_->abandon(); }

bool Association::carries() const { return work_->carries(); }
bool Association::send(const datapath::SuperPacket& packet, datapath::Counters& counters) {
    return work_->send(packet, counters);
}
std::size_t Association::packet_limit() const { return work_->packet_limit(); }
bool Association::is_waiting() const { return work_->is_waiting(); }
bool Association::flush() { return work_->flush(); }
void Association::when_drained(EventLoop::Action action) { work_->when_drained(std::move(action)); }
void Association::data_by_tunnel() { work_->data_by_tunnel(); }
bool Association::can_move() const { return work_->can_move(); }
bool Association::move() { return work_->move(); }
const std::optional<OwnFlow>& Association::flow() const { return work_->flow(); }
void Association::retire() { work_->retire(); }
void Association::close() { work_->close(); }
const datapath::UdpPort& Association::port() const { return work_->port(); }
protocol::DatagramCounters Association::control() const { return work_->control(); }
const datapath::Drops& Association::drops_in() const { return work_->drops_in(); }
datapath::Drops Association::drops_out() const { return work_->drops_out(); }
std::uint64_t Association::handshakes_in() const { return work_->handshakes_in(); }
std::uint64_t Association::control_out() const { return work_->control_out(); }

}  // namespace causeway::provider
