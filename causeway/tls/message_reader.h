// The messages of a handshake, read field by field. Private to this layer.

#pragma once

#include "causeway/base/bytes.h"

#include <cstdint>
#include <optional>

namespace causeway::tls {

/// Reads from the front of a message; nothing once it is too short.
class MessageReader {
public:
    explicit MessageReader(ByteView bytes) : bytes_(bytes) {}

    std::optional<ByteView> take(std::size_t count) {
        if (bytes_.size() < count) return std::nullopt;
        const auto taken = bytes_.first(count);
        bytes_ = bytes_.subspan(count);
        return taken;
    }
    std::optional<std::uint8_t> take_8() {
        const auto taken = take(1);
        if (!taken) return std::nullopt;
        return std::to_integer<std::uint8_t>((*taken)[0]);
    }
    std::optional<std::uint16_t> take_16() {
        const auto taken = take(2);
        if (!taken) return std::nullopt;
        return big_endian_16(*taken);
    }
    std::optional<std::uint32_t> take_24() {
        const auto taken = take(3);
        if (!taken) return std::nullopt;
        return std::to_integer<std::uint32_t>((*taken)[0]) << 16 | big_endian_16(taken->subspan(1));
    }
    /// A length of 8 or 16 bits, then so many bytes.
    std::optional<ByteView> take_vector_8() {
        const auto size = take_8();
        return size ? take(*size) : std::nullopt;
    }
    std::optional<ByteView> take_vector_16() {
        const auto size = take_16();
        return size ? take(*size) : std::nullopt;
    }
    bool is_empty() const { return bytes_.empty(); }

private:
    ByteView bytes_;
};

/// The body of the first extension of that type; nothing when there is none, or something before it
/// cannot be read.
inline std::optional<ByteView> find_extension(ByteView extensions, std::uint16_t wanted) {
    MessageReader reader(extensions);
    while (!reader.is_empty()) {
        const auto type = reader.take_16();
        const auto body = reader.take_vector_16();
        if (!type || !body) return std::nullopt;
        if (*type == wanted) return body;
    }
    return std::nullopt;
}

}  // namespace causeway::tls
