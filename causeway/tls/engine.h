// What drives OpenSSL behind a stream: records in, messages and alerts watched, failures named.
//
// Private to this layer. The parts: engine.cpp carries bytes and events, handshake_watch.h
// remembers what was said, failure.h makes of all that an Error.

#pragma once

#include "causeway/tls/chain.h"
#include "causeway/tls/handshake_watch.h"
#include "causeway/tls/openssl.h"
#include "causeway/tls/stream.h"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace causeway::tls {

/// Registers what OpenSSL calls back; the streams of the context need it.
void install_callbacks(SSL_CTX* context);

class Engine {
public:
    Engine(std::shared_ptr<const Context> context, StreamSettings settings);

    void feed(ByteView bytes, Instant now);
    void feed_end(Instant now);
    void feed_reset(int number, Instant now);
    Result<std::optional<Event>> next();
    /// Room for that many bytes more to send, so that a batch does not move them about.
    void expect(std::size_t more) { out_.reserve(out_.size() + more); }
    Result<void> write(ByteView plaintext);
    void close();
    Result<void> rekey();
    ByteView pending() const { return ByteView(out_).subspan(out_sent_); }
    void sent(std::size_t count);
    std::optional<Instant> deadline() const;
    void advance(Instant now);
    const Summary& summary() const { return summary_; }
    const Facts& facts() const { return watch_.facts; }
    Result<Bytes> export_keying_material(std::string_view label, std::size_t size) const;

    // What OpenSSL calls.
    std::size_t take(std::span<std::byte> room);
    void put(ByteView bytes) { append(out_, bytes); }
    int verify(X509_STORE_CTX* store);
    int choose_identity();
    int choose_protocol(const unsigned char** chosen, unsigned char* size, ByteView offered) const;
    void handshake_done();
    HandshakeWatch& watch() { return watch_; }

private:
    bool is_connected() const { return watch_.facts.handshake_completed; }
    bool is_before_records() const;
    void set_up();
    void run();
    void release_records();
    bool shake_hands();
    bool check_agreement();
    void read_data();
    void look_at_end();
    void answer_key_update();
    void flush_held();
    void take_events();
    void set_renegotiation();
    void fill_summary();
    int weak_group_bits() const;
    void fail_by_openssl();
    void fail_with(Error error);
    WallTime wall_now() const;

    std::shared_ptr<const Context> context_;
    StreamSettings settings_;
    SslPtr ssl_;
    HandshakeWatch watch_;
    Summary summary_;

    Instant now_;
    Instant last_handshake_{};
    std::optional<Instant> foreign_since_;

    Bytes in_;                     ///< Records on their way to OpenSSL.
    std::size_t in_taken_ = 0;     ///< Of which OpenSSL has these,
    std::size_t in_released_ = 0;  ///< and may have these.
    Bytes out_;
    std::size_t out_sent_ = 0;
    std::unique_ptr<std::byte[]> plain_;
    std::size_t plain_capacity_ = 0;
    std::vector<Bytes> held_;  ///< Written while a renegotiation was under way.
    std::size_t held_size_ = 0;

    std::deque<Event> events_;
    std::optional<Error> failure_;
    std::optional<Error> chain_fault_;
    std::optional<Error> record_fault_;
    bool has_ended_ = false;
    std::optional<int> reset_by_;
    bool is_closed_by_peer_ = false;
    bool is_closed_by_us_ = false;
};

}  // namespace causeway::tls
