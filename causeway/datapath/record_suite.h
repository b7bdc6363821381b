// The AEAD suites that protect datagrams, and what a record of each looks like.
//
//      0      1        3      5          11      13
//      | type | version | epoch | sequence | length | explicit nonce | ciphertext | tag |
//        23     fe fd                                 8 (GCM) or 0                  16
//
// RFC 6347 section 4.1 (the header), RFC 5288 section 3 (GCM), RFC 7905 section 2 (ChaCha20).

#pragma once

#include "causeway/base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace causeway::datapath {

enum class RecordSuite : std::uint8_t { aes128_gcm, aes256_gcm, chacha20_poly1305 };

/// Who computes the cipher. Both give the same bytes.
enum class CryptoBackend : std::uint8_t {
    automatic,  ///< ipsec_mb where this machine has it, else evp.
    ipsec_mb,   ///< intel-ipsec-mb, with the best instructions of the processor.
    evp,        ///< OpenSSL.
#ifdef CAUSEWAY_MEASURE_COPY_CIPHER
    copy,  ///< No cipher at all: a build for measuring has only this one.
#endif
};

inline constexpr std::size_t record_header_size = 13;
inline constexpr std::size_t record_tag_size = 16;
/// Most bytes of plaintext in a record (RFC 6347 section 4.1: 2^14).
inline constexpr std::size_t record_plaintext_limit = 16'384;
/// The part of the nonce that a GCM record carries (RFC 5288 section 3).
inline constexpr std::size_t gcm_explicit_nonce_size = 8;
inline constexpr std::size_t record_nonce_size = 12;

constexpr std::size_t key_size(RecordSuite suite) {
    return suite == RecordSuite::aes128_gcm ? 16 : 32;
}
/// Of the part of the nonce that comes from the handshake.
constexpr std::size_t iv_size(RecordSuite suite) {
    return suite == RecordSuite::chacha20_poly1305 ? 12 : 4;
}
constexpr std::size_t explicit_nonce_size(RecordSuite suite) {
    return suite == RecordSuite::chacha20_poly1305 ? 0 : gcm_explicit_nonce_size;
}
/// What a record is larger than its plaintext: 37 with GCM, 29 with ChaCha20-Poly1305.
constexpr std::size_t record_overhead(RecordSuite suite) {
    return record_header_size + explicit_nonce_size(suite) + record_tag_size;
}
/// The largest record of any suite.
inline constexpr std::size_t record_limit =
    record_plaintext_limit + record_header_size + gcm_explicit_nonce_size + record_tag_size;

/// "AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305".
std::string_view name(RecordSuite suite);
/// "auto", "ipsec-mb", "evp": as `--crypto` has them.
std::string_view name(CryptoBackend backend);
std::optional<CryptoBackend> crypto_backend(std::string_view text);
/// The cipher of a DTLS 1.2 suite by its IANA number, whatever its key exchange; nothing for a
/// suite whose records are not ours (CBC).
std::optional<RecordSuite> record_suite(std::uint16_t iana_number);

/// Whether intel-ipsec-mb was compiled in and this processor has what it needs.
bool has_ipsec_mb();
/// What a request comes to on this machine: never `automatic`.
CryptoBackend chosen(CryptoBackend backend);

/// One key of one direction. The views have to last only until the call that takes them returns.
struct RecordKey {
    RecordSuite suite = RecordSuite::aes128_gcm;
    ByteView key;             ///< `key_size(suite)` bytes.
    ByteView iv;              ///< `iv_size(suite)` bytes.
    std::uint16_t epoch = 1;  ///< 1 after a first handshake (RFC 6347 section 4.1).
};

/// The content types of a record (RFC 5246 section 6.2.1).
enum class RecordType : std::uint8_t {
    change_cipher_spec = 20,
    alert = 21,
    handshake = 22,
    application_data = 23,
};

/// What kind of record begins a datagram; nothing when it is none of the four.
std::optional<RecordType> record_type(ByteView datagram);
/// The epoch of the record that begins a datagram; nothing when it is shorter than a header.
std::optional<std::uint16_t> record_epoch(ByteView datagram);

}  // namespace causeway::datapath
