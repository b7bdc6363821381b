#include "causeway/protocol/cstp_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace causeway::protocol {
namespace {

using std::chrono::seconds;

constexpr seconds dpd_default{30};
constexpr std::size_t idle_capacity = 16 * 1024;  // What an idle session's buffer may keep.

bool is_set(seconds time) { return time.count() > 0; }

/// Half a DPD interval: the pause between two requests.
std::chrono::milliseconds half(seconds time) { return std::chrono::milliseconds(time) / 2; }

/// The earlier of the two, where there are two.
void sooner(std::optional<Instant>& known, Instant other) {
    if (!known || other < *known) known = other;
}

}  // namespace

bool keeps_session(const DisconnectNotice& notice) {
    if (!notice.byte) return true;
    return *notice.byte != static_cast<std::uint8_t>(DisconnectByte::user) &&
           *notice.byte != static_cast<std::uint8_t>(DisconnectByte::error);
}

CstpTimes CstpTimes::of(const SessionParameters& parameters) {
    return {.dpd = is_set(parameters.dpd) ? parameters.dpd : dpd_default,
            .keepalive = parameters.keepalive,
            .idle_timeout = parameters.idle_timeout,
            .session_timeout = parameters.session_timeout,
            .rekey_time = parameters.rekey_time,
            .rekey_method = parameters.rekey_method};
}

static_assert(cstp_packet_limit == cstp_payload_limit - cstp_header_size);

CstpSession::CstpSession(Role role, const CstpTimes& times, Instant now)
    : role_(role),
      times_(times),
      now_(now),
      started_(now),
      heard_(now),
      said_(now),
      busy_(now),
      keyed_(now) {}

// Input

void CstpSession::feed(ByteView bytes, Instant now) {
    now_ = std::max(now_, now);
    if (failure_ || bytes.empty()) return;
    if (batch_is_out_) {
        batch_.clear();
        rebuilt_.clear();
        batch_is_out_ = false;
    }
    while (!partial_.empty() && !bytes.empty() && !failure_) refill(bytes);
    if (!failure_ && !bytes.empty()) take_whole_packets(bytes);
    if (!failure_) append(partial_, bytes);
}

/// Takes packets from the front of `bytes` for as long as they are whole.
void CstpSession::take_whole_packets(ByteView& bytes) {
    while (!failure_) {
        auto packet = first_cstp_packet(bytes);
        if (!packet) return fail_with(std::move(packet).error());
        if (!*packet) return;
        take(**packet);
        bytes = bytes.subspan(cstp_header_size + (*packet)->payload.size());
    }
}

/// Completes the packet whose beginning came before: first its header, then its payload.
void CstpSession::refill(ByteView& bytes) {
    const bool has_header = partial_.size() >= cstp_header_size;
    const std::size_t wanted =
        has_header ? cstp_header_size + big_endian_16(ByteView(partial_).subspan(4, 2))
                   : cstp_header_size;
    const auto piece = bytes.first(std::min(wanted - partial_.size(), bytes.size()));
    append(partial_, piece);
    bytes = bytes.subspan(piece.size());

    auto packet = first_cstp_packet(partial_);
    if (!packet) return fail_with(std::move(packet).error());
    if (!*packet) return;
    // The batch points into it, so it must stay where it is: a moved vector keeps its bytes.
    rebuilt_.push_back(std::exchange(partial_, {}));
    take(CstpPacket{(*packet)->type, ByteView(rebuilt_.back()).subspan(cstp_header_size)});
}

