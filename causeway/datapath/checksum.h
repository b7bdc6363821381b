// The Internet checksum (RFC 1071), as fast as memory is read.

#pragma once

#include "causeway/base/bytes.h"

#include <cstdint>
#include <span>

namespace causeway::datapath {

/// The one's complement sum of two such sums.
constexpr std::uint16_t add_sums(std::uint16_t a, std::uint16_t b) {
    const std::uint32_t sum = std::uint32_t{a} + b;
    return static_cast<std::uint16_t>((sum & 0xffff) + (sum >> 16));
}

/// The one's complement sum of `bytes` as 16-bit numbers in network order, not inverted; an odd
/// last byte is the upper half of a number. 0xffff for a range that holds its own right checksum.
std::uint16_t internet_sum(ByteView bytes);

/// The sum of an IPv4 or IPv6 pseudo-header without the length (RFC 9293 section 3.1, RFC 8200
/// section 8.1). `addresses`: source and destination, 8 or 32 bytes.
std::uint16_t pseudo_header_sum(ByteView addresses, std::uint8_t protocol);

/// Writes a number in network order over the first two bytes of `to`.
inline void write_16(std::span<std::byte> to, std::size_t number) {
    to[0] = static_cast<std::byte>(number >> 8);
    to[1] = static_cast<std::byte>(number);
}
inline void write_32(std::span<std::byte> to, std::uint32_t number) {
    write_16(to, number >> 16);
    write_16(to.subspan(2), number);
}

/// Writes the checksum of an IPv4 header over its field.
void write_header_checksum(std::span<std::byte> header);

}  // namespace causeway::datapath
