#include "causeway/datapath/record_sealer.h"

#include "causeway/datapath/record_test_support.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace causeway::datapath {
namespace {

using namespace test;

/// The 12 bytes that the record was sealed with (RFC 5288 section 3, RFC 7905 section 2).
std::string nonce_of(const OwnKey& key, const Bytes& record) {
    Bytes nonce = key.iv;
    if (explicit_nonce_size(key.suite) > 0) {
        append(nonce, ByteView(record).subspan(record_header_size, gcm_explicit_nonce_size));
    } else {
        for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] ^= record[3 + i];
    }
    return hex(nonce);
}

TEST_CASE("a record is an application data record of DTLS 1.2") {
    for (const auto backend : backends()) {
        const OwnKey key(RecordSuite::aes128_gcm, 1);
        auto sealer = RecordSealer::make(backend, key, 0x0102030405);
        REQUIRE(sealer);
        const auto record = seal(*sealer, as_bytes("ten bytes!"));
        CHECK(record.size() == 10 + 37);
        // Type, version, epoch, sequence, length, explicit nonce.
        CHECK(hex(ByteView(record).first(21)) ==
              "17"
              "fefd"
              "0001"
              "000102030405"
              "0022"
              "0001000102030405");
        CHECK(record_type(record) == RecordType::application_data);
        CHECK(record_epoch(record) == 1);
    }
}

TEST_CASE("a record of ChaCha20 carries no nonce") {
    for (const auto backend : backends()) {
        auto sealer = RecordSealer::make(backend, OwnKey(RecordSuite::chacha20_poly1305, 1), 7);
        REQUIRE(sealer);
        const auto record = seal(*sealer, as_bytes("ten bytes!"));
        CHECK(record.size() == 10 + 29);
        CHECK(hex(ByteView(record).first(13)) ==
              "17"
              "fefd"
              "0001"
              "000000000007"
              "001a");
    }
}

