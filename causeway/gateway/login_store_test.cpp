#include "causeway/gateway/login_store.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace causeway::gateway {
namespace {

const Instant start{};

protocol::LoginServer login(const std::string& context) {
    return {std::make_shared<const protocol::LoginPolicy>(), context};
}

TEST_CASE("a login that waits is found once by its context") {
    LoginStore store(10);
    store.put(login("one"), start + std::chrono::seconds(300));
    CHECK_FALSE(store.take("two", start).has_value());
    const auto taken = store.take("one", start);
    REQUIRE(taken.has_value());
    CHECK(taken->login.context() == "one");
    CHECK(taken->until == start + std::chrono::seconds(300));
    CHECK_FALSE(store.take("one", start).has_value());
}

TEST_CASE("a login that takes too long is forgotten") {
    LoginStore store(10);
    store.put(login("one"), start + std::chrono::seconds(300));
    CHECK_FALSE(store.take("one", start + std::chrono::seconds(300)).has_value());
    CHECK(store.size() == 0);
}

TEST_CASE("the longest waiting login makes room for a new one") {
    LoginStore store(2);
    for (const auto* context : {"one", "two", "three"})
        store.put(login(context), start + std::chrono::seconds(300));
    CHECK(store.size() == 2);
    CHECK_FALSE(store.take("one", start).has_value());
    CHECK(store.take("two", start).has_value());
    CHECK(store.take("three", start).has_value());
}

TEST_CASE("a login that is put twice is kept once") {
    LoginStore store(2);
    for (int i = 0; i < 3; ++i) store.put(login("one"), start + std::chrono::seconds(300));
    CHECK(store.size() == 1);
}

}  // namespace
}  // namespace causeway::gateway
