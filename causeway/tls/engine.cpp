#include "causeway/tls/engine.h"

#include "causeway/base/address.h"
#include "causeway/base/text.h"
#include "causeway/tls/certificate_parts.h"
#include "causeway/tls/context_parts.h"
#include "causeway/tls/failure.h"
#include "causeway/tls/limits.h"
#include "causeway/tls/record.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace causeway::tls {
namespace {

// How long more of a foreign greeting is waited for: it may tell where a captive portal is.
constexpr auto foreign_patience = std::chrono::seconds(1);
// An emptied buffer larger than this is given back, so that idle sessions stay small.
constexpr std::size_t kept_capacity = 4096;

void empty(Bytes& buffer) {
    buffer.clear();
    if (buffer.capacity() > kept_capacity) Bytes().swap(buffer);
}

}  // namespace

Engine::Engine(std::shared_ptr<const Context> context, StreamSettings settings)
    : context_(std::move(context)),
      settings_(std::move(settings)),
      watch_(context_->is_server()),
      now_(settings_.now) {
    while (settings_.server_name.ends_with('.')) settings_.server_name.pop_back();
    watch_.facts.server_name = settings_.server_name;
    set_up();
}

WallTime Engine::wall_now() const {
    return settings_.wall_now +
           std::chrono::duration_cast<std::chrono::milliseconds>(now_ - settings_.now);
}

void Engine::feed(ByteView bytes, Instant now) {
    now_ = std::max(now_, now);
    plain_.reset();
    plain_capacity_ = 0;
    if (bytes.empty() || failure_ || is_closed_by_peer_) return;
    watch_.facts.peer_spoke = true;
    if (in_taken_ == in_.size()) {
        in_.clear();
        in_taken_ = in_released_ = 0;
    } else if (in_taken_ > 0) {
        in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(in_taken_));
        in_released_ -= in_taken_;
        in_taken_ = 0;
    }
    append(in_, bytes);
}

void Engine::feed_end(Instant now) {
    now_ = std::max(now_, now);
    has_ended_ = true;
}

void Engine::feed_reset(int number, Instant now) {
    now_ = std::max(now_, now);
    if (!reset_by_) reset_by_ = number;
}

Result<std::optional<Event>> Engine::next() {
    if (events_.empty() && !failure_) run();
    if (!events_.empty()) {
        auto event = std::move(events_.front());
        events_.pop_front();
        return event;
    }
    if (failure_) return std::unexpected(*failure_);
    return std::nullopt;
}

bool Engine::is_before_records() const { return watch_.facts.records_received == 0; }

void Engine::run() {
    if (is_closed_by_peer_) return;
    release_records();
    if (failure_) return;
    set_renegotiation();
    ERR_clear_error();
    if (is_connected() || shake_hands()) read_data();
    take_events();
    if (!failure_ && !is_closed_by_peer_ && record_fault_) fail_with(*record_fault_);
    if (!failure_ && !is_closed_by_peer_) look_at_end();
    if (!failure_) answer_key_update();
    if (!failure_) flush_held();
    if (in_taken_ == in_.size()) {
        empty(in_);
        in_taken_ = in_released_ = 0;
    }
}

/// OpenSSL gets whole records only. So we always know where in a record a connection ends, and a
/// slow sender costs no more than one record of memory.
void Engine::release_records() {
    if (is_before_records()) {
        const auto opening = opening_of(in_, has_ended_ || reset_by_.has_value());
        if (opening == Opening::foreign) return fail_with(foreign_error(in_));
        if (opening == Opening::undecided) {
            if (!in_.empty() && !foreign_since_) foreign_since_ = now_;
            return;
        }
    }
    const bool is_1_3 = is_connected() && summary_.version == Version::tls_1_3;
    const auto scan =
        scan_records(ByteView(in_).subspan(in_released_), is_1_3 ? record_limit_1_3 : record_limit);
    in_released_ += scan.whole;
    if (!scan.fault) return;
    // OpenSSL sees the bad header too: it is the one who can send the alert for it.
    record_fault_ = scan.fault;
    in_released_ = in_.size();
}

std::size_t Engine::take(std::span<std::byte> room) {
    const auto count = std::min(room.size(), in_released_ - in_taken_);
    if (count > 0) std::memcpy(room.data(), in_.data() + in_taken_, count);
    in_taken_ += count;
    return count;
}

