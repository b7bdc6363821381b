#include "causeway/ipc/frame.h"

#include "causeway/ipc/limits.h"

#include <fmt/format.h>

#include <cerrno>
#include <nlohmann/json.hpp>

namespace causeway::ipc {
namespace {

constexpr std::size_t header_size = 4;

Error not_an_object(std::string_view text) {
    return system_error(EBADMSG, "json",
                        fmt::format("a message of {} bytes is not a JSON object", text.size()));
}

Error too_long(std::size_t size) {
    return system_error(EMSGSIZE, "frame",
                        fmt::format("a message of {} bytes, limit {}", size, message_limit));
}

bool is_object(std::string_view text) {
    // The parser takes white space in front; a message of ours never has any.
    return text.starts_with('{') && nlohmann::json::accept(text);
}

}  // namespace

Bytes frame(std::string_view json) {
    Bytes bytes;
    bytes.reserve(header_size + json.size());
    put_big_endian_32(bytes, static_cast<std::uint32_t>(json.size()));
    append(bytes, as_bytes(json));
    return bytes;
}

void FrameReader::feed(ByteView bytes) {
    if (failure_) return;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(consumed_));
    consumed_ = 0;
    append(buffer_, bytes);
}

Result<std::optional<std::string>> FrameReader::next() {
    if (failure_) return std::unexpected(*failure_);
    const auto waiting = ByteView(buffer_).subspan(consumed_);
    if (waiting.size() < header_size) return std::nullopt;

    const std::size_t size = big_endian_32(waiting.first(header_size));
    if (size > message_limit) return std::unexpected(failure_.emplace(too_long(size)));
    if (waiting.size() - header_size < size) return std::nullopt;

    std::string text(as_text(waiting.subspan(header_size, size)));
    if (!is_object(text)) return std::unexpected(failure_.emplace(not_an_object(text)));
    consumed_ += header_size + size;
    return text;
}

}  // namespace causeway::ipc
