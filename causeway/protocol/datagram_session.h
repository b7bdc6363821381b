// The datagram channel after its handshake: whether it works, and which channel DATA should take.
//
//     opened record --feed--> DATA is not for here; DPD, KEEPALIVE, DISCONNECT are
//     messages ----------------------> one record each
//
// The client decides which channel carries, the gateway follows it:
//
//     client    proving --echo, size known--> carrying --silence, or DATA by TLS--> silent
//                                                 ^------------- echo -----------------'
//     gateway   waiting --DATA or KEEPALIVE by datagram--> carrying
//                  ^------ silence, or DATA by TLS ------------'
//
// What the client sent before it left may arrive after the word that it has: for a second only the
// KEEPALIVE, with which our own client begins, brings the gateway back.
//
// A stock client that does not answer any more is not heard, or does not hear us; TLS carries, and
// the channel is left. An alert, if the client hears it, makes it begin anew; else it gets no
// answers any more, and does so by its own DPD. In the same way a channel is left when TLS has new
// keys.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/clock.h"
#include "causeway/error/error.h"
#include "causeway/protocol/arrival_proof.h"
#include "causeway/protocol/cstp_frame.h"
#include "causeway/protocol/cstp_session.h"
#include "causeway/protocol/path_mtu.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace causeway::protocol {

/// DATA goes by datagram from now on.
struct DatagramUp {};
/// DATA goes through TLS from now on.
struct DatagramDown {
    enum class Why : std::uint8_t {
        silence,     ///< Nothing was heard, though it should have been.
        unanswered,  ///< What was heard were no answers: our own datagrams do not arrive.
        renewed,     ///< TLS has new keys: see `renew`.
        peer_left,   ///< The other side sends its DATA through TLS.
        narrow,      ///< Packets of the smallest size do not get through.
    };
    Why why;
    /// Since a datagram was heard last, or since questions are unanswered.
    std::chrono::milliseconds silence;
};
/// It did not come back: the client should begin again, with a new handshake. Told once.
struct DatagramLost {
    DatagramDown::Why why;
    std::chrono::milliseconds silence;
};
/// How large packets may be has changed.
struct PathMtuChanged {
    std::size_t size;
    std::size_t before;
};
/// The other side ends the session with a DISCONNECT in a datagram (stock clients).
struct DatagramDisconnect {
    DisconnectNotice notice;
};
using DatagramEvent =
    std::variant<DatagramUp, DatagramDown, DatagramLost, PathMtuChanged, DatagramDisconnect>;

struct DatagramTimes {
    std::chrono::seconds dpd{30};      ///< Zero: 30 s all the same.
    std::chrono::seconds keepalive{};  ///< Zero: none.
    /// Both ends are ours: silence while sending is noticed within a second.
    bool is_own_end = false;
};

struct DatagramCounters {
    std::uint64_t probes_sent = 0;  ///< DPD requests of all kinds.
    std::uint64_t probes_answered = 0;
    std::uint64_t control_in = 0;   ///< Payloads that were no DATA.
    std::uint64_t unknown_in = 0;   ///< Of these: dropped, of a type nobody defined.
    std::uint64_t dropped_out = 0;  ///< Answers that found no room.
};

/// A payload to be sent as one record, its type byte in front.
struct DatagramMessage {
    enum class Kind : std::uint8_t {
        payload,
        alert,  ///< The two bytes of a fatal alert, to be sealed as one (RFC 5246 section 7.2).
    };
    ByteView payload;
    /// Own client: put a `moving_header` in front of the record, since the gateway may not know
    /// where we are any more.
    bool is_moving = false;
    Kind kind = Kind::payload;
};

/// One side of the datagram channel.
///
///     session.heard(now);               // for every train with an authentic record
///     session.feed(payload, now);       // for every payload whose first byte is not 0
///     session.data_sent(size, now);     // once a turn, when DATA was sent by datagram
///     session.data_by_tunnel(now);      // DATA came through TLS
///     while (auto event = session.next()) handle(*event);
///     for (const auto& message : session.messages()) send(message);
///     session.sent();
class DatagramSession {
public:
    /// Right after the handshake.
    DatagramSession(Role role, const DatagramTimes& times, PathMtuLimits limits, Instant now);

