#include "causeway/base/bytes.h"

#include <doctest/doctest.h>

namespace causeway {
namespace {

TEST_CASE("what hex and base64 write, they read") {
    Bytes bytes;
    for (int i = 0; i < 70; ++i) {
        CHECK(from_hex(hex(bytes)) == bytes);
        CHECK(from_base64(base64(bytes)) == bytes);
        bytes.push_back(static_cast<std::byte>(i * 37));
    }
    CHECK(base64(as_bytes("foob")) == "Zm9vYg==");
}

TEST_CASE("base64 that is not canonical is refused") {
    for (const auto* bad : {"Zg=", "Zg", "Zh==", "Z===", "Zg==Zg==", "Z g=", "===="})
        CHECK_FALSE(from_base64(bad));
}

TEST_CASE("numbers in network order survive a round") {
    Bytes bytes;
    put_big_endian_16(bytes, 0x1234);
    put_big_endian_32(bytes, 0xdeadbeef);
    CHECK(hex(bytes) == "1234deadbeef");
    CHECK(big_endian_16(bytes) == 0x1234);
    CHECK(big_endian_32(ByteView(bytes).subspan(2)) == 0xdeadbeef);
}

}  // namespace
}  // namespace causeway
