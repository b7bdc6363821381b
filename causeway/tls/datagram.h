// One DTLS 1.2 channel, either side, without I/O: datagrams go in, events come out, datagrams to
// send pile up.
//
//     handshake            OpenSSL's, under a shared key or a session both sides know already
//     after DatagramReady  AEAD suites: the keys are taken (`take_traffic_keys`), OpenSSL is gone,
//                          and what remains here answers late retransmissions and reads alerts;
//                          CBC suites: `write` and DatagramData, OpenSSL's own records
//
// No close_notify is ever sent: after the hand-over only the owner of the write key may number
// records, and the end of a session is told on the TLS channel.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/clock.h"
#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/tls/limits.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace causeway::tls {

/// A key that both sides have from elsewhere: PSK-NEGOTIATE, where it is exported from the TLS
/// channel (RFC 5705, label "EXPORTER-openconnect-psk").
struct PskKey {
    Secret key;    ///< 1 to 64 bytes; 32 from the exporter.
    Bytes app_id;  ///< Client: goes into the hello's session_id, 1 to 32 bytes. Server: not used.
};

/// A session that never was and that both sides resume (X-DTLS12). A peer that asks for a full
/// handshake instead may be somebody in between: it is refused.
struct ResumedKey {
    Secret master_secret;     ///< 48 bytes.
    Bytes session_id;         ///< 1 to 32 bytes.
    std::uint16_t suite = 0;  ///< IANA number, one of `resumed_suites`.
};

/// What PskKey can agree on, the most wanted first: AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305.
inline constexpr std::uint16_t psk_suites[] = {0x00A8, 0x00A9, 0xCCAB};
/// What ResumedKey can have: AES-128-GCM, AES-256-GCM, and with CBC and SHA-1 AES-128, AES-256.
inline constexpr std::uint16_t resumed_suites[] = {0x009C, 0x009D, 0x002F, 0x0035};
/// Whether records of that suite are sealed outside, with the keys that are handed out.
bool is_aead_suite(std::uint16_t suite);

struct DatagramSettings {
    bool is_server = false;
    std::variant<PskKey, ResumedKey> key = {};
    /// PskKey only: a choice of `psk_suites`, the most wanted first; as server, in whose order the
    /// suite is chosen. Empty: all of them.
    std::vector<std::uint16_t> suites = {};
    /// Most bytes of UDP payload in a datagram of the handshake: `datagram_smallest` or more.
    std::size_t datagram_limit = 1200;
    /// Until DatagramReady; then errSSLNetworkTimeout.
    std::chrono::milliseconds handshake_limit = std::chrono::seconds(10);
    /// A flight that is not answered is sent again after this long, then after twice as long ...
    std::chrono::milliseconds resend_after = std::chrono::milliseconds(400);
    Instant now = {};  ///< The clock at the start.
};

/// The handshake is complete: see `Datagram::summary`.
struct DatagramReady {};
/// CBC suites: the plaintext of one record. Lasts until the next `feed`.
struct DatagramData {
    ByteView bytes;
};
/// The other side closed in order (close_notify, authenticated).
struct DatagramClosed {};

using DatagramEvent = std::variant<DatagramReady, DatagramData, DatagramClosed>;

/// What was agreed.
struct DatagramSummary {
    std::uint16_t suite = 0;  ///< IANA number.
    std::string suite_name;   ///< IANA name: "TLS_PSK_WITH_AES_128_GCM_SHA256".
    bool is_aead = false;     ///< The keys are taken; else `write` and DatagramData.
    /// This side spoke last in the handshake. What it sent may be lost without its noticing, so it
    /// does well to send data only after the other side's first: a peer that has to take this
    /// side's late finish after newer records throws it away as a replay.
    bool spoke_last = false;
};

