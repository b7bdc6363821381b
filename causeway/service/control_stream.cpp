#include "causeway/service/control_stream.h"

#include "causeway/ipc/frame.h"
#include "causeway/ipc/limits.h"
#include "causeway/service/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <span>

namespace causeway::service {
namespace {

constexpr std::size_t piece_size = 64 * 1024;
static_assert(descriptor_limit <= ipc::descriptor_limit);

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

}  // namespace

ControlStream::ControlStream(Fd socket) : socket_(std::move(socket)) {
    if (auto done = ipc::make_non_blocking(socket_.get()); !done)
        failure_ = std::move(done).error();
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
    auto arrival = ipc::receive(
        socket_.get(), std::span(buffer).first(std::min(missing(), buffer.size())), arrived_);
    if (!arrival) return latch(std::move(arrival).error());
    if (!*arrival) return false;
    if ((*arrival)->is_incomplete || arrived_.size() > descriptor_limit) {
        has_too_many_ = true;
        arrived_.clear();
    }
    const auto count = (*arrival)->count;
    if (count == 0)
        return latch(unfinished() == 0 ? closed_between_frames() : closed_inside_a_frame());
    take(ByteView(buffer).first(count));
    return true;
}

Result<void> ControlStream::send(std::string_view json, std::vector<Fd> descriptors) {
    // Whoever has sent what cannot be read can still be told so.
    if (json.size() > frame_limit) return std::unexpected(too_long(json.size()));
    if (queue_.bytes() + json.size() > unread_limit)
        return latch(system_error(
            ENOBUFS, "send",
            fmt::format("the other side does not read: {} bytes wait for it", queue_.bytes())));
    queue_.push(ipc::frame(json), std::move(descriptors));
    return flush();
}

// A failure to write does not latch: what the other side said before it went away can still be
// read.
Result<void> ControlStream::flush() { return queue_.flush(socket_.get()); }

}  // namespace causeway::service
