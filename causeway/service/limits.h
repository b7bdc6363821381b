// What one program may ask of the service, and for how long, in one place.

#pragma once

#include "causeway/device/limits.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace causeway::service {

// Of one configuration: what the newest published version allows, or less where the layer below
// carries less.

inline constexpr std::size_t address_limit = std::min<std::size_t>(2000, device::address_limit);
/// Included and excluded together.
inline constexpr std::size_t route_limit = std::min<std::size_t>(10000, device::route_limit);
inline constexpr std::size_t dns_limit = std::min<std::size_t>(64, device::dns_server_limit);
inline constexpr std::size_t domain_limit = std::min<std::size_t>(64, device::dns_domain_limit);
inline constexpr std::size_t application_limit = 256;
inline constexpr std::size_t user_limit = 256;
inline constexpr std::size_t vpn_id_length_limit = 64;
inline constexpr std::size_t application_length_limit = 1024;
inline constexpr int mtu_smallest = device::mtu_smallest;
inline constexpr int mtu_smallest_ipv6 = device::mtu_smallest_ipv6;
inline constexpr int mtu_largest = 1500;
inline constexpr int mtu_standard = 1400;
/// Faults of one configuration that are told one by one; the others are counted.
inline constexpr std::size_t fault_limit = 50;

}  // namespace causeway::service
