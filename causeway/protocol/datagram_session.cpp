#include "causeway/protocol/datagram_session.h"

#include "causeway/base/random.h"
#include "causeway/protocol/limits.h"

#include <algorithm>
#include <utility>

namespace causeway::protocol {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds dpd_default{30};

// Between our own ends: two questions, and the answer to neither. A flow of TCP with a timeout of t
// tries again after t, 3t and 7t: one that is just too early with the second time, at 3t = 850 ms,
// is silent for 2 s.
constexpr milliseconds quick_question{300};
constexpr milliseconds quick_silence{800};
// A channel that fell silent is asked on, in case that it comes back.
constexpr milliseconds silent_question{1'000};
constexpr seconds lost_after{10};
// DATA that was under way through TLS when datagrams took over says nothing, nor does DATA that was
// under way by datagram when TLS did.
constexpr milliseconds in_flight{1'000};
// How long a client waits for the first echo after the handshake.
constexpr seconds proving_limit{5};
// Between the last packet to a channel and the word that it is over; and between two such words.
constexpr milliseconds settle_time{30};
constexpr milliseconds alert_pause{1'000};

// A probe: the type, then what we know our own by. The rest is filler.
//
//     byte   0    1..4    5..8     9..12
//            3    mark    number   packet size
constexpr std::size_t question_size = 13;

// fatal, internal_error: no other fits better, and the number matters to nobody.
constexpr std::byte channel_is_over[] = {std::byte{2}, std::byte{80}};

void put_32(std::span<std::byte> to, std::uint32_t number) {
    for (std::size_t i = 0; i < 4; ++i)
        to[i] = static_cast<std::byte>(number >> (24 - 8 * i) & 0xff);
}

void sooner(std::optional<Instant>& known, std::optional<Instant> other) {
    if (other && (!known || *other < *known)) known = other;
}

}  // namespace

DatagramSession::DatagramSession(Role role, const DatagramTimes& times, PathMtuLimits limits,
                                 Instant now)
    : role_(role),
      times_(times),
      path_(limits, now),
      told_size_(path_.size()),
      now_(now),
      heard_(now),
      said_(now),
      carrying_since_(now),
      silent_since_(now),
      proof_(times.dpd.count() > 0 ? times.dpd : dpd_default, now),
      mark_(static_cast<std::uint32_t>(random_64())) {
    if (times_.dpd.count() <= 0) times_.dpd = dpd_default;
    if (is_client()) ask(0);
}

milliseconds DatagramSession::silence(DatagramDown::Why why) const {
    const bool is_doubt = why == DatagramDown::Why::unanswered && proof_.doubted_since();
    return std::chrono::duration_cast<milliseconds>(now_ -
                                                    (is_doubt ? *proof_.doubted_since() : heard_));
}

// Input

void DatagramSession::heard(Instant now) {
    now_ = std::max(now_, now);
    heard_ = now_;
    unanswered_since_.reset();
    asked_.reset();
}

void DatagramSession::data_heard(Instant now) {
    heard(now);
    // An own client that comes back says so by a KEEPALIVE first.
    const bool is_late = is_quick() && left_at_ && now_ - *left_at_ < in_flight;
    if (!is_client() && !is_late) take_up();
}

void DatagramSession::feed(ByteView payload, Instant now) {
    if (payload.empty()) return;
    const auto unanswered = unanswered_since_;
    const auto asked = asked_;
    heard(now);
    // An own end asks because it hears nothing. That it does says nothing about our direction, and
    // our own questions have answers of their own.
    if (is_quick() && static_cast<PacketType>(payload.front()) == PacketType::dpd_request) {
        unanswered_since_ = unanswered;
        asked_ = asked;
    }
    ++counters_.control_in;
    const ByteView rest = payload.subspan(1);
    switch (static_cast<PacketType>(payload.front())) {
        case PacketType::dpd_request:
            if (is_left_)
                alert_due_ = std::max(now_, alerted_ + alert_pause);
            else if (output_.size() + payload.size() > control_output_limit)
                ++counters_.dropped_out;
            else
                std::ranges::copy(rest, add(PacketType::dpd_response, rest.size()).begin());
            break;
        case PacketType::dpd_response:
            if (is_quick() && rest.empty())
                take_complaint();
            else
                take_answer(rest);
            break;
        case PacketType::keepalive:
            // Our own client says so that it uses the channel.
            if (!is_client()) take_up();
            break;
        case PacketType::disconnect:
            if (!is_client()) events_.emplace_back(DatagramDisconnect{read_disconnect(rest)});
            break;
        default: ++counters_.unknown_in; break;
    }
    // Stock clients mean the channel to be used as soon as they speak on it.
    if (!is_client() && !is_quick()) take_up();
}

void DatagramSession::take_answer(ByteView echo) {
    ++counters_.probes_answered;
    proof_.answered(now_);
    path_.heard(now_);
    if (is_client() && !std::exchange(was_answered_, true)) path_.restart(now_);
    if (echo.size() >= question_size - 1 && big_endian_32(echo) == mark_) {
        const std::size_t size = big_endian_32(echo.subspan(8));
        // What came back whole, at the size that was asked for.
        if (size == echo.size()) path_.answered(size, now_);
    }
    probe_sizes();
    note_size();
    consider_taking_up();
}

/// An answer to nothing, which own ends send when they leave the channel for its silence: with one
/// direction cut, the other side still hears us, and has no reason of its own to leave.
void DatagramSession::take_complaint() {
    if (carries()) fall_back(DatagramDown::Why::peer_left);
}

void DatagramSession::data_by_tunnel(Instant now) {
    now_ = std::max(now_, now);
    if (!carries() || now_ - carrying_since_ < (is_quick() ? in_flight : milliseconds(0))) return;
    // A stock gateway sends through TLS what it likes; a stock client, and our own ends, mean it.
    if (is_client() && !is_quick()) return;
    fall_back(DatagramDown::Why::peer_left);
}

void DatagramSession::refused(std::size_t size, Instant now) {
    now_ = std::max(now_, now);
    path_.refused(size, now_);
    probe_sizes();
    note_size();
    consider_taking_up();
}

void DatagramSession::renew(Instant now) {
    now_ = std::max(now_, now);
    if (is_client() || is_quick() || is_left_) return;
    fall_back(DatagramDown::Why::renewed);
    ask_to_begin_anew();
}

void DatagramSession::moved(Instant now) {
    now_ = std::max(now_, now);
    path_.restart(now_);
    // What shows that the peer has moved is newer than all before.
    left_at_.reset();
    if (is_client()) ask(0, is_quick());
}

// Which channel carries

/// A client takes the channel when both directions work and the size is known.
void DatagramSession::consider_taking_up() {
    if (!is_client() || !was_answered_) return;
    if (state_ == State::silent || path_.is_known()) take_up();
    probe_sizes();
}

void DatagramSession::take_up() {
    if (state_ == State::carrying || state_ == State::lost || path_.is_too_narrow()) return;
    if (is_left_) return;
    state_ = State::carrying;
    carrying_since_ = now_;
    proof_.restart(now_);
    note_size();
    events_.emplace_back(DatagramUp{});
    // So that the gateway follows, whether or not we have anything to send.
    if (is_client()) add(PacketType::keepalive, 0);
}

void DatagramSession::notice_silence() {
    const auto loss = is_quick() ? std::nullopt : proof_.loss_due();
    if (!loss || now_ < *loss) return fall_back(DatagramDown::Why::silence);
    const bool is_heard = heard_ > *proof_.doubted_since();
    fall_back(is_heard ? DatagramDown::Why::unanswered : DatagramDown::Why::silence);
    if (!is_client()) ask_to_begin_anew();
}

void DatagramSession::ask_to_begin_anew() {
    is_left_ = true;
    // What other threads have sent this way leaves before.
    alert_due_ = now_ + settle_time;
}

/// Nothing may follow it: a stock client that has nothing to send would find that again and again.
void DatagramSession::send_alert() {
    alert_due_.reset();
    alerted_ = now_;
    append(output_, channel_is_over);
    spans_.push_back({output_.size(), false, DatagramMessage::Kind::alert});
}

void DatagramSession::fall_back(DatagramDown::Why why) {
    if (state_ != State::carrying) return;
    state_ = is_client() ? State::silent : State::waiting;
    silent_since_ = now_;
    left_at_ = now_;
    was_answered_ = false;
    unanswered_since_.reset();
    asked_.reset();
    events_.emplace_back(DatagramDown{why, silence(why)});
    if (is_quick() && why == DatagramDown::Why::silence) add(PacketType::dpd_response, 0);
    if (is_client() && (!is_quick() || why == DatagramDown::Why::narrow)) return lose(why);
    if (is_client()) asked_ = now_;
}

void DatagramSession::lose(DatagramDown::Why why) {
    if (std::exchange(state_, State::lost) == State::lost) return;
    events_.emplace_back(DatagramLost{why, silence(why)});
}

/// Where small datagrams pass and no useful ones do, TLS is the better way.
void DatagramSession::leave_narrow_path() {
    if (!path_.is_too_narrow()) return;
    if (state_ == State::carrying)
        fall_back(DatagramDown::Why::narrow);
    else if (is_client())
        lose(DatagramDown::Why::narrow);
}

void DatagramSession::note_size() {
    const std::size_t size = path_.size();
    if (size == told_size_) return;
    events_.emplace_back(PathMtuChanged{size, std::exchange(told_size_, size)});
}

std::optional<DatagramEvent> DatagramSession::next() {
    if (events_.empty()) return std::nullopt;
    DatagramEvent event = std::move(events_.front());
    events_.erase(events_.begin());
    return event;
}

// Output

void DatagramSession::data_sent(std::size_t size, Instant now) {
    now_ = std::max(now_, now);
    said_ = now_;
    path_.used(size, now_);
    proof_.sent();
    if (!unanswered_since_) unanswered_since_ = now_;
}

/// Room for a payload's content behind its type.
std::span<std::byte> DatagramSession::add(PacketType type, std::size_t size, bool is_moving) {
    const std::size_t start = output_.size();
    output_.resize(start + 1 + size);
    output_[start] = static_cast<std::byte>(type);
    spans_.push_back({output_.size(), is_moving});
    said_ = now_;
    return std::span(output_).subspan(start + 1);
}

/// A DPD request as large as a DATA payload with a packet of that size; at least `question_size`.
void DatagramSession::ask(std::size_t packet_size, bool is_moving) {
    const std::size_t size = std::max(packet_size, question_size - 1);
    const auto to = add(PacketType::dpd_request, size, is_moving);
    put_32(to, mark_);
    put_32(to.subspan(4), ++number_);
    put_32(to.subspan(8), static_cast<std::uint32_t>(size));
    ++counters_.probes_sent;
    // A large one may be too large for the way.
    if (packet_size == 0) proof_.asked(now_);
    asked_ = now_;
    if (!unanswered_since_) unanswered_since_ = now_;
}

void DatagramSession::probe_sizes() {
    if (state_ == State::silent || state_ == State::lost) return;
    if (is_client() && !was_answered_ && state_ == State::waiting) return;
    // These do not count as questions about life: they may be too large for the way.
    const auto asked = asked_;
    const auto unanswered = unanswered_since_;
    bool has_asked = false;
    while (const auto size = path_.next_probe()) ask(*size), has_asked = true;
    // A small one beside them: when only that comes back, it was the size.
    if (has_asked && !path_.is_first_check()) ask(0);
    asked_ = asked;
    unanswered_since_ = unanswered;
}

std::span<const DatagramMessage> DatagramSession::messages() const {
    views_.clear();
    std::size_t start = 0;
    for (const auto& [end, is_moving, kind] : spans_) {
        views_.push_back({ByteView(output_).subspan(start, end - start), is_moving, kind});
        start = end;
    }
    return views_;
}

void DatagramSession::sent() {
    output_.clear();
    spans_.clear();
    views_.clear();
}

// Time

/// When the next question about life is due.
std::optional<Instant> DatagramSession::question_due() const {
    if (state_ == State::lost) return std::nullopt;
    if (state_ == State::silent) return asked_.value_or(silent_since_) + silent_question;
    const milliseconds dpd(times_.dpd);
    if (state_ == State::waiting) {
        if (!is_client()) return std::nullopt;
        return asked_.value_or(heard_) + quick_question;
    }
    if (is_quick() && unanswered_since_)
        return std::max(*unanswered_since_, asked_.value_or(*unanswered_since_)) + quick_question;
    std::optional<Instant> due = asked_ ? *asked_ + dpd / 2 : heard_ + dpd;
    if (!is_quick()) sooner(due, proof_.question_due());
    return due;
}

/// When the silence has lasted too long.
std::optional<Instant> DatagramSession::silence_due() const {
    switch (state_) {
        case State::lost: return std::nullopt;
        case State::silent: return silent_since_ + lost_after;
        case State::waiting:
            if (!is_client()) return std::nullopt;
            return was_answered_ ? heard_ + lost_after : silent_since_ + proving_limit;
        case State::carrying: break;
    }
    if (is_quick())
        return unanswered_since_ ? std::optional(*unanswered_since_ + quick_silence) : std::nullopt;
    std::optional<Instant> due = heard_ + 2 * times_.dpd;
    sooner(due, proof_.loss_due());
    return due;
}

std::optional<Instant> DatagramSession::deadline() const {
    std::optional<Instant> due = question_due();
    sooner(due, silence_due());
    sooner(due, alert_due_);
    if (state_ == State::lost) return due;
    if (state_ == State::carrying && times_.keepalive.count() > 0)
        sooner(due, said_ + times_.keepalive);
    if (state_ == State::carrying || (state_ == State::waiting && was_answered_))
        sooner(due, path_.deadline());
    return due;
}

void DatagramSession::advance(Instant now) {
    now_ = std::max(now_, now);
    if (state_ == State::lost) return;
    advance_questions(now_);
    if (state_ == State::lost) return;
    if (alert_due_ && now_ >= *alert_due_) send_alert();
    // Only while the channel carries: a gateway of ours takes it for a wish to use it.
    if (state_ == State::carrying && times_.keepalive.count() > 0 &&
        now_ >= said_ + times_.keepalive)
        add(PacketType::keepalive, 0);
    if (state_ == State::carrying || (state_ == State::waiting && was_answered_)) {
        path_.advance(now_);
        probe_sizes();
        note_size();
        leave_narrow_path();
        consider_taking_up();
    }
}

void DatagramSession::advance_questions(Instant now) {
    if (const auto due = silence_due(); due && now >= *due) {
        if (state_ == State::carrying)
            notice_silence();
        else
            lose(DatagramDown::Why::silence);
        return;
    }
    const auto due = question_due();
    if (!due || now < *due) return;
    // A question of our own client names the session, in case that our address has changed.
    ask(0, is_client() && is_quick() && state_ != State::waiting);
}

}  // namespace causeway::protocol