bool Engine::shake_hands() {
    const int done = SSL_do_handshake(ssl_.get());
    if (watch_.facts.certificate_requested && watch_.facts.acceptable_issuers.empty()) {
        const auto* names = SSL_get0_peer_CA_list(ssl_.get());
        const int count =
            std::min(names ? sk_X509_NAME_num(names) : 0, static_cast<int>(issuer_limit));
        for (int i = 0; i < count; ++i)
            watch_.facts.acceptable_issuers.push_back(text_of(sk_X509_NAME_value(names, i)));
    }
    // The watch knows alerts that OpenSSL lets pass.
    if (watch_.alert_ended) fail_by_openssl();
    if (failure_) return false;
    if (done == 1) return check_agreement();
    if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) fail_by_openssl();
    return false;
}

/// The last rules of the policy, once everything is agreed and before anything is said.
bool Engine::check_agreement() {
    fill_summary();
    const auto& policy = context_->parts().policy;
    const Scene scene{watch_, policy, context_->is_server()};
    if (policy.forward_secrecy && !has_forward_secrecy(summary_.suite)) {
        close();
        fail_with(suite_error(scene, summary_.suite_name));
        return false;
    }
    if (const int bits = weak_group_bits()) {
        close();
        fail_with(group_error(scene, bits));
        return false;
    }
    watch_.facts.handshake_completed = true;
    watch_.facts.waiting_for.clear();
    last_handshake_ = now_;
    take_events();
    events_.push_back(HandshakeCompleted{});
    return true;
}

void Engine::read_data() {
    // What is decrypted is never longer than its record, so the buffer does not have to grow while
    // views of it are out.
    const auto capacity = in_released_ - in_taken_;
    if (capacity == 0) return;
    if (!plain_) {
        plain_ = std::make_unique_for_overwrite<std::byte[]>(capacity);
        plain_capacity_ = capacity;
    }
    std::size_t size = 0;
    while (size < plain_capacity_) {
        std::size_t count = 0;
        const int done =
            SSL_read_ex(ssl_.get(), plain_.get() + size, plain_capacity_ - size, &count);
        size += count;
        if (done == 1 && !watch_.alert_ended) continue;
        take_events();
        if (size > 0) events_.push_back(Data{ByteView(plain_.get(), size)});
        const int why = done == 1 ? SSL_ERROR_SSL : SSL_get_error(ssl_.get(), done);
        if (watch_.alert_ended)
            fail_by_openssl();
        else if (why == SSL_ERROR_ZERO_RETURN)
            is_closed_by_peer_ = true;
        else if (why != SSL_ERROR_WANT_READ)
            fail_by_openssl();
        if (is_closed_by_peer_) events_.push_back(Closed{});
        return;
    }
    if (size > 0) events_.push_back(Data{ByteView(plain_.get(), size)});
}

void Engine::look_at_end() {
    if (!has_ended_ && !reset_by_) return;
    const Scene scene{watch_, context_->parts().policy, context_->is_server()};
    if (reset_by_) return fail_with(reset_error(scene, *reset_by_));
    fail_with(end_error(scene, ByteView(in_).subspan(in_taken_)));
}

void Engine::take_events() {
    std::ranges::move(watch_.events, std::back_inserter(events_));
    watch_.events.clear();
}

void Engine::handshake_done() {
    if (!is_connected() || summary_.version >= Version::tls_1_3) return;
    // OpenSSL calls a renegotiation that it refused done, too.
    if (std::exchange(watch_.has_refused_renegotiation, false)) return;
    last_handshake_ = now_;
    ++watch_.facts.key_changes;
    watch_.events.push_back(Rekeyed{});
    fill_summary();
}

