// The answer to a packet that is larger than the way: ICMP "fragmentation needed" or ICMPv6 "packet
// too big", so that its sender learns the size and is never stuck.

#pragma once

#include "causeway/base/bytes.h"

#include <array>
#include <cstddef>
#include <span>

namespace causeway::datapath {

/// RFC 1812 section 4.3.2.3 allows 576 bytes for IPv4, RFC 4443 section 2.4 the least MTU of IPv6.
inline constexpr std::size_t icmp_too_big_limit = 1'280;

/// Writes the answer to `packet` (or to the super-packet whose header it has) to the front of `to`
/// and returns its size; `mtu` is what would have fitted, its IP header included (RFC 1191 section
/// 4, RFC 4443 section 3.2). It comes from the address that the packet was for: the only one that
/// the kernel surely expects from that side.
/// 0 when there must be no answer: to what is no packet, to ICMP errors, to fragments behind the
/// first, to and from many or nobody (RFC 1122 section 3.2.2, RFC 4443 section 2.4 e).
std::size_t write_icmp_too_big(ByteView packet, std::size_t mtu,
                               std::span<std::byte, icmp_too_big_limit> to);

}  // namespace causeway::datapath
