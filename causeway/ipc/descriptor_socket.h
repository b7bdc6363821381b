// Bytes with descriptors beside them over a Unix stream socket: what every protocol on one needs.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace causeway::ipc {

/// Connects to the socket at the path; it blocks until made otherwise. Fails with the errno:
/// ENAMETOOLONG, or that of socket(2) or connect(2).
Result<Fd> connect_to(const std::string& path);

/// Fails with the errno of fcntl(2).
Result<void> make_non_blocking(int socket);

/// What one read of a socket brought.
struct Arrival {
    std::size_t count = 0;  ///< Bytes; 0 when the other side has closed.
    bool is_incomplete =
        false;  ///< More descriptors came than there was room for: they are closed.
};

/// Reads what is there, and appends the descriptors that came with it, close-on-exec; nothing until
/// the socket is readable again. Fails with the errno of recvmsg(2).
Result<std::optional<Arrival>> receive(int socket, std::span<std::byte> into,
                                       std::vector<Fd>& descriptors);

/// What waits to be written, in order.
class SendQueue {
public:
    /// Descriptors go beside the first byte, and are closed here once they are sent.
    void push(Bytes bytes, std::vector<Fd> descriptors);
    /// Writes what the socket takes. Fails with the errno of sendmsg(2).
    Result<void> flush(int socket);

    bool is_empty() const { return waiting_.empty(); }
    /// Of everything that is not sent whole.
    std::size_t bytes() const { return bytes_; }

private:
    struct Piece {
        Bytes bytes;
        std::size_t sent = 0;
        std::vector<Fd> descriptors;
    };

    Result<bool> write_front(int socket);

    std::deque<Piece> waiting_;
    std::size_t bytes_ = 0;
};

}  // namespace causeway::ipc
