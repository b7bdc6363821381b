#include "causeway/base/clock.h"

#include <doctest/doctest.h>

namespace causeway {
namespace {

using namespace std::chrono_literals;

TEST_CASE("dates are written in ISO 8601 with milliseconds when there are any") {
    CHECK(iso8601(WallTime{0ms}) == "1970-01-01T00:00:00Z");
    CHECK(iso8601(WallTime{1007ms}) == "1970-01-01T00:00:01.007Z");
    CHECK(iso8601(WallTime{-61320679320s}) == "0026-10-28T21:58:00Z");
}

TEST_CASE("dates are read as they are written, and nothing else is") {
    for (const WallTime time : {WallTime{0ms}, WallTime{1795208280123ms}, WallTime{-61320679320s}})
        CHECK(parse_iso8601(iso8601(time)) == time);
    for (const char* text :
         {"", "2026-11-20", "2026-11-20T20:58:00", "2026-11-20T20:58:00.1Z", "2026-02-30T00:00:00Z",
          "2026-11-20T24:00:00Z", "2026-11-20T20:58:00Z ", "2026-11-20T20:58:00.-12Z"})
        CHECK_FALSE(parse_iso8601(text).has_value());
}

TEST_CASE("lengths of time are said in their two largest units") {
    CHECK(spoken(90ms) == "90 ms");
    CHECK(spoken(61s) == "1 minute 1 second");
    CHECK(spoken(2h) == "2 hours");
    CHECK(spoken(-76h) == "3 days 4 hours");
    CHECK(spoken(24h + 5s) == "1 day");
}

}  // namespace
}  // namespace causeway
