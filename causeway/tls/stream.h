// One TLS connection, either side, without I/O: bytes go in, events come out, bytes to send pile
// up.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/clock.h"
#include "causeway/error/error.h"
#include "causeway/tls/certificate.h"
#include "causeway/tls/context.h"
#include "causeway/tls/policy.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace causeway::tls {

/// A server has read what the client wants; nothing has been answered for good yet.
struct ClientHelloSeen {
    std::string server_name;  ///< SNI; empty when the client named none.
};
/// A client was asked for a certificate.
struct CertificateRequested {};
/// Data may flow; see `Stream::summary`.
struct HandshakeCompleted {};
/// Data from the other side: all that the bytes fed so far held. Lasts until the next `feed`.
struct Data {
    ByteView bytes;
};
/// A warning that ends nothing.
struct WarningAlert {
    std::uint8_t number;
};
/// The keys have been changed: a renegotiation is complete, or the peer updated its key.
struct Rekeyed {};
/// The other side closed in order (close_notify). What we write may still reach it.
struct Closed {};

using Event = std::variant<ClientHelloSeen, CertificateRequested, HandshakeCompleted, Data,
                           WarningAlert, Rekeyed, Closed>;

class Engine;

/// What was agreed, once the handshake is complete.
struct Summary {
    Version version = Version::tls_1_2;
    std::uint16_t suite = 0;                  ///< IANA number.
    std::string suite_name;                   ///< IANA name: "TLS_AES_256_GCM_SHA384".
    std::string group;                        ///< Of the key exchange: "X25519"; empty for none.
    std::string protocol;                     ///< ALPN; empty for none.
    std::string server_name;                  ///< SNI, as asked for by the client.
    std::vector<CertificateInfo> peer_chain;  ///< As sent, leaf first; empty: none was shown.
    /// Server with Refusal::words only: why the client's certificate, or its absence, was not
    /// accepted.
    std::optional<Error> peer_fault;
};

/// What has happened so far, for whoever has to explain a failure.
struct Facts {
    bool peer_spoke = false;  ///< At least one byte came.
    bool handshake_completed = false;
    bool certificate_requested = false;           ///< Client: the server asked for a certificate.
    bool certificate_sent = false;                ///< Client: one was sent.
    std::vector<std::string> acceptable_issuers;  ///< Client: names the server asked for.
    std::string waiting_for;  ///< Until the handshake is complete: "the server's hello", …
    std::string server_name;  ///< SNI, as soon as it is known.
    std::uint64_t records_received = 0;
    std::uint64_t records_sent = 0;
    std::uint64_t warnings_ignored = 0;
    std::uint64_t key_changes = 0;
};

struct StreamSettings {
    /// Client: host name or address literal to be found in the certificate; a name is sent as SNI.
    std::string server_name = {};
    Instant now = {};        ///< The two clocks at the start.
    WallTime wall_now = {};  ///< Certificates are judged by it, moved on with `now`.
};

/// See the verbs in order: feed what came, take events until there is none, send what is pending.
///
///     stream.feed(received, now);
///     while (true) {
///         auto event = stream.next();
///         if (!event) return event.error();   // still send what is pending: an alert
///         if (!*event) break;
///         handle(**event);
///     }
///     stream.sent(send(stream.pending()));
///
/// The first failure latches: `next` repeats it for ever. Movable; not for use by two threads.
class Stream {
public:
    /// A client has its first message pending after the first `next`. A stream that cannot be made
    /// fails at the first `next`.
    Stream(std::shared_ptr<const Context> context, StreamSettings settings);
    ~Stream();
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;

    /// What arrived. Ends the life of views that were handed out before.
    void feed(ByteView bytes, Instant now);
    /// The other side has shut down its sending half (FIN).
    void feed_end(Instant now);
    /// The transport failed with that errno (ECONNRESET, EPIPE, ETIMEDOUT …).
    void feed_reset(int number, Instant now);

    /// What it means; nothing until more is fed. Fails with the codes of the channel, each with
    /// evidence; see docs/errors.md.
    Result<std::optional<Event>> next();

    /// Seals `plaintext` (at most `record_payload_limit` bytes) as one record. Fails with
    /// errSecBadReq before the handshake is complete or after `close`, errSecParam for more than
    /// fits, or the latched failure.
    Result<void> write(ByteView plaintext);
    /// Each of the views as a record of its own, in order.
    Result<void> write_many(std::span<const ByteView> plaintexts);
    /// Says close_notify, once.
    void close();
    /// Changes the keys: TLS 1.3, asks the peer to update too; TLS 1.2, a client renegotiates.
    /// `Rekeyed` follows. Fails with errSecBadReq before the handshake is complete, for a TLS 1.2
    /// server, or while one is under way.
    Result<void> rekey();

    /// What should be sent, and how much of it was. The view lasts until the next call of any
    /// other verb.
    ByteView pending() const;
    void sent(std::size_t count);

    /// When `advance` must be called, if nothing else happens: the limit of the handshake.
    std::optional<Instant> deadline() const;
    /// The time came. Past the limit the stream fails with errSSLNetworkTimeout.
    void advance(Instant now);

    /// Complete after HandshakeCompleted, renewed by a renegotiation.
    const Summary& summary() const;
    const Facts& facts() const;
    /// RFC 5705, without a context. Fails with errSecBadReq before the handshake is complete.
    Result<Bytes> export_keying_material(std::string_view label, std::size_t size) const;

private:
    std::unique_ptr<Engine> engine_;
};

}  // namespace causeway::tls
