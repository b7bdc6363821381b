#include "causeway/tls/datagram.h"

#include "causeway/base/text.h"
#include "causeway/tls/client_hello.h"
#include "causeway/tls/datagram_channel.h"
#include "causeway/tls/datagram_keys.h"
#include "causeway/tls/failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace causeway::tls {
namespace {

constexpr auto longest_resend = std::chrono::milliseconds(3200);
constexpr std::size_t master_secret_size = 48;
constexpr std::size_t session_id_limit = 32;

const Policy& datagram_policy() {
    static const Policy policy{.minimum_version = Version::tls_1_2,
                               .maximum_version = Version::tls_1_2};
    return policy;
}

std::string version_name(std::uint16_t version) {
    switch (version) {
        case DTLS1_VERSION: return "DTLS 1.0";
        case DTLS1_BAD_VER: return "DTLS 0.9";
        default: return fmt::format("version 0x{:04X}", version);
    }
}

Error refused(std::string detail) {
    return Error{Tls::errSSLConfigurationFailed, std::move(detail)};
}

std::optional<Error> fault_of(const PskKey& key, const DatagramSettings& settings) {
    const auto size = key.key.reveal().size();
    if (size == 0 || size > shared_key_limit)
        return refused(fmt::format("a shared key of {} bytes cannot be used", size));
    if (!settings.is_server && (key.app_id.empty() || key.app_id.size() > session_id_limit))
        return refused(
            fmt::format("a session name of {} bytes does not fit into a hello", key.app_id.size()));
    for (const auto suite : settings.suites)
        if (std::ranges::find(psk_suites, suite) == std::end(psk_suites))
            return refused(fmt::format("suite 0x{:04X} cannot be used with a shared key", suite));
    return std::nullopt;
}

std::optional<Error> fault_of(const ResumedKey& key, const DatagramSettings&) {
    if (key.master_secret.reveal().size() != master_secret_size)
        return refused(fmt::format("a master secret of {} bytes cannot be used",
                                   key.master_secret.reveal().size()));
    if (key.session_id.empty() || key.session_id.size() > session_id_limit)
        return refused(fmt::format("a session cannot be named by {} bytes", key.session_id.size()));
    if (std::ranges::find(resumed_suites, key.suite) == std::end(resumed_suites))
        return refused(fmt::format("suite 0x{:04X} cannot be resumed here", key.suite));
    return std::nullopt;
}

}  // namespace

DatagramChannel::DatagramChannel(DatagramSettings settings)
    : settings_(std::move(settings)),
      watch_(settings_.is_server),
      now_(settings_.now),
      resend_after_(settings_.resend_after),
      late_answers_left_(late_answer_limit) {
    facts_.waiting_for = watch_.facts.waiting_for;
    if (auto fault = settings_fault())
        fail_with(std::move(*fault));
    else if (!set_up())
        fail_by_openssl();
    else
        run();
}

std::optional<Error> DatagramChannel::settings_fault() const {
    if (settings_.datagram_limit < datagram_smallest)
        return refused(fmt::format("a handshake does not fit into datagrams of {} bytes",
                                   settings_.datagram_limit));
    return std::visit([&](const auto& key) { return fault_of(key, settings_); }, settings_.key);
}

void DatagramChannel::feed(ByteView datagram, Instant now) {
    now_ = std::max(now_, now);
    std::erase_if(events_, [](const DatagramEvent& event) {
        return std::holds_alternative<DatagramData>(event);
    });
    plain_.reset();
    ++facts_.datagrams_received;
    if (datagram.empty() || failure_ || is_closed_) {
        ++facts_.datagrams_ignored;
        return;
    }
    facts_.peer_spoke = watch_.facts.peer_spoke = true;
    if (is_ready_) return feed_late(datagram);
    bool holds_sealed = false;
    for (auto rest = datagram; const auto record = take_record(rest);)
        holds_sealed |= record->epoch > 0 && record->type == SSL3_RT_HANDSHAKE;
    in_ = copy(datagram);
    run();
    if (holds_sealed && !is_ready_) ++facts_.unreadable_records;
}

