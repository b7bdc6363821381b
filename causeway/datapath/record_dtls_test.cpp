// Our records against OpenSSL's DTLS 1.2, in both directions: two OpenSSL ends shake hands over a
// socket pair, then ours takes the place of one of them with the keys that RFC 5246 section 6.3
// makes of the master secret.

#include "causeway/datapath/record_opener.h"
#include "causeway/datapath/record_sealer.h"
#include "causeway/datapath/record_test_support.h"

#include "causeway/base/fd.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>

namespace causeway::datapath {
namespace {

using namespace test;

struct Row {
    const char* openssl_name;
    std::uint16_t number;
    const char* hash;  ///< Of the PRF.
};
constexpr std::array rows{Row{"PSK-AES128-GCM-SHA256", 0x00a8, "SHA256"},
                          Row{"PSK-AES256-GCM-SHA384", 0x00a9, "SHA384"},
                          Row{"PSK-CHACHA20-POLY1305", 0xccab, "SHA256"}};

constexpr std::string_view psk = "a key both ends have from the exporter";

template <auto release>
struct Release {
    void operator()(auto* object) const { release(object); }
};

unsigned fill_psk(unsigned char* to) {
    std::memcpy(to, psk.data(), psk.size());
    return static_cast<unsigned>(psk.size());
}
unsigned client_psk(SSL*, const char*, char* identity, unsigned, unsigned char* key, unsigned) {
    std::memcpy(identity, "psk", 4);
    return fill_psk(key);
}
unsigned server_psk(SSL*, const char*, unsigned char* key, unsigned) { return fill_psk(key); }

/// One OpenSSL end on a descriptor that keeps datagrams apart.
struct End {
    std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>> context{SSL_CTX_new(DTLS_method())};
    std::unique_ptr<SSL, Release<SSL_free>> ssl;
    Fd fd;

    End(Fd its_fd, const Row& row, bool is_client) : fd(std::move(its_fd)) {
        REQUIRE(SSL_CTX_set_cipher_list(context.get(), row.openssl_name) == 1);
        SSL_CTX_set_psk_client_callback(context.get(), client_psk);
        SSL_CTX_set_psk_server_callback(context.get(), server_psk);
        ssl.reset(SSL_new(context.get()));
        SSL_set_options(ssl.get(), SSL_OP_NO_QUERY_MTU);
        SSL_set_mtu(ssl.get(), 1'400);
        BIO* bio = BIO_new_fd(fd.get(), BIO_NOCLOSE);
        SSL_set_bio(ssl.get(), bio, bio);
        is_client ? SSL_set_connect_state(ssl.get()) : SSL_set_accept_state(ssl.get());
    }

    Bytes read_plaintext() {
        Bytes room(2'000);
        const int count = SSL_read(ssl.get(), room.data(), static_cast<int>(room.size()));
        room.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return room;
    }
    Bytes read_datagram() {
        Bytes room(2'000);
        const auto count = read(fd.get(), room.data(), room.size());
        room.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return room;
    }
};

Bytes prf(const char* hash, Bytes secret, std::string_view label, const Bytes& seed,
          std::size_t size) {
    std::unique_ptr<EVP_KDF, Release<EVP_KDF_free>> kdf(
        EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr));
    std::unique_ptr<EVP_KDF_CTX, Release<EVP_KDF_CTX_free>> context(EVP_KDF_CTX_new(kdf.get()));
    Bytes labelled = copy(as_bytes(label));
    append(labelled, seed);
    std::string digest = hash;
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0),
        OSSL_PARAM_construct_octet_string("secret", secret.data(), secret.size()),
        OSSL_PARAM_construct_octet_string("seed", labelled.data(), labelled.size()),
        OSSL_PARAM_construct_end()};
    Bytes out(size);
    REQUIRE(EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(out.data()), out.size(),
                           parameters.data()) == 1);
    return out;
}

struct Pair {
    std::unique_ptr<End> client;
    std::unique_ptr<End> server;
    Bytes block;  ///< client key, server key, client iv, server iv
    RecordSuite suite;

