// Two ends of a TLS connection in memory: ours against ours, or ours against plain OpenSSL, which
// can be made to misbehave.

#pragma once

#include "causeway/tls/openssl.h"
#include "causeway/tls/stream.h"
#include "tests/support/pki.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace causeway::test {

inline constexpr Instant test_start{std::chrono::hours(1000)};

/// What an end of ours saw, as words: "hello(vpn.example.com) requested completed data:5 closed",
/// and the failure that ended it.
struct Seen {
    std::vector<tls::Event> events;
    std::string story;
    std::string data;  ///< All data that came, in order.
    std::optional<Error> failure;

    bool has(std::string_view word) const { return story.find(word) != std::string::npos; }
};

/// Takes all events there are and adds them to `seen`.
void take(tls::Stream& stream, Seen& seen);
/// "errSSLCertExpired", as far as the tests need names; else the number.
std::string code_text(const std::optional<Error>& failure);

/// Plain OpenSSL with memory on both sides.
class RawPeer {
public:
    RawPeer(SSL_CTX* context, bool is_server);
    void feed(ByteView bytes);
    Bytes output();
    /// Goes on with the handshake, then reads; what was read is in `data`.
    void run();
    SSL* ssl() { return ssl_.get(); }
    std::string data;

private:
    tls::SslPtr ssl_;
};

tls::ContextPtr raw_server_context(const Issued& identity, const std::vector<Issued>& chain = {});
tls::ContextPtr raw_client_context();

/// A change made to bytes on their way; may return other bytes.
using Relay = std::function<Bytes(Bytes)>;

/// Runs both ends until neither has anything more to say. `step`: bytes carried at once.
void connect(tls::Stream& client, Seen& client_seen, tls::Stream& server, Seen& server_seen,
             std::size_t step = 65536);
void connect(tls::Stream& ours, Seen& seen, RawPeer& peer, const Relay& to_ours = {},
             const Relay& to_peer = {});

/// The records in `bytes`, one by one; the last may be cut.
std::vector<Bytes> records_of(ByteView bytes);

}  // namespace causeway::test
