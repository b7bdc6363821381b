#include "causeway/gateway/tls_transport.h"

#include "causeway/gateway/limits.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace causeway::gateway {
namespace {

/// One for all connections of a thread; what was read is dealt with before the next reading.
std::span<std::byte> read_buffer() {
    static thread_local const auto buffer = std::make_unique<std::array<std::byte, read_size>>();
    return *buffer;
}

tls::StreamSettings settings_now() {
    return {.server_name = {}, .now = Clock::now(), .wall_now = wall_now()};
}

}  // namespace

TlsTransport::TlsTransport(EventLoop& loop, Fd socket, std::shared_ptr<const tls::Context> context,
                           Owner& owner)
    : socket_(std::move(socket)),
      owner_(owner),
      stream_(std::move(context), settings_now()),
      watch_(loop.watch(socket_.get(), EPOLLIN, [this](std::uint32_t flags) { on_ready(flags); })) {
}

void TlsTransport::on_ready(std::uint32_t flags) {
    if ((flags & EPOLLOUT) != 0) flush();
    if (!over_ && (flags & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_turn();
}

void TlsTransport::read_turn() {
    std::size_t taken = 0;
    while (taken < read_turn_limit && read_once(taken)) {
    }
    if (over_) return;
    owner_.on_turn_end();
    flush();
}

bool TlsTransport::read_once(std::size_t& taken) {
    const auto buffer = read_buffer();
    const ssize_t count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    const int number = errno;
    if (count < 0 && (number == EAGAIN || number == EINTR)) return false;

    const auto now = Clock::now();
    if (closing_ && count > 0) {
        lingered_ += static_cast<std::size_t>(count);
        if (!hears_on_ && lingered_ > linger_size_limit) end();
        if (!hears_on_ || failed_) return !over_;
    }
    if (count > 0) {
        taken += static_cast<std::size_t>(count);
        stream_.feed(buffer.first(static_cast<std::size_t>(count)), now);
    } else {
        peer_ended_ = true;
        if (closing_) {
            end();
            return false;
        }
        if (count == 0) stream_.feed_end(now);
        if (count < 0) stream_.feed_reset(number, now);
    }
    take_events();
    // The end came in order, and nothing more will: whoever has not closed yet has no reason left.
    if (peer_ended_ && !failed_) close();
    // A short count means that the socket is empty: saves the call that would say so.
    return !over_ && !failed_ && count == static_cast<ssize_t>(buffer.size());
}

void TlsTransport::take_events() {
    while (!failed_ && !over_) {
        auto event = stream_.next();
        if (!event) return fail_with(event.error());
        if (!*event) return;
        owner_.on_event(**event);
    }
}

void TlsTransport::fail_with(const Error& failure) {
    if (failed_) return;
    failed_ = true;
    // Somebody who is being told goodbye cannot fail any more.
    if (!closing_) owner_.on_failure(failure);
}

void TlsTransport::flush() {
    if (over_) return;
    while (!stream_.pending().empty()) {
        const auto pending = stream_.pending();
        const ssize_t count = send(socket_.get(), pending.data(), pending.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            stalled_since_.reset();
            stream_.sent(static_cast<std::size_t>(count));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN) {
            if (!stalled_since_) stalled_since_ = Clock::now();
            return want_writing(true);
        }
        // The other side's last words may still wait in the socket: reading names the cause. With
        // nothing to be written any more, the loop reports readable or hung up.
        if (closing_) return end();
        stream_.sent(pending.size());
        return want_writing(false);
    }
    want_writing(false);
    if (closing_) shut_down_writing();
}

void TlsTransport::want_writing(bool wanted) {
    if (wanted == wants_writing_ || !watch_) return;
    wants_writing_ = wanted;
    watch_.want(wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void TlsTransport::close(bool hears_on) {
    if (closing_ || over_) return;
    closing_ = true;
    hears_on_ = hears_on;
    closes_at_ = Clock::now() + (hears_on ? replaced_time_limit : linger_time_limit);
    if (peer_ended_) {
        flush();
        return end();
    }
    if (!failed_ && !hears_on_) stream_.close();
    flush();
}

void TlsTransport::shut_down_writing() {
    // Who hears on keeps the channel open in both directions until its time is over: a client that
    // sees our end might drop what it was about to send.
    if (shut_down_ || hears_on_) return;
    shut_down_ = true;
    shutdown(socket_.get(), SHUT_WR);
}

void TlsTransport::end() {
    if (over_) return;
    over_ = true;
    watch_.reset();
    owner_.on_over();
}

void TlsTransport::advance(Instant now) {
    if (over_) return;
    if (closes_at_ && now >= *closes_at_) {
        if (hears_on_ && !failed_) {
            stream_.close();
            hears_on_ = false;
            flush();
        }
        return end();
    }
    stream_.advance(now);
    take_events();
    flush();
}

std::optional<Instant> TlsTransport::deadline() const {
    if (over_) return std::nullopt;
    if (closing_) return closes_at_;
    return stream_.deadline();
}

}  // namespace causeway::gateway
