// Where the headers of an IP packet begin and end.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/datapath/counters.h"

#include <cstddef>
#include <cstdint>
#include <expected>

namespace causeway::datapath {

inline constexpr std::size_t ipv4_header_size = 20;  ///< Without options.
inline constexpr std::size_t ipv6_header_size = 40;
inline constexpr std::size_t tcp_header_size = 20;  ///< Without options.
inline constexpr std::size_t udp_header_size = 8;
inline constexpr std::uint8_t tcp_protocol = 6;
inline constexpr std::uint8_t udp_protocol = 17;

/// 4, 6, or what is neither. The packet has a first byte.
inline unsigned ip_version(ByteView packet) { return std::to_integer<unsigned>(packet[0]) >> 4; }

struct PacketLayout {
    bool is_v4 = true;
    std::uint8_t protocol = 0;  ///< What begins at `transport`.
    /// Behind IPv4 options and IPv6 extension headers. Where those are cut, too many or not to be
    /// looked behind (ESP), the offset of the first of them, which `protocol` names.
    std::size_t transport = 0;
    std::size_t length = 0;  ///< Of the packet, at most the size of what was looked at.
    bool is_fragment = false;
    bool is_later_fragment = false;  ///< Not the first: `transport` is the middle of something.

    ByteView addresses(ByteView packet) const {
        return is_v4 ? packet.subspan(12, 8) : packet.subspan(8, 32);
    }
};

/// `malformed` for the same as `parse_ip_header`.
std::expected<PacketLayout, Drop> layout_of(ByteView bytes);

}  // namespace causeway::datapath
