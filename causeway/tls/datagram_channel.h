// What stands behind a Datagram: OpenSSL while the handshake lasts (and for CBC suites longer), and
// what is kept of it afterwards.
//
// Private to this layer. The parts: datagram.cpp decides what happens to a datagram,
// datagram_openssl.cpp drives OpenSSL, datagram_keys.h derives the keys.

#pragma once

#include "causeway/tls/datagram.h"
#include "causeway/tls/handshake_watch.h"
#include "causeway/tls/openssl.h"

#include <sys/time.h>

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace causeway::tls {

class DatagramChannel {
public:
    explicit DatagramChannel(DatagramSettings settings);

    void feed(ByteView datagram, Instant now);
    void feed_reset(int number, Instant now);
    Result<std::optional<DatagramEvent>> next();
    Result<void> write(ByteView plaintext);
    ByteView pending() const { return out_.empty() ? ByteView() : ByteView(out_.front()); }
    void sent();
    std::optional<Instant> deadline() const;
    void advance(Instant now);
    const DatagramSummary& summary() const { return summary_; }
    const DatagramFacts& facts() const { return facts_; }
    Result<TrafficKeys> take_traffic_keys();
    void confirm() { last_flight_.clear(); }

    // What OpenSSL calls.
    std::size_t take(std::span<std::byte> room);
    void put(ByteView datagram);
    void saw(bool is_written, int type, ByteView bytes);
    std::size_t shared_key(std::span<unsigned char> room) const;
    SSL_SESSION* agreed_session(SSL* ssl, ByteView session_id) const;
    unsigned timer_microseconds() const;
    void keep_timer(void* timer);

private:
    bool is_resumed() const { return std::holds_alternative<ResumedKey>(settings_.key); }
    std::optional<Error> settings_fault() const;
    bool set_up();
    bool set_hello_session();
    void run();
    void shake_hands();
    void hand_over();
    void expire_timer();
    void read_data();
    void feed_late(ByteView datagram);
    void answer_late();
    void open_alert(const struct DatagramRecord& record);
    void queue(Bytes datagram);
    void send_flight();
    void fail_by_openssl();
    void fail_by_limit();
    void fail_with(Error error);

    DatagramSettings settings_;
    SslPtr ssl_;
    timeval* timer_ = nullptr;  ///< OpenSSL's, which runs by the wall clock.
    HandshakeWatch watch_;
    DatagramFacts facts_;
    DatagramSummary summary_;

    Instant now_;
    std::chrono::milliseconds resend_after_;
    std::optional<Instant> resend_at_;

    Bytes in_;  ///< The datagram on its way to OpenSSL; empty once it has it.
    std::deque<Bytes> out_;
    std::vector<Bytes> flight_;       ///< What this run of OpenSSL sends.
    std::vector<Bytes> last_flight_;  ///< Kept for a peer that asks for it again.
    unsigned late_answers_left_;
    Instant late_answer_at_{};
    std::unique_ptr<std::byte[]> plain_;

    std::optional<std::uint64_t> last_sequence_;  ///< Of our records in epoch 1,
    std::uint64_t last_explicit_nonce_ = 0;       ///< and the nonce beside it.
    std::optional<std::uint16_t> server_version_;
    std::optional<TrafficKeys> keys_;  ///< Until they are taken, all; then those that read.
    bool are_keys_taken_ = false;
    bool is_ready_ = false;
    bool is_closed_ = false;

    std::deque<DatagramEvent> events_;
    std::optional<Error> failure_;
};

}  // namespace causeway::tls
