// What one tunnel may ask of this machine, in one place.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace causeway::device {

/// IFNAMSIZ without its terminator.
inline constexpr std::size_t interface_name_limit = 15;
inline constexpr int mtu_smallest = 576;
/// RFC 8200 section 5: every link that carries IPv6 carries 1280 bytes.
inline constexpr int mtu_smallest_ipv6 = 1280;
inline constexpr int mtu_largest = 65535;
inline constexpr std::size_t address_limit = 2000;
inline constexpr std::size_t route_limit = 10000;  ///< Included and excluded, each.
inline constexpr std::size_t gateway_limit = 64;
inline constexpr std::size_t lan_limit = 64;
/// Ranges: each is a rule that every packet is held against.
inline constexpr std::size_t user_range_limit = 64;
inline constexpr std::size_t application_limit = 256;
/// How long a portal may be reached.
inline constexpr std::chrono::minutes portal_limit{5};
inline constexpr std::size_t dns_server_limit = 64;
/// Of those in a resolver's file: the C library looks at no more (MAXNS in resolv.h).
inline constexpr std::size_t resolver_file_server_limit = 3;
inline constexpr std::size_t dns_domain_limit = 256;  ///< Searched and split, each.
inline constexpr std::size_t domain_length_limit = 253;

/// What waits in a TUN for its reader, at most: packets or super-packets of up to 60 KB. Enough for
/// the 47 fragments of the largest datagram, since the kernel gives places back 16 at a time; its
/// own choice of 500 would be 30 MB, and a longer way through every cache. docs/queues.md has the
/// figures.
inline constexpr std::uint32_t tun_queue_length = 64;
/// The same for a gateway's: it reads between its clients, and what a thousand of them get at the
/// same time must find room until then. A full queue drops whatever comes next, so with fewer
/// places than clients some get nothing: whoever is served fills the place anew.
inline constexpr std::uint32_t shared_tun_queue_length = 1024;
/// One super-packet of the TUN becomes one train of datagrams: 44 of 1472 bytes are below the
/// 65,507 that UDP takes, 45 are above. The kernel takes 321 bytes off for its own headers before
/// it divides by the segment size: 1382 over IPv4, 1362 over IPv6. A train has at most 64.
inline constexpr std::uint32_t super_packet_size = 61'300;
inline constexpr std::uint32_t super_packet_segments = 64;

/// Runs at a time on one machine; also the range of the numbers in marks and tables.
inline constexpr std::uint32_t run_limit = 999;

}  // namespace causeway::device
