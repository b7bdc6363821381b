#include "causeway/ipc/descriptor_socket.h"

#include "causeway/ipc/limits.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace causeway::ipc {
namespace {

constexpr std::size_t control_size = CMSG_SPACE(sizeof(int) * descriptor_limit);

/// Takes every descriptor out of what recvmsg delivered, so that none leaks whatever follows.
void collect_descriptors(msghdr& head, std::vector<Fd>& into) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&head); part; part = CMSG_NXTHDR(&head, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int number;
            std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
            into.emplace_back(number);
        }
    }
}

void attach_descriptors(msghdr& head, std::span<std::byte> control, std::span<const Fd> fds) {
    head.msg_control = control.data();
    head.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    cmsghdr* part = CMSG_FIRSTHDR(&head);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    for (std::size_t i = 0; i < fds.size(); ++i) {
        const int number = fds[i].get();
        std::memcpy(CMSG_DATA(part) + i * sizeof number, &number, sizeof number);
    }
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

Result<Fd> connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return std::unexpected(system_error(ENAMETOOLONG, "connect"));
    std::memcpy(address.sun_path, path.data(), path.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return std::unexpected(system_error(errno, "socket"));
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return std::unexpected(system_error(errno, "connect"));
    return socket;
}

Result<void> make_non_blocking(int socket) {
    const int flags = fcntl(socket, F_GETFL);
    if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) < 0)
        return std::unexpected(system_error(errno, "fcntl"));
    return {};
}

Result<std::optional<Arrival>> receive(int socket, std::span<std::byte> into,
                                       std::vector<Fd>& descriptors) {
    alignas(cmsghdr) std::array<std::byte, control_size> control;
    iovec part{into.data(), into.size()};
    msghdr head{};
    head.msg_iov = &part;
    head.msg_iovlen = 1;
    head.msg_control = control.data();
    head.msg_controllen = control.size();

    ssize_t count = -1;
    do count = recvmsg(socket, &head, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count < 0 && would_block()) return std::nullopt;
    if (count < 0) return std::unexpected(system_error(errno, "recvmsg"));
    collect_descriptors(head, descriptors);
    return Arrival{static_cast<std::size_t>(count), (head.msg_flags & MSG_CTRUNC) != 0};
}

void SendQueue::push(Bytes bytes, std::vector<Fd> descriptors) {
    bytes_ += bytes.size();
    waiting_.push_back({std::move(bytes), 0, std::move(descriptors)});
}

Result<void> SendQueue::flush(int socket) {
    while (!waiting_.empty()) {
        auto more = write_front(socket);
        if (!more) return pass(more);
        if (!*more) break;
    }
    return {};
}

/// Writes what the socket takes of the oldest piece; false when it is full.
Result<bool> SendQueue::write_front(int socket) {
    Piece& out = waiting_.front();
    alignas(cmsghdr) std::array<std::byte, control_size> control{};
    iovec part{out.bytes.data() + out.sent, out.bytes.size() - out.sent};
    msghdr head{};
    head.msg_iov = &part;
    head.msg_iovlen = 1;
    if (!out.descriptors.empty()) attach_descriptors(head, control, out.descriptors);

    const auto count = sendmsg(socket, &head, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) return true;
    if (count < 0 && would_block()) return false;
    if (count < 0) return std::unexpected(system_error(errno, "sendmsg"));

    out.descriptors.clear();
    out.sent += static_cast<std::size_t>(count);
    if (out.sent < out.bytes.size()) return true;
    bytes_ -= out.bytes.size();
    waiting_.pop_front();
    return true;
}

}  // namespace causeway::ipc
