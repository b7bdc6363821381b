// Every limit of the secure channel in one place.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace causeway::tls {

/// RFC 8446 section 5.1: data of one record.
inline constexpr std::size_t record_payload_limit = 16384;
/// RFC 5246 section 6.2.3 and RFC 8446 section 5.2: what a record may announce, before TLS 1.3 is
/// agreed and after.
inline constexpr std::size_t record_limit = record_payload_limit + 2048;
inline constexpr std::size_t record_limit_1_3 = record_payload_limit + 256;
/// What sealing adds to a record with the suites offered here: header, nonce, tag; CBC adds more.
inline constexpr std::size_t record_overhead = 5 + 8 + 16 + 1;
/// All certificates of a peer together, as they come in the handshake.
inline constexpr std::size_t peer_chain_limit = 100 * 1024;
/// Certificates in one text of PEM, and in a path from a leaf to its root.
inline constexpr std::size_t certificate_limit = 1000;
inline constexpr int path_limit = 10;
/// Issuer names of a certificate request that are kept.
inline constexpr std::size_t issuer_limit = 200;
/// What is kept of a peer that does not speak TLS: for the evidence, and to find a Location line.
inline constexpr std::size_t foreign_limit = 2048;
inline constexpr std::size_t first_bytes_limit = 16;
/// What may be written while a renegotiation is under way.
inline constexpr std::size_t held_limit = 1024 * 1024;

/// Datagrams of a DTLS handshake: the least room that its messages need, and the most that is used
/// of what there is: OpenSSL collects a flight in a buffer of that size.
inline constexpr std::size_t datagram_smallest = 256;
inline constexpr std::size_t datagram_largest = 4096;
/// RFC 4279 section 5.3 wants 64 bytes of key at least to be possible.
inline constexpr std::size_t shared_key_limit = 64;
/// Datagrams that wait to be sent; more are dropped, as a full network would.
inline constexpr std::size_t datagram_queue_limit = 64;
/// How often the last flight of a handshake is sent again because the peer asks, and how far apart:
/// anybody can ask in the peer's name.
inline constexpr unsigned late_answer_limit = 32;
inline constexpr std::chrono::milliseconds late_answer_interval{50};
/// Our records begin this far above those of the handshake. Small beside the 64 numbers that a
/// replay window has at least (RFC 6347 section 4.1.2.6).
inline constexpr std::uint64_t sequence_gap = 16;

}  // namespace causeway::tls
