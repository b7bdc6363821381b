#include "causeway/datapath/record_cipher.h"

#include <fmt/format.h>

namespace causeway::datapath {

#ifdef CAUSEWAY_MEASURE_COPY_CIPHER
std::unique_ptr<RecordCipher> make_copy_cipher();
#endif

namespace {

std::unique_ptr<RecordCipher> make(CryptoBackend backend, const RecordKey& key, CipherUse use) {
#ifdef CAUSEWAY_MEASURE_COPY_CIPHER
    if (backend == CryptoBackend::copy) return make_copy_cipher();
#endif
    return backend == CryptoBackend::ipsec_mb ? make_ipsec_mb_cipher(key)
                                              : make_evp_cipher(key, use);
}

}  // namespace

Result<std::unique_ptr<RecordCipher>> make_record_cipher(CryptoBackend backend,
                                                         const RecordKey& key, CipherUse use) {
    if (key.key.size() != key_size(key.suite) || key.iv.size() != iv_size(key.suite))
        return fail(Tls::errSSLBadConfiguration,
                    fmt::format("{} takes a key of {} bytes and an iv of {}, not {} and {}",
                                name(key.suite), key_size(key.suite), iv_size(key.suite),
                                key.key.size(), key.iv.size()));
    if (backend == CryptoBackend::ipsec_mb && !has_ipsec_mb())
        return fail(Service::CAPABILITY_NOT_SUPPORTED,
                    "ipsec-mb is not there, or this processor has no AES instructions");
    auto cipher = make(chosen(backend), key, use);
    if (!cipher)
        return fail(Tls::errSSLInternal, fmt::format("{} did not take a key for {}",
                                                     name(chosen(backend)), name(key.suite)));
    return cipher;
}

}  // namespace causeway::datapath
