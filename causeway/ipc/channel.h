// A channel between two of our processes: JSON objects and descriptors over a Unix stream socket.
//
// Each message is one JSON object behind its length (frame.h). Descriptors travel beside the first
// bytes of their message, which announces their number in its member "descriptors"; the channel
// writes and checks that member itself.
//
//     {"type": "protect", "descriptors": 1, "ask": 7}   + 1 descriptor
//     {"type": "protected", "answer": 7}

#pragma once

#include "causeway/base/clock.h"
#include "causeway/base/fd.h"
#include "causeway/ipc/descriptor_socket.h"
#include "causeway/ipc/frame.h"

#include <sys/types.h>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace causeway::ipc {

/// One message as it arrived.
struct Message {
    std::string text;             ///< A JSON object, checked.
    std::vector<Fd> descriptors;  ///< As many as it announced, close-on-exec.

    /// The object. Its members are the peer's words: their types are yet to be checked.
    nlohmann::json json() const;
};

/// One end of a channel. Non-blocking, but for `ask`. Not for use by two threads.
///
/// Every failure is a raw fact of the system domain, for the caller to say whose process it was:
/// EPIPE (the peer closed between messages: `is_closed`), ECONNRESET (it closed inside one),
/// EMSGSIZE, EBADMSG (garbage, descriptors missing or unannounced), ENOBUFS (it does not read and
/// the queue is full), ETIMEDOUT (`ask`), or the errno of the socket call. The first one latches.
class Channel {
public:
    /// Takes over a connected Unix stream socket and makes it non-blocking.
    explicit Channel(Fd socket);
    Channel(Channel&&) noexcept = default;
    Channel& operator=(Channel&&) noexcept = default;

    /// Two connected ends, close-on-exec.
    static Result<std::pair<Channel, Channel>> pair();

    /// The socket, for waiting: EPOLLIN always, EPOLLOUT while `wants_write`.
    int fd() const { return socket_.get(); }

    /// The next message, or nothing until the socket is readable again. Call until nothing comes.
    Result<std::optional<Message>> receive();

    /// Queues a message and writes what the socket takes at once. `body` must be an object; text in
    /// it that is not UTF-8 is replaced. The descriptors are closed here once they are sent.
    Result<void> send(const nlohmann::json& body, std::vector<Fd> descriptors = {});
    /// Writes more of what is queued.
    Result<void> flush();
    bool wants_write() const { return !queue_.is_empty(); }
    /// Waits until everything queued is written.
    Result<void> drain(Clock::duration timeout);

    /// Sends a question and waits for its answer. Messages that arrive meanwhile are kept: call
    /// `receive` afterwards until nothing comes, the socket does not announce them again.
    Result<Message> ask(const nlohmann::json& body, std::vector<Fd> descriptors,
                        Clock::duration timeout);
    /// Sends the answer to a question that was received.
    Result<void> answer(const Message& question, const nlohmann::json& body,
                        std::vector<Fd> descriptors = {});

    /// True after the peer closed between two messages.
    bool is_closed() const { return closed_; }

private:
    Result<std::optional<Message>> next_arrived();
    Result<bool> read_some();
    Result<std::optional<Message>> take();
    Result<Message> await_answer(std::uint64_t number, Instant until);
    Result<void> wait_for(short events, Instant until);
    std::unexpected<Error> latch(Error error);

    Fd socket_;
    FrameReader reader_;
    std::vector<Fd> arrived_;
    std::deque<Message> kept_;
    SendQueue queue_;
    std::uint64_t asked_ = 0;
    bool closed_ = false;
    std::optional<Error> failure_;
};

/// Who is at the other end.
struct PeerCredentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/// The credentials the peer had when it connected. Fails with the errno of getsockopt(2).
Result<PeerCredentials> peer_credentials(int socket);

}  // namespace causeway::ipc
