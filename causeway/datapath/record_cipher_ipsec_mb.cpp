// The ciphers of records by intel-ipsec-mb, with the best instructions of this processor.
//
// Only the direct functions of the library are called: they take the key schedule and the data and
// touch nothing of the manager, so that one manager serves all threads.

#include "causeway/datapath/record_cipher.h"

#ifdef CAUSEWAY_IPSEC_MB

#include <intel-ipsec-mb.h>
#include <string.h>

namespace causeway::datapath {
namespace {

/// Nothing when the processor has no AES instructions: the library would emulate them, which EVP
/// does faster.
const IMB_MGR* manager() {
    static const IMB_MGR* const made = []() -> const IMB_MGR* {
        IMB_MGR* fresh = alloc_mb_mgr(0);
        if (fresh == nullptr) return nullptr;
        IMB_ARCH architecture = IMB_ARCH_NONE;
        init_mb_mgr_auto(fresh, &architecture);
        if (imb_get_errno(fresh) == 0 && architecture != IMB_ARCH_NONE &&
            architecture != IMB_ARCH_NOAESNI)
            return fresh;
        free_mb_mgr(fresh);
        return nullptr;
    }();
    return made;
}

bool is_tag(const std::byte* computed, const std::byte* received) {
    return equal_in_constant_time({computed, record_tag_size}, {received, record_tag_size});
}

/// AES-GCM with the functions for one size of key.
class IpsecMbGcm final : public RecordCipher {
public:
    explicit IpsecMbGcm(const RecordKey& key)
        : seal_(key.key.size() == 16 ? manager()->gcm128_enc : manager()->gcm256_enc),
          open_(key.key.size() == 16 ? manager()->gcm128_dec : manager()->gcm256_dec) {
        const auto expand = key.key.size() == 16 ? manager()->gcm128_pre : manager()->gcm256_pre;
        expand(key.key.data(), &schedule_);
    }
    ~IpsecMbGcm() override {
        explicit_bzero(&schedule_, sizeof schedule_);
        explicit_bzero(&context_, sizeof context_);
    }

    bool seal(const RecordNonce& nonce, const RecordHeaderToSign& header, ByteView plaintext,
              std::byte* sealed) override {
        run(seal_, nonce, header, plaintext, sealed, sealed + plaintext.size());
        return true;
    }

    bool open(const RecordNonce& nonce, const RecordHeaderToSign& header, ByteView sealed,
              std::byte* plaintext) override {
        std::array<std::byte, record_tag_size> tag;
        const auto ciphertext = sealed.first(sealed.size() - record_tag_size);
        run(open_, nonce, header, ciphertext, plaintext, tag.data());
        return is_tag(tag.data(), sealed.data() + ciphertext.size());
    }

private:
    void run(aes_gcm_enc_dec_t function, const RecordNonce& nonce, const RecordHeaderToSign& header,
             ByteView from, std::byte* to, std::byte* tag) {
        function(&schedule_, &context_, reinterpret_cast<uint8_t*>(to),
                 reinterpret_cast<const uint8_t*>(from.data()), from.size(),
                 reinterpret_cast<const uint8_t*>(nonce.data()),
                 reinterpret_cast<const uint8_t*>(header.data()), header.size(),
                 reinterpret_cast<uint8_t*>(tag), record_tag_size);
    }

    aes_gcm_enc_dec_t seal_;
    aes_gcm_enc_dec_t open_;
    alignas(64) gcm_key_data schedule_;
    alignas(64) gcm_context_data context_;
};

class IpsecMbChaCha final : public RecordCipher {
public:
    explicit IpsecMbChaCha(const RecordKey& key) {
        std::copy(key.key.begin(), key.key.end(), key_.begin());
    }
    ~IpsecMbChaCha() override {
        explicit_bzero(key_.data(), key_.size());
        explicit_bzero(&context_, sizeof context_);
    }

    bool seal(const RecordNonce& nonce, const RecordHeaderToSign& header, ByteView plaintext,
              std::byte* sealed) override {
        run(manager()->chacha20_poly1305_enc_update, nonce, header, plaintext, sealed,
            sealed + plaintext.size());
        return true;
    }

    bool open(const RecordNonce& nonce, const RecordHeaderToSign& header, ByteView sealed,
              std::byte* plaintext) override {
        std::array<std::byte, record_tag_size> tag;
        const auto ciphertext = sealed.first(sealed.size() - record_tag_size);
        run(manager()->chacha20_poly1305_dec_update, nonce, header, ciphertext, plaintext,
            tag.data());
        return is_tag(tag.data(), sealed.data() + ciphertext.size());
    }

private:
    void run(chacha_poly_enc_dec_update_t update, const RecordNonce& nonce,
             const RecordHeaderToSign& header, ByteView from, std::byte* to, std::byte* tag) {
        manager()->chacha20_poly1305_init(key_.data(), &context_, nonce.data(), header.data(),
                                          header.size());
        if (!from.empty()) update(key_.data(), &context_, to, from.data(), from.size());
        manager()->chacha20_poly1305_finalize(&context_, tag, record_tag_size);
    }

    alignas(64) std::array<std::byte, 32> key_;
    alignas(64) chacha20_poly1305_context_data context_;
};

}  // namespace

bool has_ipsec_mb() { return manager() != nullptr; }

std::unique_ptr<RecordCipher> make_ipsec_mb_cipher(const RecordKey& key) {
    if (!has_ipsec_mb()) return nullptr;
    if (key.suite == RecordSuite::chacha20_poly1305) return std::make_unique<IpsecMbChaCha>(key);
    return std::make_unique<IpsecMbGcm>(key);
}

}  // namespace causeway::datapath

#else  // a processor for which there is no such library

namespace causeway::datapath {

bool has_ipsec_mb() { return false; }
std::unique_ptr<RecordCipher> make_ipsec_mb_cipher(const RecordKey&) { return nullptr; }

}  // namespace causeway::datapath

#endif
