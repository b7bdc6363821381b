// How much a stranger may cost the gateway, and for how long. Every limit of its runtime is here;
// those an operator sets are in the configuration.

#pragma once

#include <chrono>
#include <cstddef>

namespace causeway::gateway {

// Time. The TLS handshake has its own limit of 10 s (tls::ServerSettings).

/// From the first byte of a request to its last: what cuts those who drip.
inline constexpr auto request_time_limit = std::chrono::seconds(10);
/// Between two requests, while a person looks for a password.
inline constexpr auto thinking_time_limit = std::chrono::seconds(120);
/// A client that takes nothing of what it is sent.
inline constexpr auto stalled_time_limit = std::chrono::seconds(20);
/// How long one that is told goodbye may take to read it.
inline constexpr auto linger_time_limit = std::chrono::seconds(1);
/// How long a transport that was replaced may still bring packets that were under way.
inline constexpr auto replaced_time_limit = std::chrono::seconds(1);
/// From SIGTERM to the end.
inline constexpr auto shutdown_time_limit = std::chrono::seconds(3);

// Size

/// Bytes of the configuration file.
inline constexpr std::size_t config_size_limit = 1024 * 1024;
/// Requests on one connection.
inline constexpr int request_count_limit = 64;
/// Bytes read from one connection before the others have their turn.
inline constexpr std::size_t read_turn_limit = 256 * 1024;
/// Bytes read at once, into one buffer of the thread.
inline constexpr std::size_t read_size = 64 * 1024;
/// Sealed bytes that wait for a client's socket; packets beyond are dropped and counted.
inline constexpr std::size_t backlog_limit = 64 * 1024;
/// Bytes that are read of a client that was told goodbye.
inline constexpr std::size_t linger_size_limit = 64 * 1024;
/// Connections of banned addresses that are told why at the same time; others are closed.
inline constexpr std::size_t banned_told_limit = 64;
/// Logins that wait for their next request without a connection of their own.
inline constexpr std::size_t waiting_login_limit = 16384;
/// Packets that wait in one shard for another, per shard.
inline constexpr std::size_t handover_limit = 4096;
/// Datagram handshakes under way, per shard, and of one session.
inline constexpr std::size_t handshake_limit = 1024;
inline constexpr int handshakes_of_session_limit = 4;
/// Datagrams read from one socket before the others have their turn, and at most a train more: six
/// trains, or as many that come one by one as make a few super-packets.
inline constexpr std::size_t datagrams_a_turn = 256;
/// Records from a source that no shard knows which are tried, a second and shard, and with how many
/// sessions of that address each.
inline constexpr int stray_limit = 200;
inline constexpr std::size_t stray_session_limit = 8;
/// Clients of the control socket at once.
inline constexpr std::size_t control_client_limit = 16;

}  // namespace causeway::gateway
