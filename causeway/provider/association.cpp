#include "causeway/provider/association.h"

#include "causeway/base/text.h"
#include "causeway/datapath/receive_path.h"
#include "causeway/datapath/record_opener.h"
#include "causeway/datapath/record_sealer.h"
#include "causeway/datapath/send_path.h"
#include "causeway/protocol/datagram_mtu.h"
#include "causeway/protocol/moving_datagram.h"

#include <fmt/format.h>
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

// One turn of the loop receives no more trains, so that the other direction gets its turn too.
constexpr int trains_a_turn = 16;
constexpr std::size_t smallest_v4 = 576;
constexpr std::size_t smallest_v6 = 1280;
constexpr int link_mtu_default = 1500;

std::string milliseconds_text(std::chrono::milliseconds time) {
    return std::to_string(time.count());
}

Result<Fd> connected_socket(const Endpoint& remote, const Protect& protect) {
    Fd socket(
        ::socket(remote.address.domain(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
    if (!socket) return std::unexpected(system_error(errno, "socket"));
    if (protect)
        if (auto done = protect(socket.get()); !done) return pass(done);
    sockaddr_storage storage;
    const auto size = remote.to_sockaddr(storage);
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0)
        return std::unexpected(system_error(errno, "connect"));
    return socket;
}

tls::DatagramSettings handshake_settings(const AssociationSettings& settings) {
    tls::DatagramSettings handshake;
    handshake.key = settings.key;
    handshake.handshake_limit = settings.handshake_limit;
    handshake.now = Clock::now();
    return handshake;
}

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

// Held by itself while it works: a handler may destroy the association it is called by.
class Association::Work : public std::enable_shared_from_this<Association::Work> {
public:
    Work(EventLoop& loop, AssociationSettings settings, datapath::UdpPort port, TunSink& sink,
         Handler handler)
        : loop_(loop),
          settings_(std::move(settings)),
          port_(std::move(port)),
          handshake_(handshake_settings(settings_)),
          send_path_(port_),
          sink_(sink),
          receive_path_(sink, sink.merges()),
          handler_(std::move(handler)) {}

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

    bool carries() const { return session_ && session_->carries() && !retired_; }

    bool send(const datapath::SuperPacket& packet, datapath::Counters& counters) {
        if (!session_) return false;
        is_sending_ = true;
        if (!sealer_) return send_sealed_elsewhere(packet, counters);
        const auto taken =
            send_path_.send(packet, *sealer_, nullptr, session_->packet_limit(), counters);
        return taken != datapath::SendPath::Taken::too_large;
    }

    std::size_t packet_limit() const { return session_ ? session_->packet_limit() : 0; }
    bool is_waiting() const { return send_path_.is_waiting(); }

    bool flush() {
        send_path_.flush();
        if (std::exchange(is_sending_, false)) {
            session_->data_sent(Clock::now());
            set_timer();
            if (sealer_ && sealer_->is_nearly_used_up() && !std::exchange(told_worn_, true))
                soon_ = loop_.at(Clock::now(), [this] { tell(AssociationWorn{}); });
        }
        want_write(send_path_.is_waiting());
        return send_path_.is_waiting();
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
    const protocol::DatagramCounters& control() const {
        static const protocol::DatagramCounters none;
        return session_ ? session_->counters() : none;
    }
    const datapath::Drops& drops_in() const { return drops_in_; }
    const datapath::Drops& drops_out() const { return send_path_.drops(); }

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
        if (send_path_.is_waiting() || !drained_) return;
        auto drained = std::move(drained_);
        drained_ = nullptr;
        drained();
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

    void receive() {
        const auto now = Clock::now();
        for (int i = 0; i < trains_a_turn; ++i) {
            auto train = port_.receive_train();
            if (!train) break;
            for (auto datagram = train->next(); !datagram.empty(); datagram = train->next())
                take(datagram, now);
        }
        receive_path_.flush();
        if (session_ && std::exchange(heard_data_, false)) session_->data_heard(now);
    }

    void take(ByteView datagram, Instant now) {
        if (opener_ && datapath::record_type(datagram) == RecordType::application_data)
            return take_record(datagram, now);
        handshake_.feed(datagram, now);
        take_handshake_events(now);
    }

    void take_record(ByteView record, Instant now) {
        const auto payload = receive_path_.open(record, *opener_);
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
        send_handshake();
    }

    void send_handshake() {
        for (; !handshake_.pending().empty(); handshake_.sent())
            if (!send_path_.send_datagram(handshake_.pending(), nullptr)) break;
        send_path_.flush();
    }

    /// What the socket says about earlier datagrams.
    void take_trouble() {
        while (const auto trouble = port_.trouble()) {
            last_trouble_ = trouble->number;
            if (trouble->number == EMSGSIZE && trouble->mtu && session_) {
                session_->refused(packet_size_for(static_cast<int>(*trouble->mtu)), Clock::now());
            } else if (!session_ && trouble->number != EMSGSIZE && !failure_) {
                failure_ = unreachable(trouble->number);
            }
        }
    }

    Error unreachable(int number) const {
        auto fact = system_error(number, "send");
        if (number == ECONNREFUSED)
            return Error{Tls::errSSLConnectionRefused,
                         "nothing takes datagrams at " + settings_.remote.text()}
                .because(std::move(fact));
        return Error{Tls::errSSLNetworkTimeout,
                     "datagrams do not get to " + settings_.remote.text()}
            .because(std::move(fact));
    }

    // The handshake is complete

    void begin(Instant now) {
        const auto& summary = handshake_.summary();
        suite_ = summary.suite_name;
        crypto_ = "openssl";
        if (summary.is_aead)
            if (auto made = take_keys(); !made) {
                failure_ = std::move(made).error();
                return;
            }
        const int link = settings_.link_mtu > 0 ? settings_.link_mtu : link_mtu_default;
        const std::size_t largest =
            std::min(packet_size_for(link), static_cast<std::size_t>(settings_.mtu));
        smallest_ = std::min(settings_.carries_v6 ? smallest_v6 : smallest_v4, largest);
        session_.emplace(protocol::Role::client, settings_.times,
                         protocol::PathMtuLimits{smallest_, largest, true}, now);
    }

    Result<void> take_keys() {
        auto keys = handshake_.take_traffic_keys();
        if (!keys) return pass(keys);
        const auto suite = datapath::record_suite(keys->suite);
        if (!suite)
            return fail(Tls::errSSLInternal, "the suite " + suite_ + " has no records of ours");
        auto sealer = make_sealer(settings_.crypto, *suite, *keys);
        if (!sealer) return pass(sealer);
        auto opener = make_opener(settings_.crypto, *suite, *keys);
        if (!opener) return pass(opener);
        sealer_ = std::move(*sealer);
        opener_ = std::move(*opener);
        crypto_ = name(sealer_->backend());
        return {};
    }

    std::size_t packet_size_for(int link_mtu) const {
        const auto family = settings_.remote.address.family();
        const int size =
            sealer_ ? protocol::tunnel_mtu(link_mtu, family, static_cast<int>(sealer_->overhead()))
                    : protocol::tunnel_mtu_of_cbc(link_mtu, family);
        return static_cast<std::size_t>(size);
    }

    // To the socket

    /// CBC: OpenSSL writes the records.
    bool send_sealed_elsewhere(const datapath::SuperPacket& packet, datapath::Counters& counters) {
        if (auto started = splitter_.start(packet); !started) {
            counters.drops.add(started.error());
            return true;
        }
        if (splitter_.packet_size() > session_->packet_limit()) {
            counters.drops.add(Drop::too_large, splitter_.count());
            return false;
        }
        for (auto piece = splitter_.next(); !piece.empty(); piece = splitter_.next()) {
            const std::span payload(piece.data() - 1, piece.size() + 1);
            payload[0] = datapath::data_payload;
            if (!handshake_.write(payload)) {
                counters.drops.add(Drop::refused);
                continue;
            }
            counters.add(piece.size());
            send_handshake();
        }
        return true;
    }

    void send_messages() {
        if (!session_ || retired_) return;
        // What the socket says at once about their sizes may lead to others.
        for (int round = 0; round < 4 && !session_->messages().empty(); ++round) {
            for (const auto& message : session_->messages()) send_message(message);
            session_->sent();
            send_path_.flush();
            take_trouble();
        }
        want_write(send_path_.is_waiting());
    }

    void send_message(const protocol::DatagramMessage& message) {
        if (!sealer_) {
            if (handshake_.write(message.payload)) send_handshake();
        } else if (message.is_moving && !settings_.connection_id.empty()) {
            send_moving(message.payload);
        } else {
            send_path_.send_payload(message.payload, *sealer_, nullptr);
        }
    }

    void send_moving(ByteView payload) {
        const auto header = protocol::moving_header(settings_.connection_id);
        Bytes datagram(header.begin(), header.end());
        datagram.resize(header.size() + payload.size() + sealer_->overhead());
        if (sealer_->seal(payload, std::span(datagram).subspan(header.size())) != 0)
            send_path_.send_datagram(datagram, nullptr);
    }

    // Events and time

    void work() {
        if (!handler_) return;
        const auto now = Clock::now();
        if (!session_) take_handshake_events(now);
        take_trouble();
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
            return tell(AssociationUp{suite_, crypto_, session_->packet_limit()});
        if (const auto* changed = std::get_if<protocol::PathMtuChanged>(&event)) {
            if (session_->carries()) tell(AssociationResized{changed->size});
        } else if (const auto* down = std::get_if<protocol::DatagramDown>(&event)) {
            tell(AssociationDown{loss_error(down->why, down->silence)});
        } else if (const auto* lost = std::get_if<protocol::DatagramLost>(&event)) {
            end(loss_error(lost->why, lost->silence));
        }
    }

    Error silence_error(std::chrono::milliseconds silence) const {
        Error error{Tls::errSSLNetworkTimeout,
                    fmt::format("no datagram came from {} for {}", settings_.remote.text(),
                                spoken(silence))};
        error.with("address", settings_.remote.text())
            .with("silence_ms", milliseconds_text(silence));
        if (last_trouble_ != 0)
            return std::move(error).because(system_error(last_trouble_, "send"));
        return error;
    }

    Error loss_error(protocol::DatagramDown::Why why, std::chrono::milliseconds silence) const {
        using Why = protocol::DatagramDown::Why;
        if (why == Why::silence) return silence_error(silence);
        Error error{Tls::errSSLNetworkTimeout,
                    why == Why::narrow
                        ? fmt::format("only small datagrams get to {} and back: none that holds a "
                                      "packet of {} bytes",
                                      settings_.remote.text(), smallest_)
                        : "the gateway sends its packets through TLS: our datagrams do not reach "
                          "it"};
        return std::move(error).with("address", settings_.remote.text());
    }

    void end(Error why) {
        watch_.reset();
        timer_.reset();
        let_go();
        if (session_ || !handler_) return tell(AssociationEnded{std::move(why)});
        const auto& facts = handshake_.facts();
        why.with("address", settings_.remote.text()).with("phase", "datagram");
        if (!facts.waiting_for.empty()) why.with("waiting_for", facts.waiting_for);
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

    EventLoop& loop_;
    AssociationSettings settings_;
    datapath::UdpPort port_;
    tls::Datagram handshake_;
    datapath::SendPath send_path_;
    TunSink& sink_;
    datapath::ReceivePath receive_path_;
    Handler handler_;
    std::optional<datapath::RecordSealer> sealer_;
    std::optional<datapath::RecordOpener> opener_;
    std::optional<protocol::DatagramSession> session_;
    datapath::Splitter splitter_;
    datapath::Drops drops_in_;
    std::string suite_;
    std::string crypto_;
    std::optional<Error> failure_;
    int last_trouble_ = 0;
    std::size_t smallest_ = 0;  ///< Of packets.
    EventLoop::Watch watch_;
    EventLoop::Timer timer_;
    EventLoop::Timer soon_;
    EventLoop::Action drained_;
    Instant timer_at_{};
    bool is_sending_ = false;
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
void Association::retire() { work_->retire(); }
const datapath::UdpPort& Association::port() const { return work_->port(); }
const protocol::DatagramCounters& Association::control() const { return work_->control(); }
const datapath::Drops& Association::drops_in() const { return work_->drops_in(); }
const datapath::Drops& Association::drops_out() const { return work_->drops_out(); }

}  // namespace causeway::provider
