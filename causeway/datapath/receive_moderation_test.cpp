#include "causeway/datapath/receive_moderation.h"

#include <doctest/doctest.h>

namespace causeway::datapath {
namespace {

using std::chrono::microseconds;

/// A second in which `calls` a millisecond bring `datagrams` each; how long it pauses at the end.
microseconds pause_after(ReceiveModeration& moderation, std::uint64_t calls,
                         std::uint64_t datagrams) {
    static Instant now{};
    static CallCounters received;
    microseconds pause{};
    for (std::uint64_t turn = 0; turn < 1000 * calls; ++turn) {
        now += microseconds(1000) / calls;
        pause = moderation.pause(received, now);
        received.add(datagrams);
    }
    return pause;
}

TEST_CASE("datagrams gather only while many come one by one") {
    ReceiveModeration moderation;
    CHECK(pause_after(moderation, 1, 1) == microseconds(0));
    CHECK(pause_after(moderation, 8, 1) == microseconds(0));
    CHECK(pause_after(moderation, 50, 1) == ReceiveModeration::gathering);
    CHECK(pause_after(moderation, 20, 1) == ReceiveModeration::gathering);
    CHECK(pause_after(moderation, 20, 40) == microseconds(0));
    CHECK(pause_after(moderation, 100, 1) == ReceiveModeration::gathering);
    CHECK(pause_after(moderation, 1, 1) == microseconds(0));
}

TEST_CASE("the first datagrams after a silence are not held up") {
    ReceiveModeration moderation;
    CallCounters received;
    Instant now{};
    for (int i = 0; i < 100; ++i) {
        moderation.pause(received, now += microseconds(50));
        received.add(1);
    }
    CHECK(moderation.pause(received, now) == ReceiveModeration::gathering);
    CHECK(moderation.pause(received, now + std::chrono::seconds(1)) == microseconds(0));
}

}  // namespace
}  // namespace causeway::datapath
