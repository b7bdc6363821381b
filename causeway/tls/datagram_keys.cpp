#include "causeway/tls/datagram_keys.h"

#include <algorithm>
#include <array>
#include <string>

namespace causeway::tls {
namespace {

constexpr std::uint16_t psk_aes128_gcm = 0x00A8;
constexpr std::uint16_t psk_aes256_gcm = 0x00A9;
constexpr std::uint16_t psk_chacha20 = 0xCCAB;
constexpr std::uint16_t rsa_aes128_gcm = 0x009C;
constexpr std::uint16_t rsa_aes256_gcm = 0x009D;

constexpr std::size_t tag_size = 16;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t explicit_size = 8;

struct Sizes {
    std::size_t key;
    std::size_t iv;
    const char* cipher;
};

std::optional<Sizes> sizes_of(std::uint16_t suite) {
    switch (suite) {
        case psk_aes128_gcm:
        case rsa_aes128_gcm: return Sizes{16, 4, "AES-128-GCM"};
        case psk_aes256_gcm:
        case rsa_aes256_gcm: return Sizes{32, 4, "AES-256-GCM"};
        case psk_chacha20: return Sizes{32, 12, "ChaCha20-Poly1305"};
        default: return std::nullopt;
    }
}

/// Memory that is wiped when it goes.
template <std::size_t size>
struct Wiped {
    std::array<unsigned char, size> bytes{};
    Wiped() = default;
    Wiped(const Wiped&) = delete;
    Wiped& operator=(const Wiped&) = delete;
    ~Wiped() { OPENSSL_cleanse(bytes.data(), size); }

    Secret secret(std::size_t from, std::size_t count) const {
        return Secret(std::string(reinterpret_cast<const char*>(bytes.data()) + from, count));
    }
};

constexpr std::size_t master_size = 48;
constexpr std::size_t random_size = 32;
constexpr std::size_t largest_block = 2 * 32 + 2 * 12;
constexpr std::string_view expansion = "key expansion";

using KdfPtr = std::unique_ptr<EVP_KDF, OpensslDeleter<EVP_KDF_free>>;
using KdfContextPtr = std::unique_ptr<EVP_KDF_CTX, OpensslDeleter<EVP_KDF_CTX_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, OpensslDeleter<EVP_CIPHER_free>>;
using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, OpensslDeleter<EVP_CIPHER_CTX_free>>;

OSSL_PARAM octets(const char* key, void* bytes, std::size_t size) {
    return OSSL_PARAM_construct_octet_string(key, bytes, size);
}

/// "key_block = PRF(SecurityParameters.master_secret, "key expansion",
///                  SecurityParameters.server_random + SecurityParameters.client_random)"
bool expand(SSL* ssl, std::span<unsigned char> block) {
    Wiped<master_size> master;
    const auto size =
        SSL_SESSION_get_master_key(SSL_get0_session(ssl), master.bytes.data(), master.bytes.size());
    std::array<unsigned char, expansion.size() + 2 * random_size> seed{};
    auto* at = std::ranges::copy(expansion, seed.data()).out;
    const bool is_seeded = SSL_get_server_random(ssl, at, random_size) == random_size &&
                           SSL_get_client_random(ssl, at + random_size, random_size) == random_size;
    const auto* digest = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
    const KdfPtr kdf(EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr));
    const KdfContextPtr context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
    if (size != master_size || !is_seeded || !digest || !context) return false;
    std::string digest_name = EVP_MD_get0_name(digest);
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name.data(), 0),
        octets(OSSL_KDF_PARAM_SECRET, master.bytes.data(), size),
        octets(OSSL_KDF_PARAM_SEED, seed.data(), seed.size()), OSSL_PARAM_construct_end()};
    return EVP_KDF_derive(context.get(), block.data(), block.size(), parameters) == 1;
}

