// What the fuzz targets of sockets share: bytes with descriptors beside them, and none lost.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/fd.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace causeway::fuzz {

/// Two connected ends.
inline std::pair<Fd, Fd> connected() {
    std::array<int, 2> ends;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    return {Fd(ends[0]), Fd(ends[1])};
}

/// Sends the bytes with as many descriptors beside them, at most 32.
inline void send_piece(int socket, ByteView bytes, std::size_t descriptors) {
    // Not the socket itself: in flight it would stay open, and its end would never be seen.
    const Fd other(open("/dev/null", O_RDONLY | O_CLOEXEC));
    std::array<int, 32> numbers;
    numbers.fill(other.get());
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof numbers)> control{};
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    msghdr head{};
    head.msg_iov = &part;
    head.msg_iovlen = 1;
    if (descriptors > 0) {
        head.msg_control = control.data();
        head.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors);
        cmsghdr* item = CMSG_FIRSTHDR(&head);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(sizeof(int) * descriptors);
        std::memcpy(CMSG_DATA(item), numbers.data(), sizeof(int) * descriptors);
    }
    (void)sendmsg(socket, &head, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/// The lowest free number: it moves up when a descriptor is lost.
inline int next_descriptor() {
    const Fd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    return fd.get();
}

}  // namespace causeway::fuzz
