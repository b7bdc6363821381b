#include "causeway/service/control_stream.h"

#include "causeway/ipc/frame.h"
#include "causeway/service/limits.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace causeway::service {
namespace {

constexpr std::size_t piece_size = 64 * 1024;
constexpr std::size_t control_size = CMSG_SPACE(sizeof(int) * descriptor_limit);

Error last_error(const char* call) { return system_error(errno, call); }

Error closed_between_frames() {
    return system_error(EPIPE, "recvmsg", "the other side closed the connection");
}

Error closed_inside_a_frame() {
    return system_error(ECONNRESET, "recvmsg",
                        "the other side closed the connection inside a frame");
}

Error too_long(std::size_t size) {
    return system_error(EMSGSIZE, "frame",
                        fmt::format("a frame of {} bytes, limit {}", size, frame_limit));
}

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

ControlStream::ControlStream(Fd socket) : socket_(std::move(socket)) {
    const int flags = fcntl(socket_.get(), F_GETFL);
    if (flags < 0 || fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK) < 0)
        failure_ = last_error("fcntl");
}

std::unexpected<Error> ControlStream::latch(Error error) {
    return std::unexpected(failure_.emplace(std::move(error)));
}

/// What may be read without touching the next frame.
std::size_t ControlStream::missing() const {
    if (header_size_ < header_.size()) return header_.size() - header_size_;
    return big_endian_32(header_) - body_.size();
}

bool ControlStream::is_whole() const { return header_size_ == header_.size() && missing() == 0; }

void ControlStream::take(ByteView bytes) {
    if (header_size_ == header_.size()) {
        body_ += as_text(bytes);
        return;
    }
    std::ranges::copy(bytes, header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
    header_size_ += bytes.size();
}

Result<std::optional<ControlFrame>> ControlStream::receive() {
    if (failure_) return std::unexpected(*failure_);
    while (!is_whole()) {
        auto more = read_some();
        if (!more) return pass(more);
        if (!*more) return std::nullopt;
        if (header_size_ == header_.size() && big_endian_32(header_) > frame_limit)
            return latch(too_long(big_endian_32(header_)));
    }
    header_size_ = 0;
    return ControlFrame{std::exchange(body_, {}), std::exchange(arrived_, {}),
                        std::exchange(has_too_many_, false)};
}

Result<bool> ControlStream::read_some() {
    std::array<std::byte, piece_size> buffer;
    alignas(cmsghdr) std::array<std::byte, control_size> control;
    iovec part{buffer.data(), std::min(missing(), buffer.size())};
    msghdr head{};
    head.msg_iov = &part;
    head.msg_iovlen = 1;
    head.msg_control = control.data();
    head.msg_controllen = control.size();

    const auto count = recvmsg(socket_.get(), &head, MSG_CMSG_CLOEXEC);
    if (count < 0 && errno == EINTR) return true;
    if (count < 0 && would_block()) return false;
    if (count < 0) return latch(last_error("recvmsg"));

    collect_descriptors(head, arrived_);
    if ((head.msg_flags & MSG_CTRUNC) != 0 || arrived_.size() > descriptor_limit) {
        has_too_many_ = true;
        arrived_.clear();
    }
    if (count == 0)
        return latch(unfinished() == 0 ? closed_between_frames() : closed_inside_a_frame());
    take(ByteView(buffer).first(static_cast<std::size_t>(count)));
    return true;
}

Result<void> ControlStream::send(std::string_view json, std::vector<Fd> descriptors) {
    // Whoever has sent what cannot be read can still be told so.
    if (json.size() > frame_limit) return std::unexpected(too_long(json.size()));
    if (queued_bytes_ + json.size() > unread_limit)
        return latch(system_error(
            ENOBUFS, "send",
            fmt::format("the other side does not read: {} bytes wait for it", queued_bytes_)));
    queue_.push_back({ipc::frame(json), 0, std::move(descriptors)});
    queued_bytes_ += queue_.back().bytes.size();
    return flush();
}

Result<void> ControlStream::flush() {
    while (!queue_.empty()) {
        auto more = write_front();
        if (!more) return pass(more);
        if (!*more) break;
    }
    return {};
}

/// Writes what the socket takes of the oldest frame; false when it is full.
Result<bool> ControlStream::write_front() {
    Outgoing& out = queue_.front();
    alignas(cmsghdr) std::array<std::byte, control_size> control{};
    iovec part{out.bytes.data() + out.sent, out.bytes.size() - out.sent};
    msghdr head{};
    head.msg_iov = &part;
    head.msg_iovlen = 1;
    if (!out.descriptors.empty()) attach_descriptors(head, control, out.descriptors);

    const auto count = sendmsg(socket_.get(), &head, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) return true;
    if (count < 0 && would_block()) return false;
    // Not latched: what the other side said before it went away can still be read.
    if (count < 0) return std::unexpected(last_error("sendmsg"));

    out.descriptors.clear();
    out.sent += static_cast<std::size_t>(count);
    if (out.sent < out.bytes.size()) return true;
    queued_bytes_ -= out.bytes.size();
    queue_.pop_front();
    return true;
}

}  // namespace causeway::service
