// The channel between our processes, from any bytes with any number of descriptors beside them: the
// stream means the same however it is cut, nothing but objects comes out, no descriptor is lost.
//
//     byte 0: how long the pieces are      byte 1: descriptors with the first piece
//     the rest: the stream

#include "causeway/base/bytes.h"
#include "causeway/ipc/channel.h"
#include "causeway/ipc/frame.h"
#include "causeway/ipc/limits.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace {

using namespace causeway;

/// The texts of a stream in pieces, and the errno that ended it.
std::string read_frames(ByteView stream, std::size_t step) {
    ipc::FrameReader reader;
    std::string story;
    for (std::size_t at = 0; at < stream.size(); at += step) {
        reader.feed(stream.subspan(at, std::min(step, stream.size() - at)));
        while (true) {
            auto text = reader.next();
            if (!text) return story + std::string(text.error().fact("errno"));
            if (!*text) break;
            story += **text + "\n";
        }
    }
    return story;
}

void send_piece(int socket, ByteView bytes, std::size_t descriptors) {
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

/// Reads until the end; every message must be an object with the descriptors it announced.
void read_channel(ByteView stream, std::size_t descriptors) {
    std::array<int, 2> ends;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    ipc::Channel channel{Fd(ends[0])};
    Fd peer(ends[1]);
    send_piece(peer.get(), stream, descriptors);
    peer.reset();
    while (auto message = channel.receive()) {
        if (!*message) std::abort();
        if ((*message)->text.front() != '{') std::abort();
        if ((*message)->descriptors.size() > ipc::descriptor_limit) std::abort();
    }
}

/// The lowest free number: it moves up when a descriptor is lost.
int next_descriptor() {
    const Fd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    return fd.get();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto stream = bytes.subspan(2);
    const std::size_t step = std::max<std::size_t>(data[0], 1);
    if (read_frames(stream, step) != read_frames(stream, stream.size() + 1)) std::abort();

    const int before = next_descriptor();
    read_channel(stream, data[1] % 32);
    if (next_descriptor() != before) std::abort();
    return 0;
}
