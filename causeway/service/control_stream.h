// Frames with descriptors beside them over a Unix stream socket: either end of the control socket.
//
//     byte   0   1   2   3    4 …
//            length (BE)      one JSON object, UTF-8       + descriptors by SCM_RIGHTS
//
// Exactly one frame is read at a time, so that a descriptor belongs to the frame whose bytes it
// came with, however the sender cut its stream. The sender need not announce it.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/ipc/descriptor_socket.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// One frame as it arrived: any text.
struct ControlFrame {
    std::string text;
    std::vector<Fd> descriptors;            ///< Close-on-exec.
    bool has_too_many_descriptors = false;  ///< Some were closed unseen.
};

/// Non-blocking; not for use by two threads. Every failure is a raw fact of the system domain and
/// latches: EPIPE (the other side closed between two frames), ECONNRESET (inside one), EMSGSIZE (a
/// length above `frame_limit`, refused before the text arrives), ENOBUFS (the other side does not
/// read), or the errno of the socket call.
class ControlStream {
public:
    /// Takes over a connected socket and makes it non-blocking.
    explicit ControlStream(Fd socket);

    int fd() const { return socket_.get(); }

    /// The next frame, or nothing until the socket is readable again.
    Result<std::optional<ControlFrame>> receive();
    /// Bytes of a frame that is not whole yet; 0 between two.
    std::size_t unfinished() const { return header_size_ + body_.size(); }

    /// Queues a frame and writes what the socket takes at once. The descriptors are closed here
    /// once they are sent.
    Result<void> send(std::string_view json, std::vector<Fd> descriptors = {});
    Result<void> flush();
    bool wants_write() const { return !queue_.is_empty(); }

private:
    Result<bool> read_some();
    void take(ByteView bytes);
    std::size_t missing() const;
    bool is_whole() const;
    std::unexpected<Error> latch(Error error);

    Fd socket_;
    std::array<std::byte, 4> header_{};
    std::size_t header_size_ = 0;
    std::string body_;
    std::vector<Fd> arrived_;
    bool has_too_many_ = false;
    ipc::SendQueue queue_;
    std::optional<Error> failure_;
};

}  // namespace causeway::service