/// Past the handshake: what else may come than data.
void DatagramChannel::feed_late(ByteView datagram) {
    auto rest = datagram;
    const auto record = take_record(rest);
    const auto type = record ? record->type : 0;
    if ((type == SSL3_RT_HANDSHAKE || type == SSL3_RT_CHANGE_CIPHER_SPEC) &&
        !client_hello(datagram))
        return answer_late();
    if (record && ssl_ && record->epoch > 0 &&
        (type == SSL3_RT_APPLICATION_DATA || type == SSL3_RT_ALERT)) {
        in_ = copy(datagram);
        return run();
    }
    if (record && keys_ && type == SSL3_RT_ALERT && record->epoch == keys_->epoch)
        return open_alert(*record);
    ++facts_.datagrams_ignored;
}

/// "the receipt of a retransmitted Finished … MUST be answered by a retransmission of the last
/// flight" in spirit (RFC 6347 section 4.2.4). Byte for byte: a new record would need a number that
/// is no longer ours to give.
void DatagramChannel::answer_late() {
    if (last_flight_.empty() || late_answers_left_ == 0 || now_ < late_answer_at_) {
        ++facts_.datagrams_ignored;
        return;
    }
    --late_answers_left_;
    late_answer_at_ = now_ + late_answer_interval;
    ++facts_.late_answers;
    for (const auto& datagram : last_flight_) queue(datagram);
}

void DatagramChannel::open_alert(const DatagramRecord& record) {
    const auto alert = open_record(record, *keys_);
    if (!alert || alert->size() != 2) {
        ++facts_.datagrams_ignored;
        return;
    }
    watch_.saw(false, SSL3_RT_ALERT, *alert);
    watch_.events.clear();
    if ((*alert)[1] == std::byte{SSL_AD_CLOSE_NOTIFY}) {
        is_closed_ = true;
        events_.push_back(DatagramClosed{});
    } else if (watch_.alert_ended) {
        fail_by_openssl();
    }
}

void DatagramChannel::feed_reset(int number, Instant now) {
    now_ = std::max(now_, now);
    if (is_ready_) return;
    fail_with(reset_error({watch_, datagram_policy(), settings_.is_server}, number));
}

Result<std::optional<DatagramEvent>> DatagramChannel::next() {
    if (!events_.empty()) {
        auto event = std::move(events_.front());
        events_.pop_front();
        return event;
    }
    if (failure_) return std::unexpected(*failure_);
    return std::nullopt;
}

void DatagramChannel::queue(Bytes datagram) {
    if (out_.size() >= datagram_queue_limit) {
        ++facts_.datagrams_dropped;
        return;
    }
    ++facts_.datagrams_sent;
    out_.push_back(std::move(datagram));
}

void DatagramChannel::sent() {
    if (!out_.empty()) out_.pop_front();
}

/// What OpenSSL wants to send: the numbers are noted, since ours have to lie above them, and the
/// messages of a flight share datagrams, so that it is lost or arrives as one.
void DatagramChannel::put(ByteView datagram) {
    for (auto rest = datagram; const auto record = take_record(rest);) {
        if (record->epoch == 0) continue;
        last_sequence_ = record->sequence;
        if (record->payload.size() < 8) continue;
        last_explicit_nonce_ = std::uint64_t{big_endian_32(record->payload)} << 32 |
                               big_endian_32(record->payload.subspan(4));
    }
    if (is_ready_) return queue(copy(datagram));
    const auto room = std::min(settings_.datagram_limit, datagram_largest);
    if (!flight_.empty() && flight_.back().size() + datagram.size() <= room)
        append(flight_.back(), datagram);
    else
        flight_.push_back(copy(datagram));
}

void DatagramChannel::send_flight() {
    for (const auto& datagram : flight_) queue(datagram);
    if (!summary_.spoke_last) flight_.clear();
    last_flight_ = std::move(flight_);
    flight_.clear();
}

std::optional<Instant> DatagramChannel::deadline() const {
    if (failure_ || is_ready_) return std::nullopt;
    const auto limit = settings_.now + settings_.handshake_limit;
    return resend_at_ ? std::min(limit, *resend_at_) : limit;
}

