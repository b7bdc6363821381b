#include "causeway/base/secret.h"

#include <doctest/doctest.h>

#include <cstring>
#include <new>

namespace causeway {
namespace {

/// Whether `text` stands anywhere in the bytes of an object.
bool holds(const void* object, std::size_t size, std::string_view text) {
    return memmem(object, size, text.data(), text.size()) != nullptr;
}

TEST_CASE("a secret that was moved away leaves nothing behind in its old place") {
    alignas(Secret) unsigned char place[sizeof(Secret)];
    auto* secret = new (place) Secret("hunter2");
    REQUIRE(holds(place, sizeof place, "hunter2"));
    const Secret moved = std::move(*secret);
    CHECK(moved.reveal() == "hunter2");
    CHECK_FALSE(holds(place, sizeof place, "hunter2"));
    Secret assigned;
    *secret = Secret("hunter2");
    assigned = std::move(*secret);
    CHECK(assigned.reveal() == "hunter2");
    CHECK_FALSE(holds(place, sizeof place, "hunter2"));
    secret->~Secret();
}

TEST_CASE("a secret that ends is wiped") {
    alignas(Secret) unsigned char place[sizeof(Secret)];
    auto* secret = new (place) Secret("hunter2");
    secret->~Secret();
    CHECK_FALSE(holds(place, sizeof place, "hunter2"));
}

}  // namespace
}  // namespace causeway
