// What tests of records share: keys and bytes at random, but the same in every run.

#pragma once

#include "causeway/datapath/record_opener.h"
#include "causeway/datapath/record_sealer.h"

#include <array>
#include <random>
#include <vector>

namespace causeway::datapath::test {

inline constexpr std::array suites{RecordSuite::aes128_gcm, RecordSuite::aes256_gcm,
                                   RecordSuite::chacha20_poly1305};

inline Bytes random_bytes(std::mt19937_64& random, std::size_t size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    return bytes;
}

/// A key that owns its bytes.
struct OwnKey {
    RecordSuite suite;
    Bytes key;
    Bytes iv;

    OwnKey(RecordSuite its_suite, unsigned seed) : suite(its_suite) {
        std::mt19937_64 random(seed);
        key = random_bytes(random, key_size(suite));
        iv = random_bytes(random, iv_size(suite));
    }
    operator RecordKey() const { return {suite, key, iv, 1}; }
};

/// The backends of this machine.
inline std::vector<CryptoBackend> backends() {
    if (has_ipsec_mb()) return {CryptoBackend::ipsec_mb, CryptoBackend::evp};
    return {CryptoBackend::evp};
}

inline Bytes seal(RecordSealer& sealer, ByteView plaintext) {
    Bytes record(plaintext.size() + sealer.overhead());
    record.resize(sealer.seal(plaintext, record));
    return record;
}

}  // namespace causeway::datapath::test
