#include "causeway/device/caretaker.h"

#include <doctest/doctest.h>

namespace causeway::device {
namespace {

using std::chrono::seconds;

const Instant start{};

Deviation missing(const char* what = "the rule missing") {
    return {"rule", what, AddRules{{{Family::ipv4, 1, 2}}}};
}

TEST_CASE("what is missing is put back, and said each time") {
    Caretaker caretaker;
    for (int i = 0; i < 2; ++i) {
        const auto decision = caretaker.decide({missing()}, start + seconds(i));
        CHECK(decision.repairs.size() == 1);
        CHECK(decision.words ==
              std::vector<std::string>{
                  "somebody changed the tunnel's settings, which are put back: the rule missing"});
    }
    CHECK(caretaker.decide({}, start).words.empty());
}

TEST_CASE("what somebody added is said once as long as it lasts, and nothing is done about it") {
    Caretaker caretaker;
    const Deviation foreign{"routes", "a route not ours"};
    CHECK(caretaker.decide({foreign}, start).words.size() == 1);
    const auto again = caretaker.decide({foreign}, start);
    CHECK(again.words.empty());
    CHECK(again.repairs.empty());
    CHECK(caretaker.decide({}, start).words.empty());
    CHECK(caretaker.decide({foreign}, start).words.size() == 1);
}

TEST_CASE("after five times within a minute it is given up for good, and that is said once") {
    Caretaker caretaker;
    for (std::size_t i = 0; i < repair_limit; ++i)
        CHECK(caretaker.decide({missing()}, start + seconds(i)).repairs.size() == 1);
    const auto last = caretaker.decide({missing()}, start + seconds(10));
    CHECK(last.repairs.empty());
    REQUIRE(last.words.size() == 2);
    CHECK(last.words[0] == "somebody changed the tunnel's settings: the rule missing");
    CHECK(last.words[1].starts_with("nothing is put back any more: it was 5 times within 60 s"));
    const auto later = caretaker.decide({missing()}, start + seconds(1000));
    CHECK(later.repairs.empty());
    CHECK(later.words.empty());
}

TEST_CASE("five times in more than a minute are not too many") {
    Caretaker caretaker;
    for (int i = 0; i < 20; ++i)
        CHECK(caretaker.decide({missing()}, start + i * seconds(16)).repairs.size() == 1);
}

TEST_CASE("several things that are missing are one repair") {
    Caretaker caretaker;
    const auto decision = caretaker.decide({missing("a"), missing("b")}, start);
    CHECK(decision.repairs.size() == 2);
    CHECK(caretaker.decide({missing()}, start).repairs.size() == 1);
}

}  // namespace
}  // namespace causeway::device
