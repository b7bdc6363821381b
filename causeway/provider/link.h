// One TLS connection on the event loop: a socket below, a tls::Stream in it, and nothing lost at
// the end: the last words of both sides are sent and read.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/error/error.h"
#include "causeway/provider/connector.h"
#include "causeway/tls/stream.h"

#include <functional>
#include <memory>
#include <span>
#include <variant>

namespace causeway::provider {

/// The handshake is complete.
struct LinkReady {};
/// Plaintext, all that came at once. Lasts until the handler returns.
struct LinkData {
    ByteView bytes;
};
/// The keys have been changed.
struct LinkRekeyed {};
/// The peer refuses new keys (no_renegotiation).
struct LinkRekeyRefused {};
/// The end, for the reason given: a code of the channel. Told once; nothing follows.
struct LinkEnded {
    Error why;
};
using LinkEvent = std::variant<LinkReady, LinkData, LinkRekeyed, LinkRekeyRefused, LinkEnded>;

/// Events come from the loop, never from inside a call of this class; the handler may destroy the
/// link or replace itself.
class Link {
public:
    using Handler = std::move_only_function<void(LinkEvent)>;

    /// `server_name`: the name or address the certificate must be for.
    Link(EventLoop& loop, Connection connection, std::shared_ptr<const tls::Context> context,
         const std::string& server_name, Handler handler);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    void set_handler(Handler handler);

    /// Seals each view as one record and sends what the socket takes; the rest follows by itself.
    /// A failure comes as LinkEnded.
    void write(std::span<const ByteView> plaintexts);
    void write(ByteView plaintext) { write(std::span(&plaintext, 1)); }
    void rekey();

    /// Bytes that wait for the socket.
    std::size_t backlog() const;
    /// Called once, as soon as the backlog is gone.
    void when_drained(EventLoop::Action action);

    /// Says close_notify, shuts down writing and reads on until the peer closes, but no longer than
    /// `linger_time`. Then calls `closed`. No event follows.
    void close(EventLoop::Action closed);

    /// See tls::Stream::export_keying_material.
    Result<Bytes> export_key(std::string_view label, std::size_t size) const;
    const tls::Summary& summary() const;
    const tls::Facts& facts() const;
    const Endpoint& remote() const;
    int socket() const;

private:
    class Work;
    std::shared_ptr<Work> work_;
};

}  // namespace causeway::provider