    explicit Pair(const Row& row) : suite(*record_suite(row.number)) {
        std::array<int, 2> fds{};
        REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds.data()) == 0);
        client = std::make_unique<End>(Fd(fds[0]), row, true);
        server = std::make_unique<End>(Fd(fds[1]), row, false);
        for (int turn = 0; turn < 20; ++turn) {
            SSL_do_handshake(client->ssl.get());
            SSL_do_handshake(server->ssl.get());
        }
        REQUIRE(SSL_is_init_finished(client->ssl.get()) == 1);
        REQUIRE(SSL_is_init_finished(server->ssl.get()) == 1);
        REQUIRE(SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(client->ssl.get())) ==
                row.number);

        Bytes master(48);
        REQUIRE(SSL_SESSION_get_master_key(SSL_get_session(client->ssl.get()), raw(master), 48) ==
                48);
        Bytes seed(32), client_random(32);
        SSL_get_server_random(client->ssl.get(), raw(seed), 32);
        SSL_get_client_random(client->ssl.get(), raw(client_random), 32);
        append(seed, client_random);
        block =
            prf(row.hash, master, "key expansion", seed, 2 * (key_size(suite) + iv_size(suite)));
    }

    RecordKey key(bool of_client) const {
        const ByteView all = block;
        const auto keys = key_size(suite), ivs = iv_size(suite);
        return {suite, all.subspan(of_client ? 0 : keys, keys),
                all.subspan(2 * keys + (of_client ? 0 : ivs), ivs), 1};
    }

    static unsigned char* raw(Bytes& bytes) {
        return reinterpret_cast<unsigned char*>(bytes.data());
    }
};

TEST_CASE("what OpenSSL seals we open, with either backend, from either side") {
    for (const auto& row : rows) {
        CAPTURE(row.openssl_name);
        for (const auto backend : backends()) {
            Pair pair(row);
            for (const bool from_client : {true, false}) {
                auto opener = RecordOpener::make(backend, pair.key(from_client));
                REQUIRE(opener);
                End& from = from_client ? *pair.client : *pair.server;
                End& to = from_client ? *pair.server : *pair.client;
                std::mt19937_64 random(11);
                for (int size = 1; size < 1'300; size += 7) {
                    const auto plaintext = random_bytes(random, static_cast<std::size_t>(size));
                    REQUIRE(SSL_write(from.ssl.get(), plaintext.data(), size) == size);
                    const auto record = to.read_datagram();
                    Bytes room(2'000);
                    const auto opened = opener->open(record, room);
                    REQUIRE(opened);
                    REQUIRE(copy(*opened) == plaintext);
                }
            }
        }
    }
}

TEST_CASE("what we seal OpenSSL opens, with either backend, from either side") {
    for (const auto& row : rows) {
        CAPTURE(row.openssl_name);
        for (const auto backend : backends()) {
            Pair pair(row);
            for (const bool from_client : {true, false}) {
                auto sealer = RecordSealer::make(backend, pair.key(from_client), 1'000);
                REQUIRE(sealer);
                End& from = from_client ? *pair.client : *pair.server;
                End& to = from_client ? *pair.server : *pair.client;
                std::mt19937_64 random(12);
                for (std::size_t size = 1; size < 1'300; size += 7) {
                    const auto plaintext = random_bytes(random, size);
                    const auto record = seal(*sealer, plaintext);
                    REQUIRE(write(from.fd.get(), record.data(), record.size()) ==
                            static_cast<ssize_t>(record.size()));
                    REQUIRE(to.read_plaintext() == plaintext);
                }
            }
        }
    }
}

TEST_CASE("a record that was changed on the way OpenSSL drops as we do") {
    for (const auto& row : rows) {
        Pair pair(row);
        auto sealer = RecordSealer::make(CryptoBackend::automatic, pair.key(true), 1'000);
        REQUIRE(sealer);
        auto record = seal(*sealer, as_bytes("changed on its way"));
        record.back() ^= std::byte{1};
        REQUIRE(write(pair.client->fd.get(), record.data(), record.size()) > 0);
        CHECK(pair.server->read_plaintext().empty());
        record.back() ^= std::byte{1};
        REQUIRE(write(pair.client->fd.get(), record.data(), record.size()) > 0);
        CHECK(as_text(pair.server->read_plaintext()) == "changed on its way");
    }
}

}  // namespace
}  // namespace causeway::datapath
