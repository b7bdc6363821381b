// What tests ask of a failure of the channel.

#pragma once

#include "tests/support/tls_ends.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

namespace causeway::test {

/// It has failed with that code and sent that alert; "": none.
inline void check(const Seen& seen, std::int32_t code, std::string_view alert = "") {
    REQUIRE(seen.failure.has_value());
    CHECK(seen.failure->code.number() == code);
    CHECK(seen.failure->fact("alert") == alert);
    if (!alert.empty()) CHECK(seen.failure->fact("alert_from") == "local");
    CHECK_FALSE(seen.failure->detail.empty());
}

}  // namespace causeway::test
