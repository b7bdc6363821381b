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

// Of the control socket; docs/control-protocol.md names them all.

/// Bytes of JSON in one frame, either way. The largest configuration has about two million.
inline constexpr std::size_t frame_limit = std::size_t{4} * 1024 * 1024;
/// Objects and lists inside one another, values in all, fields of one object, bytes of one text.
inline constexpr std::size_t depth_limit = 12;
inline constexpr std::size_t value_limit = 250'000;
inline constexpr std::size_t field_limit = 32;
inline constexpr std::size_t text_limit = 4096;
/// Descriptors that are taken with one frame; those beyond are closed unseen.
inline constexpr std::size_t descriptor_limit = 4;
/// From the first byte of a frame to its last.
inline constexpr auto frame_time_limit = std::chrono::seconds(10);
/// Connections of one user, and of all but root, who always finds a place.
inline constexpr std::size_t connection_limit_of_user = 32;
inline constexpr std::size_t connection_limit = 256;
inline constexpr std::size_t connection_limit_of_root = 256;
/// Bytes of unfinished frames of one user.
inline constexpr std::size_t unfinished_limit_of_user = std::size_t{16} * 1024 * 1024;
/// Bytes that wait for a program that does not read.
inline constexpr std::size_t unread_limit = std::size_t{8} * 1024 * 1024;

// Of the D-Bus; docs/dbus.md names them all. A user's connections are limited as those of the
// socket.

/// Messages that are read before the others have their turn.
inline constexpr int bus_messages_a_turn = 16;
/// Callers about whom the bus is being asked, and calls of one of them that wait meanwhile.
inline constexpr std::size_t bus_question_limit = 256;
inline constexpr std::size_t bus_waiting_limit = 16;
/// For the bus to say who a caller is.
inline constexpr auto bus_time_limit = std::chrono::seconds(10);
/// For the authority to decide: it may ask a person.
inline constexpr auto authority_time_limit = std::chrono::seconds(120);

// Of the sessions.

/// With a vpnId, at a time.
inline constexpr std::size_t vpn_limit = 20;
/// Lockdowns of sessions, of those too that their programs left behind: each is a table that
/// packets are held against.
inline constexpr std::size_t lockdown_limit = 32;
/// Incidents that can be asked for again.
inline constexpr std::size_t incident_limit = 256;
/// Connections that are accepted before the others have their turn.
inline constexpr int connections_a_turn = 64;
/// Frames of one connection before the others have their turn.
inline constexpr int frames_a_turn = 4;
/// What the keeper may take for name servers: resolvers are other programs.
inline constexpr auto keeper_time_limit = std::chrono::seconds(10);
/// From SIGTERM to the end.
inline constexpr auto shutdown_time_limit = std::chrono::seconds(15);

}  // namespace causeway::service
