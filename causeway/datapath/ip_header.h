// What routing needs to know of an IP packet: who sent it, to whom, how long it is.

#pragma once

#include "causeway/base/address.h"
#include "causeway/datapath/counters.h"

#include <cstdint>
#include <expected>

namespace causeway::datapath {

struct IpHeader {
    IpAddress source;
    IpAddress destination;
    std::uint8_t protocol = 0;    ///< IPv4 protocol or IPv6 next header.
    std::size_t header_size = 0;  ///< With IPv4 options, without IPv6 extension headers.
    std::size_t length = 0;       ///< Of the packet, at most the size of what was parsed.
};

/// The header of the packet that begins `bytes`, or why it is none: always `malformed`, for a
/// version other than 4 and 6, a header that is cut, or lengths that do not fit (RFC 791 section
/// 3.1, RFC 8200 section 3). Checksums are not verified: the kernel does that.
std::expected<IpHeader, Drop> parse_ip_header(ByteView bytes);

}  // namespace causeway::datapath