void CstpSession::take(const CstpPacket& packet) {
    heard_ = now_;
    asked_.reset();
    told_dead_ = false;
    switch (packet.type) {
        case PacketType::data:
            if (packet.payload.empty()) return;
            busy_ = now_;
            told_idle_ = false;
            ++counters_.packets_in;
            counters_.bytes_in += packet.payload.size();
            batch_.push_back(packet.payload);
            return;
        case PacketType::dpd_request:
            // Echoes of a flood must not pile up any more than packets may, and one record holds no
            // larger ones.
            if (output_waiting() < output_limit_ && packet.payload.size() <= cstp_packet_limit)
                write(PacketType::dpd_response, packet.payload);
            return;
        case PacketType::disconnect: return take_disconnect(packet.payload);
        case PacketType::terminate:
            if (role_ == Role::gateway)
                return fail_with(Error{Tls::errSSLProtocol, "a client sent TERMINATE"});
            failure_ = Error{Vpn::serverDisconnected, "the gateway is shutting down"}.with(
                "packet", "TERMINATE");
            return;
        // Neither is answered: two that answer each other would never stop.
        case PacketType::dpd_response:
        case PacketType::keepalive: return;
        case PacketType::compressed: return;  // Refused by first_cstp_packet.
    }
}

void CstpSession::take_disconnect(ByteView payload) {
    const DisconnectNotice notice = read_disconnect(payload);
    is_ending_ = true;
    if (role_ == Role::gateway)
        events_.emplace_back(ClientLeft{notice, keeps_session(notice)});
    else
        failure_ = notice.error();
}

void CstpSession::fail_with(Error error) {
    failure_ = Error{Vpn::negotiationFailed, role_ == Role::client
                                                 ? "the gateway broke the rules of the tunnel"
                                                 : "the client broke the rules of the tunnel"}
                   .because(std::move(error));
}

Result<std::optional<CstpEvent>> CstpSession::next() {
    if (!batch_.empty() && !batch_is_out_) {
        batch_is_out_ = true;
        return CstpEvent{Packets{batch_}};
    }
    if (batch_is_out_) {
        batch_.clear();
        rebuilt_.clear();
        batch_is_out_ = false;
    }
    if (!events_.empty()) {
        CstpEvent event = std::move(events_.front());
        events_.erase(events_.begin());
        return event;
    }
    if (failure_) return std::unexpected(*failure_);
    return std::nullopt;
}

// Output

std::size_t CstpSession::send(std::span<const ByteView> packets, Instant now) {
    now_ = std::max(now_, now);
    std::size_t taken = 0;
    for (const ByteView packet : packets) {
        const bool fits = output_waiting() + cstp_header_size + packet.size() <= output_limit_ &&
                          packet.size() <= cstp_packet_limit && !packet.empty();
        if (is_ending_ || failure_ || !fits) break;
        write(PacketType::data, packet);
        ++taken;
        counters_.bytes_out += packet.size();
    }
    if (taken != 0) {
        busy_ = now_;
        told_idle_ = false;
    }
    counters_.packets_out += taken;
    counters_.dropped_out += packets.size() - taken;
    return taken;
}

void CstpSession::write(PacketType type, ByteView payload) {
    if (is_ending_) return;
    const bool joins = joins_last(cstp_header_size + payload.size());
    append(output_, cstp_header(type, payload.size()));
    append(output_, payload);
    if (joins)
        ends_.back() = output_.size();
    else
        ends_.push_back(output_.size());
    said_ = now_;
}

/// Whether a packet still fits the message that was written last and has not left.
bool CstpSession::joins_last(std::size_t size) const {
    if (!bundles_ || first_ == ends_.size()) return false;
    const std::size_t start =
        ends_.size() - first_ > 1 ? ends_[ends_.size() - 2] : start_of_output();
    return output_.size() - start + size <= bundle_limit;
}

void CstpSession::disconnect(DisconnectByte byte, std::string_view text) {
    write(PacketType::disconnect, write_disconnect(byte, text));
    is_ending_ = true;
}

void CstpSession::disconnect(DisconnectByte byte, const Reason& reason) {
    write(PacketType::disconnect, write_disconnect(byte, reason));
    is_ending_ = true;
}