/// RFC 5288 section 3: the iv, then what the record carries. RFC 7905 section 2: the iv, its end
/// XORed with epoch and sequence.
std::array<unsigned char, nonce_size> nonce_of(const TrafficKeys& keys, ByteView number,
                                               ByteView payload) {
    std::array<unsigned char, nonce_size> nonce{};
    const auto iv = as_bytes(keys.read_iv.reveal());
    std::ranges::copy_n(raw(iv), static_cast<std::ptrdiff_t>(iv.size()), nonce.begin());
    const auto tail = std::span(nonce).last<explicit_size>();
    if (iv.size() < nonce_size) {
        std::ranges::copy_n(raw(payload), explicit_size, tail.begin());
    } else {
        for (std::size_t i = 0; i < tail.size(); ++i)
            tail[i] = static_cast<unsigned char>(tail[i] ^ raw(number)[i]);
    }
    return nonce;
}

/// What is authenticated beside the text (RFC 5246 section 6.2.3.3): epoch and sequence, type,
/// version, length of the plaintext.
Bytes additional_data(const DatagramRecord& record, std::size_t size) {
    Bytes data;
    put_big_endian_16(data, record.epoch);
    put_big_endian_16(data, static_cast<std::uint16_t>(record.sequence >> 32));
    put_big_endian_32(data, static_cast<std::uint32_t>(record.sequence));
    data.push_back(std::byte{record.type});
    put_big_endian_16(data, record.version);
    put_big_endian_16(data, static_cast<std::uint16_t>(size));
    return data;
}

}  // namespace

bool is_aead_suite(std::uint16_t suite) { return sizes_of(suite).has_value(); }

Result<TrafficKeys> derive_keys(SSL* ssl, bool is_server) {
    const auto suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl));
    const auto sizes = sizes_of(suite);
    if (!sizes) return fail(Tls::errSSLInternal, "the suite has no keys to hand out");
    Wiped<largest_block> block;
    if (!expand(ssl, std::span(block.bytes).first(2 * (sizes->key + sizes->iv))))
        return fail(Tls::errSSLCrypto,
                    "no keys can be derived: " + openssl_reason(take_openssl_faults()));
    // "client_write_key, server_write_key, client_write_IV, server_write_IV": no MAC keys here.
    auto client_key = block.secret(0, sizes->key);
    auto server_key = block.secret(sizes->key, sizes->key);
    auto client_iv = block.secret(2 * sizes->key, sizes->iv);
    auto server_iv = block.secret(2 * sizes->key + sizes->iv, sizes->iv);
    if (is_server) {
        std::swap(client_key, server_key);
        std::swap(client_iv, server_iv);
    }
    return TrafficKeys{.suite = suite,
                       .write_key = std::move(client_key),
                       .write_iv = std::move(client_iv),
                       .read_key = std::move(server_key),
                       .read_iv = std::move(server_iv)};
}

std::optional<Bytes> open_record(const DatagramRecord& record, const TrafficKeys& keys) {
    const auto sizes = sizes_of(keys.suite);
    if (!sizes) return std::nullopt;
    const std::size_t carried = sizes->iv < nonce_size ? explicit_size : 0;
    if (record.payload.size() < carried + tag_size) return std::nullopt;
    const auto sealed = record.payload.subspan(carried);
    const auto text = sealed.first(sealed.size() - tag_size);
    Bytes tag = copy(sealed.last(tag_size));
    const Bytes data = additional_data(record, text.size());
    const auto nonce = nonce_of(keys, data, record.payload);

    const CipherPtr cipher(EVP_CIPHER_fetch(nullptr, sizes->cipher, nullptr));
    const CipherContextPtr context(EVP_CIPHER_CTX_new());
    Bytes plain(text.size());
    auto* out = reinterpret_cast<unsigned char*>(plain.data());
    const auto key = as_bytes(keys.read_key.reveal());
    unsigned char rest[tag_size];
    int count = 0;
    const bool is_open =
        cipher && context &&
        EVP_DecryptInit_ex2(context.get(), cipher.get(), raw(key), nonce.data(), nullptr) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &count, raw(data),
                          static_cast<int>(data.size())) == 1 &&
        (text.empty() || EVP_DecryptUpdate(context.get(), out, &count, raw(text),
                                           static_cast<int>(text.size())) == 1) &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), rest, &count) == 1;
    ERR_clear_error();
    if (!is_open) return std::nullopt;
    return plain;
}

}  // namespace causeway::tls