    /// Whether DATA should go by datagram.
    bool carries() const { return state_ == State::carrying; }
    /// It was told to be over, and nothing may be sent any more.
    bool is_over() const { return alerted_ != Instant{}; }
    /// How large packets in datagrams may be.
    std::size_t packet_limit() const { return path_.size(); }

    /// An authentic record came, of whatever type.
    void heard(Instant now);
    /// DATA came by datagram (gateway: the client uses the channel). Calls `heard`.
    void data_heard(Instant now);
    /// A payload that is no DATA. Calls `heard`.
    void feed(ByteView payload, Instant now);
    /// DATA was sent by datagram; `size`: of the largest packet.
    void data_sent(std::size_t size, Instant now);
    /// DATA came through TLS.
    void data_by_tunnel(Instant now);
    /// The network says that packets above `size` do not fit (UdpTrouble::mtu, made a packet's size
    /// by `tunnel_mtu`).
    void refused(std::size_t size, Instant now);
    /// TLS has new keys. A gateway asks a stock client to begin a channel under these; own clients
    /// do by themselves.
    void renew(Instant now);
    /// The way has changed: our address, or the peer's.
    void moved(Instant now);

    std::optional<DatagramEvent> next();

    /// What should be sent now. Valid until the next call of anything else.
    std::span<const DatagramMessage> messages() const;
    /// All of them have left.
    void sent();

    std::optional<Instant> deadline() const;
    void advance(Instant now);

    const DatagramCounters& counters() const { return counters_; }
    Instant last_heard() const { return heard_; }

private:
    enum class State : std::uint8_t { waiting, carrying, silent, lost };

    bool is_client() const { return role_ == Role::client; }
    bool is_quick() const { return times_.is_own_end; }
    std::chrono::milliseconds silence(DatagramDown::Why why) const;
    std::span<std::byte> add(PacketType type, std::size_t size, bool is_moving = false);
    void ask(std::size_t packet_size, bool is_moving = false);
    void probe_sizes();
    void take_answer(ByteView echo);
    void take_complaint();
    void consider_taking_up();
    void take_up();
    void fall_back(DatagramDown::Why why);
    void lose(DatagramDown::Why why);
    void notice_silence();
    void ask_to_begin_anew();
    void send_alert();
    void leave_narrow_path();
    void note_size();
    std::optional<Instant> question_due() const;
    std::optional<Instant> silence_due() const;
    void advance_questions(Instant now);

    Role role_;
    DatagramTimes times_;
    PathMtu path_;
    State state_ = State::waiting;
    std::size_t told_size_;

    Instant now_;
    Instant heard_;
    Instant said_;
    Instant carrying_since_;
    Instant silent_since_;
    std::optional<Instant> left_at_;           ///< When it carried last.
    std::optional<Instant> unanswered_since_;  ///< The first sending since `heard_`.
    std::optional<Instant> asked_;             ///< The last DPD request since `heard_`.
    bool was_answered_ = false;                ///< Client: an echo came in this state.
    ArrivalProof proof_;                       ///< Of stock peers.
    bool is_left_ = false;                     ///< Gateway: a stock client should begin anew.
    std::optional<Instant> alert_due_;         ///< To say so.
    Instant alerted_{};

    std::uint32_t mark_;  ///< Ours, in the probes.
    std::uint32_t number_ = 0;
    std::vector<DatagramEvent> events_;
    Bytes output_;
    struct Span {
        std::size_t end;
        bool is_moving;
        DatagramMessage::Kind kind = DatagramMessage::Kind::payload;
    };
    std::vector<Span> spans_;
    mutable std::vector<DatagramMessage> views_;
    DatagramCounters counters_;
};

}  // namespace causeway::protocol
