// Bytes: views, hexadecimal, base64, numbers in network order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace causeway {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }
inline void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

/// Lower case, two digits a byte, nothing between them.
std::string hex(ByteView bytes);
/// Nothing unless `text` is an even number of hexadecimal digits in either case.
std::optional<Bytes> from_hex(std::string_view text);

/// RFC 4648 section 4, padded.
std::string base64(ByteView bytes);
/// Nothing unless `text` is canonical base64, padded; no white space.
std::optional<Bytes> from_base64(std::string_view text);

/// Numbers in network order. The view must hold as many bytes as the number.
std::uint16_t big_endian_16(ByteView bytes);
std::uint32_t big_endian_32(ByteView bytes);
void put_big_endian_16(Bytes& to, std::uint16_t number);
void put_big_endian_32(Bytes& to, std::uint32_t number);

/// Compares without telling by the time it takes where the difference is.
bool equal_in_constant_time(ByteView a, ByteView b);

}  // namespace causeway