void DatagramChannel::advance(Instant now) {
    now_ = std::max(now_, now);
    const auto due = deadline();
    if (!due || now_ < *due) return;
    if (now_ >= settings_.now + settings_.handshake_limit) return fail_by_limit();
    resend_after_ = std::min(2 * resend_after_, longest_resend);
    resend_at_ = now_ + resend_after_;
    ++facts_.flights_resent;
    expire_timer();
    send_flight();
}

void DatagramChannel::fail_by_limit() {
    const Scene scene{watch_, datagram_policy(), settings_.is_server};
    auto error = timeout_error(scene, settings_.handshake_limit);
    if (facts_.unreadable_records > 0) {
        error.code = Tls::errSSLDecryptionFail;
        error.detail = fmt::format(
            "the {}'s finish came and cannot be decrypted: the two sides have different keys",
            settings_.is_server ? "client" : "server");
        error.with("unreadable_records", std::to_string(facts_.unreadable_records));
    }
    fail_with(std::move(error));
}

void DatagramChannel::fail_by_openssl() {
    const Scene scene{watch_, datagram_policy(), settings_.is_server};
    auto faults = take_openssl_faults();
    if (watch_.alert_ended) return fail_with(alert_error(scene, *watch_.alert_ended));
    if (!settings_.is_server && server_version_ && *server_version_ != DTLS1_2_VERSION) {
        auto error = Error{Tls::errSSLNegotiation,
                           fmt::format("the server answers with {}, and DTLS 1.2 was offered",
                                       version_name(*server_version_))};
        error.with("found", version_name(*server_version_)).with("wanted", "DTLS 1.2");
        add_alert_sent(scene, error);
        return fail_with(std::move(error));
    }
    if (!settings_.is_server && is_resumed() && server_version_ && ssl_ &&
        SSL_session_reused(ssl_.get()) == 0) {
        Error error{Tls::errSSLNegotiation,
                    "the server does not resume the agreed session and wants a full handshake"};
        add_alert_sent(scene, error);
        return fail_with(std::move(error));
    }
    fail_with(local_error(scene, Trouble{std::move(faults), {}, true}));
}

void DatagramChannel::fail_with(Error error) {
    if (!failure_) failure_ = std::move(error);
    ERR_clear_error();
}

Result<TrafficKeys> DatagramChannel::take_traffic_keys() {
    if (!keys_)
        return fail(Trust::errSecBadReq, is_ready_ ? "the suite's records are sealed by the channel"
                                                   : "the handshake is not complete yet");
    if (std::exchange(are_keys_taken_, true))
        return fail(Trust::errSecBadReq, "the keys have been taken already");
    auto taken = *keys_;
    keys_->write_key = {};
    keys_->write_iv = {};
    return taken;
}

Datagram::Datagram(DatagramSettings settings)
    : channel_(std::make_unique<DatagramChannel>(std::move(settings))) {}
Datagram::~Datagram() = default;
Datagram::Datagram(Datagram&&) noexcept = default;
Datagram& Datagram::operator=(Datagram&&) noexcept = default;

void Datagram::feed(ByteView datagram, Instant now) { channel_->feed(datagram, now); }
void Datagram::feed_reset(int number, Instant now) { channel_->feed_reset(number, now); }
Result<std::optional<DatagramEvent>> Datagram::next() { return channel_->next(); }
Result<void> Datagram::write(ByteView plaintext) { return channel_->write(plaintext); }
ByteView Datagram::pending() const { return channel_->pending(); }
void Datagram::sent() { channel_->sent(); }
std::optional<Instant> Datagram::deadline() const { return channel_->deadline(); }
void Datagram::advance(Instant now) { channel_->advance(now); }
const DatagramSummary& Datagram::summary() const { return channel_->summary(); }
const DatagramFacts& Datagram::facts() const { return channel_->facts(); }
Result<TrafficKeys> Datagram::take_traffic_keys() { return channel_->take_traffic_keys(); }
void Datagram::confirm() { channel_->confirm(); }

}  // namespace causeway::tls