/// OpenSSL either allows renegotiation or does not; the interval is ours.
void Engine::set_renegotiation() {
    if (!context_->is_server() || !is_connected() || SSL_in_init(ssl_.get())) return;
    const auto interval = context_->parts().renegotiation_interval;
    if (interval && now_ - last_handshake_ >= *interval) {
        SSL_clear_options(ssl_.get(), SSL_OP_NO_RENEGOTIATION);
        SSL_set_options(ssl_.get(), SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    } else {
        SSL_clear_options(ssl_.get(), SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
        SSL_set_options(ssl_.get(), SSL_OP_NO_RENEGOTIATION);
    }
}

Result<void> Engine::write(ByteView plaintext) {
    if (failure_) return std::unexpected(*failure_);
    if (!is_connected() || is_closed_by_us_)
        return fail(Trust::errSecBadReq, is_closed_by_us_
                                             ? "the channel has been closed on this side"
                                             : "the handshake is not complete yet");
    if (plaintext.size() > record_payload_limit)
        return fail(Trust::errSecParam, "more than one record can hold");
    if (plaintext.empty()) return {};
    if (SSL_in_init(ssl_.get())) {
        if (held_size_ + plaintext.size() > held_limit)
            return fail(Tls::errSSLWouldBlock, "the keys are being changed and much is waiting");
        held_.emplace_back(plaintext.begin(), plaintext.end());
        held_size_ += plaintext.size();
        return {};
    }
    ERR_clear_error();
    std::size_t count = 0;
    if (SSL_write_ex(ssl_.get(), plaintext.data(), plaintext.size(), &count) == 1) return {};
    fail_by_openssl();
    return std::unexpected(*failure_);
}

/// OpenSSL would answer with our next data, which may be a long time.
void Engine::answer_key_update() {
    if (SSL_get_key_update_type(ssl_.get()) == SSL_KEY_UPDATE_NONE || is_closed_by_us_) return;
    std::size_t count = 0;
    if (SSL_write_ex(ssl_.get(), "", 0, &count) != 1) fail_by_openssl();
}

void Engine::flush_held() {
    if (held_.empty() || SSL_in_init(ssl_.get())) return;
    const auto held = std::exchange(held_, {});
    held_size_ = 0;
    for (const auto& plaintext : held)
        if (!write(plaintext)) return;
}

void Engine::close() {
    if (std::exchange(is_closed_by_us_, true) || !ssl_) return;
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

Result<void> Engine::rekey() {
    if (failure_) return std::unexpected(*failure_);
    if (!is_connected() || is_closed_by_us_ || SSL_in_init(ssl_.get()))
        return fail(Trust::errSecBadReq, "the keys cannot be changed now");
    ERR_clear_error();
    const bool is_1_3 = summary_.version == Version::tls_1_3;
    if (!is_1_3 && context_->is_server())
        return fail(Trust::errSecBadReq, "in TLS 1.2 it is the client who renegotiates");
    const int asked =
        is_1_3 ? SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) : SSL_renegotiate(ssl_.get());
    const int done = asked == 1 ? SSL_do_handshake(ssl_.get()) : asked;
    if (done == 1 || SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ) return {};
    fail_by_openssl();
    return std::unexpected(*failure_);
}

void Engine::sent(std::size_t count) {
    out_sent_ = std::min(out_.size(), out_sent_ + count);
    if (out_sent_ < out_.size()) return;
    empty(out_);
    out_sent_ = 0;
}

std::optional<Instant> Engine::deadline() const {
    if (failure_ || is_connected()) return std::nullopt;
    const auto limit = settings_.now + context_->parts().handshake_limit;
    return foreign_since_ ? std::min(limit, *foreign_since_ + foreign_patience) : limit;
}

void Engine::advance(Instant now) {
    now_ = std::max(now_, now);
    const auto due = deadline();
    if (!due || now_ < *due) return;
    if (foreign_since_ && is_before_records()) return fail_with(foreign_error(in_));
    const Scene scene{watch_, context_->parts().policy, context_->is_server()};
    fail_with(timeout_error(scene, context_->parts().handshake_limit));
}

void Engine::fail_by_openssl() {
    const Scene scene{watch_, context_->parts().policy, context_->is_server()};
    Trouble trouble{take_openssl_faults(), {}, true};
    if (const auto* cipher = ssl_ ? SSL_get_current_cipher(ssl_.get()) : nullptr)
        trouble.is_aead = SSL_CIPHER_is_aead(cipher) == 1;
    if (watch_.alert_ended) return fail_with(alert_error(scene, *watch_.alert_ended));
    if (ssl_ && (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) && trouble.faults.empty())
        return fail_with(Error{Tls::errSSLClosedGraceful,
                               "the other side closed before the handshake was complete"}
                             .with("waited_for", watch_.facts.waiting_for));
    if (auto fault = chain_fault_ ? chain_fault_ : record_fault_) {
        add_alert_sent(scene, *fault);
        return fail_with(std::move(*fault));
    }
    fail_with(local_error(scene, std::move(trouble)));
}

void Engine::fail_with(Error error) {
    take_events();
    if (!failure_) failure_ = std::move(error);
    ERR_clear_error();
}

Result<Bytes> Engine::export_keying_material(std::string_view label, std::size_t size) const {
    if (!is_connected()) return fail(Trust::errSecBadReq, "the handshake is not complete yet");
    Bytes material(size);
    if (SSL_export_keying_material(ssl_.get(), reinterpret_cast<unsigned char*>(material.data()),
                                   size, label.data(), label.size(), nullptr, 0, 0) != 1)
        return fail(Tls::errSSLCrypto,
                    "no keying material can be derived: " + openssl_reason(take_openssl_faults()));
    return material;
}

}  // namespace causeway::tls
