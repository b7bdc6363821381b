#include "causeway/device/users.h"

#include <doctest/doctest.h>

namespace causeway::device {
namespace {

using Ranges = std::vector<UserRange>;

TEST_CASE("ranges of users that overlap or touch become one") {
    CHECK(merged({}).empty());
    CHECK(merged({{5, 5}}) == Ranges{{5, 5}});
    CHECK(merged({{1000, 1999}, {0, 4}, {5, 9}, {1500, 1600}, {2000, 2000}}) ==
          Ranges{{0, 9}, {1000, 2000}});
    CHECK(merged({{7, no_user}, {no_user, no_user}}) == Ranges{{7, no_user}});
}

TEST_CASE("the others are whoever is in no range") {
    CHECK(all_but({}) == Ranges{{0, no_user - 1}});
    CHECK(all_but({{0, no_user - 1}}).empty());
    CHECK(all_but({{0, 0}, {1000, 1999}}) == Ranges{{1, 999}, {2000, no_user - 1}});
    CHECK(all_but({{5, no_user - 1}}) == Ranges{{0, 4}});
}

}  // namespace
}  // namespace causeway::device
