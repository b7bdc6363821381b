// How large a packet inside a datagram may be, and how large a datagram of a packet is.
//
//     | IP 20 or 40 | UDP 8 | record header, nonce, tag (overhead) | type 1 | packet |

#pragma once

#include "causeway/base/address.h"

namespace causeway::protocol {

inline constexpr int udp_header_size = 8;
inline constexpr int payload_type_size = 1;

/// Of the outer header, without options or extension headers.
constexpr int ip_header_size(Family family) { return family == Family::ipv4 ? 20 : 40; }

/// The largest packet that one datagram carries: over a link of `link_mtu` bytes, in a record that
/// is `record_overhead` bytes larger than its payload (37 with AES-GCM, 29 with ChaCha20-Poly1305).
/// 0 when nothing fits.
int tunnel_mtu(int link_mtu, Family outer, int record_overhead);

/// The same for suites with CBC and HMAC-SHA1, whose records are padded to 16 bytes: header 13, IV
/// 16, MAC 20, padding of at least 1.
int tunnel_mtu_of_cbc(int link_mtu, Family outer);

}  // namespace causeway::protocol
