// What one tunnel may ask of this machine, in one place.

#pragma once

#include <cstddef>
#include <cstdint>

namespace causeway::device {

/// IFNAMSIZ without its terminator.
inline constexpr std::size_t interface_name_limit = 15;
inline constexpr int mtu_smallest = 576;
/// RFC 8200 section 5: every link that carries IPv6 carries 1280 bytes.
inline constexpr int mtu_smallest_ipv6 = 1280;
inline constexpr int mtu_largest = 65535;
inline constexpr std::size_t address_limit = 64;
inline constexpr std::size_t route_limit = 10000;  ///< Included and excluded, each.
inline constexpr std::size_t gateway_limit = 64;
inline constexpr std::size_t dns_server_limit = 16;
inline constexpr std::size_t dns_domain_limit = 256;  ///< Searched and split, each.
inline constexpr std::size_t domain_length_limit = 253;

/// Runs at a time on one machine; also the range of the numbers in marks and tables.
inline constexpr std::uint32_t run_limit = 999;

}  // namespace causeway::device
