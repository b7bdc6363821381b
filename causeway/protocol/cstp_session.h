// A session inside the TLS channel after CONNECT: packets both ways, and the signs of life.
//
//     TLS plaintext --feed--> framing --> Packets (a batch) ----------> TUN
//                                     `-> DPD, KEEPALIVE, DISCONNECT, TERMINATE
//     TUN --send--> framing --> messages (a batch) --> one TLS record each
//
// Stock peers end a session over two packets in one record or one packet in two, so output is a
// list of messages, each to be written as one record; records may share a write. Input may be cut
// anywhere.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/clock.h"
#include "causeway/error/error.h"
#include "causeway/protocol/cstp_frame.h"
#include "causeway/protocol/reason.h"
#include "causeway/protocol/session_parameters.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace causeway::protocol {

enum class Role : std::uint8_t { client, gateway };

/// IP packets that arrived, in order. The views last as long as the bytes that were fed.
struct Packets {
    std::span<const ByteView> packets;
};
/// Nothing came for twice the DPD interval. Told once; the session stays usable for a disconnect.
struct PeerDead {
    std::chrono::milliseconds silence;
};
/// The client ends the session (gateway only).
struct ClientLeft {
    DisconnectNotice notice;
    bool keeps_session;  ///< It means to come back with its cookie.
};
/// It is time to rekey (client only). Told once; call `rekeyed` when done.
struct RekeyDue {
    RekeyMethod method;
};
/// No DATA in either direction for the idle timeout (gateway only). Told once.
struct IdleExpired {
    std::chrono::seconds timeout;
};
/// The session has lasted as long as it may (gateway only). Told once.
struct SessionExpired {
    std::chrono::seconds timeout;
};
using CstpEvent =
    std::variant<Packets, PeerDead, ClientLeft, RekeyDue, IdleExpired, SessionExpired>;

/// The times a session lives by; zero means never.
struct CstpTimes {
    std::chrono::seconds dpd{30};
    std::chrono::seconds keepalive{};
    std::chrono::seconds idle_timeout{};     ///< Gateway only.
    std::chrono::seconds session_timeout{};  ///< Gateway only: what remains of it.
    std::chrono::seconds rekey_time{};       ///< Client only.
    RekeyMethod rekey_method = RekeyMethod::none;

    /// As granted. A gateway that asks for no DPD gets ours of 30 s all the same.
    static CstpTimes of(const SessionParameters& parameters);
};

struct CstpCounters {
    std::uint64_t packets_in = 0;
    std::uint64_t packets_out = 0;
    std::uint64_t bytes_in = 0;  ///< Of the packets, without headers.
    std::uint64_t bytes_out = 0;
    std::uint64_t dropped_out = 0;  ///< Packets that found the output full or the session ending.
};

/// Whether a client that says goodbye like this means to come back. Stock clients send `b0` at the
/// user's end and `70` after an error of their own; everything else keeps the session.
bool keeps_session(const DisconnectNotice& notice);

/// One side of a session.
///
///     session.feed(plaintext, now);
///     while (true) {
///         auto event = session.next();
///         if (!event) return pass(event);
///         if (!*event) break;
///         handle(**event);
///     }
///     for (const ByteView message : session.messages()) tls.write_record(message);
///     session.sent(session.messages().size());
class CstpSession {
public:
    CstpSession(Role role, const CstpTimes& times, Instant now);

    /// What arrived. `bytes` must stay where they are until `next` has returned nothing; several
    /// pieces may be fed before that, and their packets come as one batch.
    void feed(ByteView bytes, Instant now);

    /// What it means, or nothing until more is fed or time passes.
    ///
    /// Fails with the gateway's code, else serverDisconnected (it sent DISCONNECT or TERMINATE;
    /// client only, with its words), or negotiationFailed (what came is no CSTP). The failure
    /// latches; the packets before it are handed out first.
    Result<std::optional<CstpEvent>> next();

    /// Frames packets; returns how many were taken. The rest found the output full (see
    /// `set_output_limit`) or the session ending, or is larger than `cstp_packet_limit`, and is
    /// counted as dropped.
    std::size_t send(std::span<const ByteView> packets, Instant now);
    /// Ends the session: DISCONNECT is the last message.
    void disconnect(DisconnectByte byte, std::string_view text);
    /// Ends the session for a reason (gateway).
    void disconnect(DisconnectByte byte, const Reason& reason);

    /// What should leave, oldest first, each as one TLS record. Valid until the next call of
    /// anything else.
    std::span<const ByteView> messages() const;
    /// How many of these have left.
    void sent(std::size_t count);
    bool has_output() const { return first_ < ends_.size(); }
    /// Bytes of output above which packets are dropped (256 KiB when nothing is said).
    void set_output_limit(std::size_t bytes) { output_limit_ = bytes; }

    /// When `advance` must be called at the latest.
    std::optional<Instant> deadline() const;
    /// The other side takes several packets in one record (X-Causeway-Bundle): DATA leaves in
    /// messages that are as full as a record may be.
    void set_bundles(bool bundles) { bundles_ = bundles; }

    /// The time came: signs of life are written, events may follow.
    void advance(Instant now);

    /// The channel has new keys.
    void rekeyed(Instant now);
    const CstpCounters& counters() const { return counters_; }
    /// DATA went by datagram then: the session is not idle.
    void used_elsewhere(Instant when);
    /// When the last packet of any type arrived.
    Instant last_heard() const { return heard_; }

private:
    void take(const CstpPacket& packet);
    void take_whole_packets(ByteView& bytes);
    void refill(ByteView& bytes);
    void fail_with(Error error);
    std::size_t start_of_output() const { return first_ == 0 ? 0 : ends_[first_ - 1]; }
    std::size_t output_waiting() const { return output_.size() - start_of_output(); }
    void take_disconnect(ByteView payload);
    void write(PacketType type, ByteView payload);
    bool joins_last(std::size_t size) const;
    void advance_dpd(Instant now);
    void advance_keepalive(Instant now);
    void advance_gateway(Instant now);
    void advance_rekey(Instant now);

    Role role_;
    CstpTimes times_;
    std::size_t output_limit_ = 256 * 1024;
    bool bundles_ = false;

    // Input
    std::vector<ByteView> batch_;  ///< Packets not handed out yet.
    std::vector<Bytes> rebuilt_;   ///< Packets that came in pieces; batch_ points to them.
    Bytes partial_;                ///< The beginning of a packet.
    bool batch_is_out_ = false;
    std::vector<CstpEvent> events_;
    std::optional<Error> failure_;

    // Output: one buffer, and where each message ends
    Bytes output_;
    std::vector<std::size_t> ends_;
    std::size_t first_ = 0;
    mutable std::vector<ByteView> views_;
    bool is_ending_ = false;

    // Time
    Instant now_;
    Instant started_;
    Instant heard_;
    Instant said_;
    Instant busy_;                  ///< Last DATA in either direction.
    std::optional<Instant> asked_;  ///< When the last DPD request left.
    Instant keyed_;
    bool told_dead_ = false;
    bool told_idle_ = false;
    bool told_expired_ = false;
    bool told_rekey_ = false;

    CstpCounters counters_;
};

}  // namespace causeway::protocol
