// One client's TCP connection with TLS on it: carries bytes between a socket and tls::Stream.
//
// It knows nothing of HTTP or tunnels: its owner gets events and writes records. Buffers for
// reading belong to the thread, so that an idle connection costs only its TLS state.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/tls/stream.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace causeway::gateway {

class TlsTransport {
public:
    /// What the owner is told. None of these may destroy the transport.
    class Owner {
    public:
        virtual void on_event(const tls::Event& event) = 0;
        /// The channel or the socket failed; what is pending still leaves if the owner closes.
        virtual void on_failure(const Error& failure) = 0;
        /// All bytes of one reading turn were handed over.
        virtual void on_turn_end() = 0;
        /// It is over: everything was said, or the time for it has passed. The last call.
        virtual void on_over() = 0;

    protected:
        ~Owner() = default;
    };

    TlsTransport(EventLoop& loop, Fd socket, std::shared_ptr<const tls::Context> context,
                 Owner& owner);
    TlsTransport(const TlsTransport&) = delete;
    TlsTransport& operator=(const TlsTransport&) = delete;

    tls::Stream& stream() { return stream_; }

    /// Sends what the stream has pending, as far as the socket takes it.
    void flush();
    /// Sealed bytes that the socket has not taken.
    std::size_t backlog() const { return stream_.pending().size(); }
    /// Since when the socket has taken nothing though there was a backlog.
    std::optional<Instant> stalled_since() const { return stalled_since_; }

    /// Says goodbye: sends what is pending and close_notify, shuts down writing, reads until the
    /// other side ends too, at most `linger_time_limit` or `linger_size_limit`; then `on_over`.
    /// With `hears_on`, data that arrive meanwhile are still told.
    void close(bool hears_on = false);
    bool is_closing() const { return closing_; }

    /// Passes the time on to the stream, and ends a goodbye that takes too long.
    void advance(Instant now);
    std::optional<Instant> deadline() const;

private:
    void on_ready(std::uint32_t flags);
    void read_turn();
    bool read_once(std::size_t& taken);
    void take_events();
    void fail_with(const Error& failure);
    void want_writing(bool wanted);
    void shut_down_writing();
    void end();

    Fd socket_;
    Owner& owner_;
    tls::Stream stream_;
    EventLoop::Watch watch_;
    std::optional<Instant> stalled_since_;
    std::optional<Instant> closes_at_;
    std::size_t lingered_ = 0;
    bool wants_writing_ = false;
    bool failed_ = false;
    bool closing_ = false;
    bool hears_on_ = false;
    bool shut_down_ = false;
    bool over_ = false;
    bool peer_ended_ = false;
};

}  // namespace causeway::gateway