std::span<const ByteView> CstpSession::messages() const {
    views_.clear();
    std::size_t start = start_of_output();
    for (std::size_t i = first_; i < ends_.size(); ++i) {
        views_.push_back(ByteView(output_).subspan(start, ends_[i] - start));
        start = ends_[i];
    }
    return views_;
}

void CstpSession::sent(std::size_t count) {
    first_ = std::min(first_ + count, ends_.size());
    views_.clear();
    const std::size_t gone = start_of_output();
    if (first_ < ends_.size() && gone < output_limit_) return;
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(gone));
    ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(first_));
    for (std::size_t& end : ends_) end -= gone;
    first_ = 0;
}

// Time

std::optional<Instant> CstpSession::deadline() const {
    std::optional<Instant> soonest;
    if (failure_ || is_ending_) return soonest;
    if (is_set(times_.dpd) && !told_dead_) {
        sooner(soonest, heard_ + 2 * times_.dpd);
        sooner(soonest, asked_ ? *asked_ + half(times_.dpd) : heard_ + times_.dpd);
    }
    if (is_set(times_.keepalive)) sooner(soonest, said_ + times_.keepalive);
    if (role_ == Role::client) {
        const bool rekeys = is_set(times_.rekey_time) && times_.rekey_method != RekeyMethod::none;
        if (rekeys && !told_rekey_) sooner(soonest, keyed_ + times_.rekey_time);
        return soonest;
    }
    if (is_set(times_.idle_timeout) && !told_idle_) sooner(soonest, busy_ + times_.idle_timeout);
    if (is_set(times_.session_timeout) && !told_expired_)
        sooner(soonest, started_ + times_.session_timeout);
    return soonest;
}

void CstpSession::advance(Instant now) {
    now_ = std::max(now_, now);
    if (failure_ || is_ending_) return;
    advance_dpd(now_);
    advance_keepalive(now_);
    if (role_ == Role::gateway)
        advance_gateway(now_);
    else
        advance_rekey(now_);
    if (output_.empty() && output_.capacity() > idle_capacity && now_ - busy_ > seconds(1))
        output_.shrink_to_fit();
}

void CstpSession::advance_dpd(Instant now) {
    if (!is_set(times_.dpd) || told_dead_) return;
    if (now >= heard_ + 2 * times_.dpd) {
        told_dead_ = true;
        events_.emplace_back(
            PeerDead{std::chrono::duration_cast<std::chrono::milliseconds>(now - heard_)});
        return;
    }
    const Instant due = asked_ ? *asked_ + half(times_.dpd) : heard_ + times_.dpd;
    if (now < due) return;
    write(PacketType::dpd_request, {});
    asked_ = now;
}

void CstpSession::advance_keepalive(Instant now) {
    if (is_set(times_.keepalive) && now >= said_ + times_.keepalive)
        write(PacketType::keepalive, {});
}

void CstpSession::advance_gateway(Instant now) {
    if (is_set(times_.idle_timeout) && !told_idle_ && now >= busy_ + times_.idle_timeout) {
        told_idle_ = true;
        events_.emplace_back(IdleExpired{times_.idle_timeout});
    }
    if (is_set(times_.session_timeout) && !told_expired_ &&
        now >= started_ + times_.session_timeout) {
        told_expired_ = true;
        events_.emplace_back(SessionExpired{times_.session_timeout});
    }
}

void CstpSession::used_elsewhere(Instant when) {
    if (when <= busy_) return;
    busy_ = when;
    told_idle_ = false;
}

void CstpSession::advance_rekey(Instant now) {
    if (!is_set(times_.rekey_time) || times_.rekey_method == RekeyMethod::none || told_rekey_)
        return;
    if (now < keyed_ + times_.rekey_time) return;
    told_rekey_ = true;
    events_.emplace_back(RekeyDue{times_.rekey_method});
}

void CstpSession::rekeyed(Instant now) {
    now_ = std::max(now_, now);
    keyed_ = now_;
    told_rekey_ = false;
}

}  // namespace causeway::protocol
