#include "causeway/datapath/record_opener.h"

#include "causeway/datapath/record_test_support.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace causeway::datapath {
namespace {

using namespace test;

struct Ends {
    RecordSealer sealer;
    RecordOpener opener;

    Ends(RecordSuite suite, CryptoBackend seals, CryptoBackend opens, unsigned seed = 1)
        : sealer(*RecordSealer::make(seals, OwnKey(suite, seed), 100)),
          opener(*RecordOpener::make(opens, OwnKey(suite, seed))) {}

    /// What becomes of the record: its plaintext, or nothing and `dropped` says why.
    std::optional<Bytes> open(ByteView record) {
        Bytes room(record_limit);
        const auto opened = opener.open(record, room);
        dropped = opened ? std::nullopt : std::optional(opened.error());
        if (!opened) return std::nullopt;
        CHECK(opened->data() == room.data());
        return copy(*opened);
    }
    std::optional<Drop> dropped;
};

TEST_CASE("what one backend seals the other opens, for every size and suite") {
    for (const auto seals : backends()) {
        for (const auto opens : backends()) {
            for (const auto suite : suites) {
                CAPTURE(name(suite));
                Ends ends(suite, seals, opens);
                std::mt19937_64 random(9);
                for (std::size_t size = 0; size <= 16'384; size += size < 300 ? 1 : 397) {
                    CAPTURE(size);
                    const auto plaintext = random_bytes(random, size);
                    const auto opened = ends.open(seal(ends.sealer, plaintext));
                    REQUIRE(opened);
                    REQUIRE(*opened == plaintext);
                }
                const auto largest = random_bytes(random, record_plaintext_limit);
                CHECK(ends.open(seal(ends.sealer, largest)) == largest);
            }
        }
    }
}

TEST_CASE("one bit changed anywhere in a record and it is dropped, under one of three reasons") {
    for (const auto backend : backends()) {
        for (const auto suite : suites) {
            Ends ends(suite, backend, backend);
            const auto record = seal(ends.sealer, as_bytes("a packet of the tunnel"));
            for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
                CAPTURE(bit);
                auto changed = record;
                changed[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
                REQUIRE_FALSE(ends.open(changed));
                const bool in_header = bit / 8 < 5 || bit / 8 == 11 || bit / 8 == 12;
                REQUIRE(ends.dropped == (in_header ? Drop::record_unknown : Drop::record_forged));
            }
            // None of them was marked: the record itself still passes.
            CHECK(ends.open(record));
        }
    }
}

TEST_CASE("a record that is cut is too short, or its length is not that of the datagram") {
    for (const auto suite : suites) {
        Ends ends(suite, CryptoBackend::automatic, CryptoBackend::automatic);
        const auto record = seal(ends.sealer, as_bytes("12345"));
        for (std::size_t size = 0; size < record.size(); ++size) {
            CAPTURE(size);
            // A copy of its own: reading behind its end is what the sanitizer finds.
            const Bytes cut(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(size));
            CHECK_FALSE(ends.open(cut));
            CHECK(ends.dropped ==
                  (size < record_overhead(suite) ? Drop::record_too_short : Drop::record_unknown));
        }
        auto longer = record;
        longer.push_back({});
        CHECK_FALSE(ends.open(longer));
        CHECK(ends.dropped == Drop::record_unknown);
    }
}

TEST_CASE("a record passes once, and records may overtake one another within the window") {
    Ends ends(RecordSuite::aes128_gcm, CryptoBackend::automatic, CryptoBackend::automatic);
    std::vector<Bytes> records;
    for (int i = 0; i < 3'000; ++i) records.push_back(seal(ends.sealer, as_bytes("x")));
    std::mt19937_64 random(10);
    std::shuffle(records.begin(), records.end(), random);
    for (const auto& record : records) REQUIRE(ends.open(record));
    for (const auto& record : records) {
        REQUIRE_FALSE(ends.open(record));
        REQUIRE(ends.dropped == Drop::record_replayed);
    }
}

TEST_CASE("only a record that is newer than all before counts as the newest") {
    Ends ends(RecordSuite::aes128_gcm, CryptoBackend::automatic, CryptoBackend::automatic);
    const auto first = seal(ends.sealer, as_bytes("1"));
    const auto second = seal(ends.sealer, as_bytes("2"));
    REQUIRE(ends.open(second));
    CHECK(ends.opener.was_newest());
    CHECK(ends.opener.last_sequence() == 101);
    REQUIRE(ends.open(first));
    CHECK_FALSE(ends.opener.was_newest());
    CHECK(ends.opener.last_sequence() == 100);
}

TEST_CASE("a record of another key is forged, and one that has no room is not ours") {
    Ends ours(RecordSuite::aes256_gcm, CryptoBackend::automatic, CryptoBackend::automatic, 1);
    Ends theirs(RecordSuite::aes256_gcm, CryptoBackend::automatic, CryptoBackend::automatic, 2);
    const auto record = seal(theirs.sealer, as_bytes("stranger"));
    CHECK_FALSE(ours.open(record));
    CHECK(ours.dropped == Drop::record_forged);

    Bytes room(7);
    const auto opened = theirs.opener.open(record, room);
    REQUIRE_FALSE(opened);
    CHECK(opened.error() == Drop::record_unknown);
}

TEST_CASE("the kind of a datagram is told by its first byte, and only for kinds there are") {
    CHECK_FALSE(record_type({}));
    for (unsigned first = 0; first < 256; ++first) {
        const std::array datagram{static_cast<std::byte>(first)};
        CHECK(record_type(datagram).has_value() == (first >= 20 && first <= 23));
        CHECK_FALSE(record_epoch(datagram));
    }
}

}  // namespace
}  // namespace causeway::datapath
