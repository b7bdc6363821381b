// What the other side, or the kernel, may hand to the data path at most.

#pragma once

#include <cstddef>

namespace causeway::datapath {

/// Headers of one inner packet, IP to transport, that a super-packet may have: an IPv6 header,
/// several extension headers and 60 bytes of TCP. The kernel segments what has more by itself.
inline constexpr std::size_t inner_header_limit = 512;

/// IPv6 extension headers that are walked to find the transport.
inline constexpr int extension_header_limit = 8;

/// Datagrams in one train: what UDP_SEGMENT takes, and a TUN as one super-packet (UDP_MAX_SEGMENTS
/// of the kernel, which was 64 before it became 128).
inline constexpr std::size_t train_segment_limit = 64;

/// Bytes in one train: the largest payload of a UDP datagram over IPv4.
inline constexpr std::size_t train_size_limit = 65'507;

}  // namespace causeway::datapath
