// One AEAD with one key: what the sealer and the opener compute with. Inside this folder only.

#pragma once

#include "causeway/datapath/record_suite.h"
#include "causeway/error/error.h"

#include <array>
#include <cstddef>
#include <memory>
#include <span>

namespace causeway::datapath {

using RecordNonce = std::array<std::byte, record_nonce_size>;
/// Epoch, sequence, type, version and the length of the plaintext (RFC 5246 section 6.2.3.3).
using RecordHeaderToSign = std::array<std::byte, record_header_size>;

/// Holds the key schedule; wipes it when it goes. Out of place: no two spans may overlap.
class RecordCipher {
public:
    RecordCipher() = default;
    RecordCipher(const RecordCipher&) = delete;
    RecordCipher& operator=(const RecordCipher&) = delete;
    virtual ~RecordCipher() = default;

    /// Writes ciphertext and tag: `plaintext.size() + record_tag_size` bytes. False when the
    /// library refused, which it has no reason to.
    virtual bool seal(const RecordNonce& nonce, const RecordHeaderToSign& header,
                      ByteView plaintext, std::byte* sealed) = 0;
    /// `sealed` is ciphertext and tag; writes `sealed.size() - record_tag_size` bytes. False when
    /// the tag is not right.
    virtual bool open(const RecordNonce& nonce, const RecordHeaderToSign& header, ByteView sealed,
                      std::byte* plaintext) = 0;
};

/// Which way a cipher is used: EVP sets its key up for one of them.
enum class CipherUse : std::uint8_t { seal, open };

/// Fails as `RecordSealer::make` does. The sizes of key and iv are checked here, for all backends.
Result<std::unique_ptr<RecordCipher>> make_record_cipher(CryptoBackend backend,
                                                         const RecordKey& key, CipherUse use);

// Each in a file of its own; the sizes are right already, and nothing means that the backend does
// not take the key, or is not there.
std::unique_ptr<RecordCipher> make_evp_cipher(const RecordKey& key, CipherUse use);
std::unique_ptr<RecordCipher> make_ipsec_mb_cipher(const RecordKey& key);

/// A big-endian number of `count` bytes, for headers and nonces.
template <std::size_t count>
void put_number(std::byte* to, std::uint64_t number) {
    for (std::size_t i = 0; i < count; ++i)
        to[i] = static_cast<std::byte>(number >> (8 * (count - 1 - i)));
}
template <std::size_t count>
std::uint64_t get_number(const std::byte* from) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < count; ++i)
        number = number << 8 | std::to_integer<std::uint64_t>(from[i]);
    return number;
}

}  // namespace causeway::datapath
