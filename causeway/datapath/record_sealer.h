// Plaintext to DTLS 1.2 records, mostly of application data, under one key.
//
// Stage, on the thread that owns the sealer: plaintext -> record, out of place, no allocation.

#pragma once

#include "causeway/datapath/record_suite.h"
#include "causeway/error/error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace causeway::datapath {

class RecordCipher;

/// Most records under one key. GCM: as many as keep the advantage of who sees them all below 2^-50
/// with records of a path MTU (NIST SP 800-38D section 8.3 has the same number). ChaCha20: what the
/// 48 bits of the sequence hold.
constexpr std::uint64_t record_count_limit(RecordSuite suite) {
    return suite == RecordSuite::chacha20_poly1305 ? std::uint64_t{1} << 48
                                                   : std::uint64_t{1} << 32;
}
/// With fewer left it is time for a new key: 20 seconds at a million records a second.
inline constexpr std::uint64_t record_renewal_margin = 20'000'000;

/// One direction of one epoch. Only one sealer may ever exist for a key: two would use a nonce
/// twice, which gives the key away. So it moves and does not copy, and refuses to run over its end.
class RecordSealer {
public:
    /// `first_sequence` and `first_explicit_nonce` lie above everything the handshake has used
    /// under this key; without the latter the explicit nonce of GCM is epoch and sequence (RFC 5288
    /// section 3).
    /// Fails with errSSLBadConfiguration when a size or a number does not fit the suite, with
    /// CAPABILITY_NOT_SUPPORTED when this machine lacks the backend, with errSSLInternal when the
    /// backend does not take the key.
    static Result<RecordSealer> make(CryptoBackend backend, const RecordKey& key,
                                     std::uint64_t first_sequence,
                                     std::optional<std::uint64_t> first_explicit_nonce = {});
    RecordSealer(RecordSealer&& other) noexcept;
    RecordSealer& operator=(RecordSealer&& other) noexcept;
    ~RecordSealer();

    /// Writes a whole record to the front of `record` and returns its size, which is always
    /// `plaintext.size() + record_overhead(suite())`; 0, with nothing written, when no number is
    /// left. `plaintext` holds at most `record_plaintext_limit` bytes, `record` has room for all,
    /// and they do not overlap.
    std::size_t seal(ByteView plaintext, std::span<std::byte> record,
                     RecordType type = RecordType::application_data);

    RecordSuite suite() const { return suite_; }
    CryptoBackend backend() const { return backend_; }
    std::size_t overhead() const { return record_overhead(suite_); }
    std::uint64_t next_sequence() const { return sequence_; }
    /// How many records this key may still protect.
    std::uint64_t records_left() const { return end_ - sequence_; }
    /// Time for a new key.
    bool is_nearly_used_up() const { return records_left() < record_renewal_margin; }

private:
    RecordSealer(std::unique_ptr<RecordCipher> cipher, CryptoBackend backend, const RecordKey& key,
                 std::uint64_t first_sequence, std::uint64_t first_explicit_nonce);

    std::unique_ptr<RecordCipher> cipher_;
    RecordSuite suite_;
    CryptoBackend backend_;
    std::uint16_t epoch_;
    std::uint64_t sequence_;
    std::uint64_t end_;             ///< The first number that is not used any more.
    std::uint64_t explicit_nonce_;  ///< Of the next record; counts with the sequence.
    std::uint64_t iv_tail_;         ///< The last 8 bytes of a 12-byte iv, as a number.
    std::uint32_t iv_head_;         ///< The first 4 bytes of the iv.
};

}  // namespace causeway::datapath
