// The ciphers of records by OpenSSL's EVP: everywhere, and the measure for the other backend.

#include "causeway/datapath/record_cipher.h"

#include <openssl/err.h>
#include <openssl/evp.h>

namespace causeway::datapath {
namespace {

constexpr int tag_size = record_tag_size;

const unsigned char* raw(const std::byte* bytes) {
    return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

const EVP_CIPHER* algorithm(RecordSuite suite) {
    switch (suite) {
        case RecordSuite::aes128_gcm: return EVP_aes_128_gcm();
        case RecordSuite::aes256_gcm: return EVP_aes_256_gcm();
        case RecordSuite::chacha20_poly1305: return EVP_chacha20_poly1305();
    }
    std::unreachable();
}

struct FreeContext {
    // Wipes the key schedule too.
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

class EvpCipher final : public RecordCipher {
public:
    explicit EvpCipher(Context context) : context_(std::move(context)) {}

    bool seal(const RecordNonce& nonce, const RecordHeaderToSign& header, ByteView plaintext,
              std::byte* sealed) override {
        return begin(nonce, header) && update(plaintext, sealed) && finish() &&
               EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, tag_size,
                                   sealed + plaintext.size()) == 1;
    }

    bool open(const RecordNonce& nonce, const RecordHeaderToSign& header, ByteView sealed,
              std::byte* plaintext) override {
        const auto ciphertext = sealed.first(sealed.size() - record_tag_size);
        // The call only reads the tag; its parameter is not const for historical reasons.
        auto* tag = const_cast<std::byte*>(sealed.last(record_tag_size).data());
        return begin(nonce, header) &&
               EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag) == 1 &&
               update(ciphertext, plaintext) && finish();
    }

private:
    bool begin(const RecordNonce& nonce, const RecordHeaderToSign& header) {
        int count = 0;
        return EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, raw(nonce.data()),
                                 -1) == 1 &&
               EVP_CipherUpdate(context_.get(), nullptr, &count, raw(header.data()),
                                static_cast<int>(header.size())) == 1;
    }

    bool update(ByteView from, std::byte* to) {
        int count = 0;
        return from.empty() || EVP_CipherUpdate(context_.get(), raw(to), &count, raw(from.data()),
                                                static_cast<int>(from.size())) == 1;
    }

    // These ciphers are streams: the last call writes no bytes, but wants a place for them.
    bool finish() {
        unsigned char none[EVP_MAX_BLOCK_LENGTH];
        int count = 0;
        return EVP_CipherFinal_ex(context_.get(), none, &count) == 1;
    }

    Context context_;
};

}  // namespace

std::unique_ptr<RecordCipher> make_evp_cipher(const RecordKey& key, CipherUse use) {
    Context context(EVP_CIPHER_CTX_new());
    const int encrypts = use == CipherUse::seal ? 1 : 0;
    if (!context || EVP_CipherInit_ex(context.get(), algorithm(key.suite), nullptr,
                                      raw(key.key.data()), nullptr, encrypts) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return std::make_unique<EvpCipher>(std::move(context));
}

}  // namespace causeway::datapath
