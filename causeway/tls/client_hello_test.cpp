#include "causeway/tls/client_hello.h"

#include "tests/support/datagram_ends.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace causeway::tls {
namespace {

using namespace causeway::test;

// What openconnect 9.01 (GnuTLS 3.7.9) sent to ocserv 1.1.6; the random bytes between "b720e77b"
// and "ea" are made up.
constexpr auto recorded =
    "16feff0000000000000000009b"
    "0100008f000000000000008f"
    "fefd"
    "b720e77b000102030405060708090a0b0c0d0e0f101112131415161718191aea"
    "20062131ee68d9419216b4f324d3a1367f91b16deb503f283168e1af9fdb76aab6"
    "00"
    "001000a9ccabc0a5008d00a8c0a4008c00ae"
    "0100"
    "0035"
    "000d00220020"
    "0401080908040403050108050503060108060603030108070808020102030a0b"
    "00230000"
    "ff01000100"
    "001c00024000";

Bytes hello() { return from_hex(recorded).value(); }

/// The same with one more extension at its end.
Bytes with_extension(std::string_view extension) {
    auto bytes = hello();
    const auto more = from_hex(extension).value();
    append(bytes, more);
    const auto grow = [&](std::size_t at) {
        const auto size = big_endian_16(ByteView(bytes).subspan(at, 2)) + more.size();
        bytes[at] = static_cast<std::byte>(size >> 8);
        bytes[at + 1] = static_cast<std::byte>(size);
    };
    grow(11);  // The record,
    grow(15);  // the message, twice,
    grow(23);
    grow(25 + 2 + 32 + 33 + 1 + 18 + 2);  // and the list of extensions.
    return bytes;
}

TEST_CASE("the hello of a stock client names its session by the session_id") {
    const auto bytes = hello();
    const auto parts = client_hello(bytes);
    REQUIRE(parts);
    CHECK(hex(parts->app_id) == "062131ee68d9419216b4f324d3a1367f91b16deb503f283168e1af9fdb76aab6");
    CHECK(hex(parts->random).starts_with("b720e77b"));
    CHECK(parts->cookie.empty());
}

TEST_CASE("the extension for the name goes before the session_id") {
    const auto bytes = with_extension("bb92000403a1b2c3");
    const auto parts = client_hello(bytes);
    REQUIRE(parts);
    CHECK(hex(parts->app_id) == "a1b2c3");
    CHECK(hex(parts->session_id).starts_with("062131ee"));
}

TEST_CASE("an extension that breaks its own length is not believed") {
    for (const auto* extension : {"bb92000404a1b2c3",
                                  "bb920005"
                                  "03a1b2c3ff",
                                  "bb92000100"}) {
        const auto bytes = with_extension(extension);
        const auto parts = client_hello(bytes);
        REQUIRE(parts);
        CHECK(hex(parts->app_id).starts_with("062131ee"));
    }
}

TEST_CASE("a hello cut anywhere is none") {
    const auto bytes = hello();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK_FALSE(client_hello(ByteView(bytes).first(size)));
}

TEST_CASE("only a whole ClientHello in the clear counts") {
    const auto changed = [](std::size_t at, int value) {
        auto bytes = hello();
        bytes[at] = static_cast<std::byte>(value);
        return client_hello(bytes).has_value();
    };
    CHECK(changed(0, 22));
    CHECK_FALSE(changed(0, 23));        // Application data.
    CHECK_FALSE(changed(1, 3));         // TLS.
    CHECK_FALSE(changed(4, 1));         // Encrypted.
    CHECK_FALSE(changed(13, 2));        // ServerHello.
    CHECK_FALSE(changed(16, 143 + 1));  // A fragment.
    CHECK_FALSE(changed(21, 1));        // Not the first fragment.
    CHECK_FALSE(changed(25 + 34, 33));  // A session_id that is too long.
}

}  // namespace
}  // namespace causeway::tls