TEST_CASE("both backends write the same bytes, for every size of a packet and the largest") {
    if (!has_ipsec_mb()) return;
    std::vector<std::size_t> sizes;
    for (std::size_t size = 0; size <= 1'600; ++size) sizes.push_back(size);
    for (const std::size_t size : {4'095u, 4'096u, 9'000u, 16'383u, 16'384u}) sizes.push_back(size);
    for (const auto suite : suites) {
        CAPTURE(name(suite));
        const OwnKey key(suite, 2);
        auto one = RecordSealer::make(CryptoBackend::ipsec_mb, key, 1'000);
        auto other = RecordSealer::make(CryptoBackend::evp, key, 1'000);
        REQUIRE(one);
        REQUIRE(other);
        std::mt19937_64 random(3);
        for (const auto size : sizes) {
            CAPTURE(size);
            const auto plaintext = random_bytes(random, size);
            REQUIRE(seal(*one, plaintext) == seal(*other, plaintext));
        }
    }
}

TEST_CASE("nothing is written beyond the record") {
    for (const auto backend : backends()) {
        for (const auto suite : suites) {
            auto sealer = RecordSealer::make(backend, OwnKey(suite, 4), 1);
            REQUIRE(sealer);
            for (std::size_t size = 0; size < 200; ++size) {
                const Bytes plaintext(size, std::byte{0x55});
                Bytes room(size + sealer->overhead() + 64, std::byte{0xaa});
                const auto written = sealer->seal(plaintext, room);
                REQUIRE(written == size + sealer->overhead());
                for (std::size_t i = written; i < room.size(); ++i)
                    REQUIRE(room[i] == std::byte{0xaa});
            }
        }
    }
}

TEST_CASE("no nonce is used twice, also when the sealer moves") {
    for (const auto suite : suites) {
        const OwnKey key(suite, 5);
        std::set<std::string> nonces;
        auto made = RecordSealer::make(CryptoBackend::automatic, key, 1 << 20);
        REQUIRE(made);
        std::vector<RecordSealer> owner;
        owner.push_back(std::move(*made));
        for (int i = 0; i < 5'000; ++i) {
            if (i % 1'000 == 999) {
                RecordSealer moved = std::move(owner.back());
                owner.clear();
                owner.push_back(std::move(moved));
            }
            REQUIRE(nonces.insert(nonce_of(key, seal(owner.back(), as_bytes("x")))).second);
        }
    }
}

TEST_CASE("the explicit nonce begins where it is told to, whatever the sequence") {
    const OwnKey key(RecordSuite::aes256_gcm, 6);
    auto sealer = RecordSealer::make(CryptoBackend::automatic, key, 5, 0xffff'ffff'ffff'fffe);
    auto opener = RecordOpener::make(CryptoBackend::automatic, key);
    REQUIRE(sealer);
    REQUIRE(opener);
    for (const auto* expected : {"fffffffffffffffe", "ffffffffffffffff", "0000000000000000"}) {
        const auto record = seal(*sealer, as_bytes("text"));
        CHECK(hex(ByteView(record).subspan(13, 8)) == expected);
        Bytes room(record.size());
        const auto opened = opener->open(record, room);
        REQUIRE(opened);
        CHECK(as_text(*opened) == "text");
    }
}

TEST_CASE("at the end of the numbers nothing is sealed any more, and it is told long before") {
    const std::uint64_t last = (std::uint64_t{1} << 48) - 1;
    for (const auto suite : suites) {
        auto sealer = RecordSealer::make(CryptoBackend::automatic, OwnKey(suite, 7), last - 1);
        REQUIRE(sealer);
        CHECK(sealer->records_left() == 2);
        CHECK(sealer->is_nearly_used_up());
        CHECK_FALSE(seal(*sealer, as_bytes("a")).empty());
        CHECK_FALSE(seal(*sealer, as_bytes("b")).empty());
        CHECK(seal(*sealer, as_bytes("c")).empty());
        CHECK(sealer->records_left() == 0);
    }
    auto fresh =
        RecordSealer::make(CryptoBackend::automatic, OwnKey(RecordSuite::aes128_gcm, 7), 9);
    REQUIRE(fresh);
    CHECK(fresh->records_left() == record_count_limit(RecordSuite::aes128_gcm));
    CHECK_FALSE(fresh->is_nearly_used_up());
}

TEST_CASE("a key of the wrong size, or a number of more than 48 bits, is refused") {
    std::mt19937_64 random(8);
    for (const auto backend : backends()) {
        for (const auto suite : suites) {
            const OwnKey right(suite, 8);
            const auto short_key = random_bytes(random, key_size(suite) - 1);
            const auto long_iv = random_bytes(random, iv_size(suite) + 1);
            auto refused = RecordSealer::make(backend, {suite, short_key, right.iv, 1}, 0);
            REQUIRE_FALSE(refused);
            CHECK(refused.error().code == Tls::errSSLBadConfiguration);
            CHECK_FALSE(RecordOpener::make(backend, {suite, right.key, long_iv, 1}));
            CHECK_FALSE(RecordSealer::make(backend, right, std::uint64_t{1} << 48));
        }
    }
}

TEST_CASE("a backend is named as on the command line, and automatic comes to one of them") {
    for (const auto backend :
         {CryptoBackend::automatic, CryptoBackend::ipsec_mb, CryptoBackend::evp})
        CHECK(crypto_backend(name(backend)) == backend);
    CHECK_FALSE(crypto_backend("copy"));
    CHECK_FALSE(crypto_backend(""));
    CHECK(chosen(CryptoBackend::automatic) ==
          (has_ipsec_mb() ? CryptoBackend::ipsec_mb : CryptoBackend::evp));
}

TEST_CASE("the suites of both key ways have their cipher, and CBC has none of ours") {
    CHECK(record_suite(0x00a8) == RecordSuite::aes128_gcm);
    CHECK(record_suite(0x00a9) == RecordSuite::aes256_gcm);
    CHECK(record_suite(0xccab) == RecordSuite::chacha20_poly1305);
    CHECK(record_suite(0x009c) == RecordSuite::aes128_gcm);
    CHECK(record_suite(0x009d) == RecordSuite::aes256_gcm);
    CHECK_FALSE(record_suite(0x002f));
    CHECK_FALSE(record_suite(0x0035));
}

}  // namespace
}  // namespace causeway::datapath