/// What has happened so far.
struct DatagramFacts {
    bool peer_spoke = false;  ///< A datagram came.
    std::string waiting_for;  ///< Until ready: "the server's hello", …
    std::uint64_t datagrams_received = 0;
    std::uint64_t datagrams_sent = 0;      ///< Put into `pending`.
    std::uint64_t datagrams_ignored = 0;   ///< Of no use: wrong, late, or after a failure.
    std::uint64_t datagrams_dropped = 0;   ///< Not put into `pending`: nobody takes them.
    std::uint64_t flights_resent = 0;      ///< Because no answer came.
    std::uint64_t late_answers = 0;        ///< The last flight, because the peer asked again.
    std::uint64_t unreadable_records = 0;  ///< Encrypted ones that came before ready and did not
                                           ///< complete it.
};

/// What seals and opens the records of an AEAD suite (RFC 5246 section 6.3).
struct TrafficKeys {
    std::uint16_t suite = 0;  ///< IANA number.
    Secret write_key;
    Secret write_iv;  ///< 4 bytes with GCM, 12 with ChaCha20-Poly1305.
    Secret read_key;
    Secret read_iv;
    std::uint16_t epoch = 1;
    /// Above every number of the handshake's own records under this key.
    std::uint64_t first_write_sequence = 0;
    /// GCM: the explicit part of the nonce that goes with it, above every one that was used.
    /// OpenSSL begins at a random value, so this counts modulo 2^64.
    std::optional<std::uint64_t> first_explicit_nonce = {};
};

class DatagramChannel;

/// The verbs in order:
///
///     datagram.feed(received, now);
///     while (true) {
///         auto event = datagram.next();
///         if (!event) return event.error();   // still send what is pending: an alert
///         if (!*event) break;
///         handle(**event);
///     }
///     for (; !datagram.pending().empty(); datagram.sent()) send(datagram.pending());
///
/// The first failure latches: `next` repeats it for ever. Movable; not for use by two threads.
class Datagram {
public:
    /// A client has its hello pending at once. Settings the channel refuses fail at the first
    /// `next`, with errSSLConfigurationFailed.
    explicit Datagram(DatagramSettings settings);
    ~Datagram();
    Datagram(Datagram&&) noexcept;
    Datagram& operator=(Datagram&&) noexcept;

    /// One datagram that arrived. Ends the life of views that were handed out before. After
    /// DatagramReady an AEAD channel wants only what is not application data: handshake records
    /// that come late, and alerts.
    void feed(ByteView datagram, Instant now);

    /// The transport failed with that errno (ECONNREFUSED …): fatal until DatagramReady, ignored
    /// from then on, since anybody can say so in the network's name.
    void feed_reset(int number, Instant now);

    /// What it means; nothing until more is fed. Fails with the codes of the channel: among them
    /// errSSLNetworkTimeout (no answer, or not the whole handshake in time), errSSLDecryptionFail
    /// (the other side has another key), errSSLNegotiation (no suite or version in common), those
    /// of the peer's alert.
    Result<std::optional<DatagramEvent>> next();

    /// Seals one datagram of data. CBC suites only. Fails with errSecBadReq before DatagramReady or
    /// for an AEAD suite, errSecParam for nothing or more than a record holds, or the latched
    /// failure.
    Result<void> write(ByteView plaintext);

    /// The datagram to be sent next, empty when there is none; and that it was. The view lasts
    /// until the next call of any other verb.
    ByteView pending() const;
    void sent();

    /// When `advance` must be called, if nothing else happens: to send a flight again, or to give
    /// up.
    std::optional<Instant> deadline() const;
    void advance(Instant now);

    /// Complete after DatagramReady.
    const DatagramSummary& summary() const;
    const DatagramFacts& facts() const;

    /// The keys of an AEAD suite, once: two owners of a write key would use a nonce twice. Fails
    /// with errSecBadReq before DatagramReady, for a CBC suite, and the second time.
    Result<TrafficKeys> take_traffic_keys();
    /// The other side's first data have been authenticated, so it has all of the handshake: the
    /// last flight is forgotten.
    void confirm();

private:
    std::unique_ptr<DatagramChannel> channel_;
};

}  // namespace causeway::tls
