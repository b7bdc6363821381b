#include "causeway/protocol/path_mtu.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace causeway::protocol {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A way of a given width and round trip, and the clock.
struct Way {
    std::size_t width;
    milliseconds round_trip{20};
    bool is_cut = false;
    Instant now{};
    struct Echo {
        Instant at;
        std::size_t size;
    };
    std::vector<Echo> echoes{};
    std::size_t probes = 0;

    void send(PathMtu& path) {
        while (const auto size = path.next_probe()) {
            ++probes;
            if (!is_cut && *size <= width) echoes.push_back({now + round_trip, *size});
        }
    }

    /// Lets time pass; `uses`: packets are sent and small ones come back all the while.
    void pass(PathMtu& path, milliseconds length, bool uses = false) {
        const Instant end = now + length;
        while (now < end) {
            send(path);
            now += milliseconds(5);
            if (uses) path.used(path.size(), now);
            if (!is_cut) path.heard(now);
            const auto due = std::exchange(echoes, {});
            for (const auto& echo : due)
                echo.at <= now ? path.answered(echo.size, now) : echoes.push_back(echo);
            if (const auto deadline = path.deadline(); deadline && *deadline <= now)
                path.advance(now);
        }
        send(path);
    }
};

TEST_CASE("a way that carries the largest size is known after one round trip") {
    Way way{.width = 5000};
    PathMtu path({.smallest = 576, .largest = 1434}, way.now);
    way.pass(path, milliseconds(30));
    CHECK(path.is_known());
    CHECK(path.size() == 1434);
    CHECK(way.probes == 1);
}

TEST_CASE("every width is found exactly, within five seconds") {
    for (const milliseconds round_trip : {milliseconds(1), milliseconds(30), milliseconds(120)}) {
        for (std::size_t width = 576; width <= 1440; width += 7) {
            Way way{.width = width, .round_trip = round_trip};
            PathMtu path({.smallest = 576, .largest = 1434}, way.now);
            way.pass(path, seconds(5));
            CAPTURE(width);
            CAPTURE(round_trip.count());
            CHECK(path.is_known());
            CHECK(path.size() == std::min<std::size_t>(width, 1434));
        }
    }
}

TEST_CASE("nothing is concluded from probes that are lost with everything else") {
    Way way{.width = 1434, .is_cut = true};
    PathMtu path({.smallest = 576, .largest = 1434}, way.now);
    way.pass(path, seconds(5));
    CHECK_FALSE(path.is_known());
    CHECK(path.size() == 1434);
    way.is_cut = false;
    way.pass(path, seconds(2));
    CHECK(path.is_known());
    CHECK(path.size() == 1434);
}

TEST_CASE("a way that shrinks in silence is noticed within two seconds while it is used") {
    Way way{.width = 1434};
    PathMtu path({.smallest = 576, .largest = 1434}, way.now);
    way.pass(path, seconds(1), true);
    REQUIRE(path.size() == 1434);
    way.width = 1200;
    way.pass(path, milliseconds(1200), true);
    CHECK(path.size() <= 1200);
    way.pass(path, seconds(2), true);
    CHECK(path.size() == 1200);
}

TEST_CASE("a way that is not used is not probed") {
    Way way{.width = 1434};
    PathMtu path({.smallest = 576, .largest = 1434}, way.now);
    way.pass(path, milliseconds(100));
    const auto probes = way.probes;
    way.pass(path, seconds(600));
    CHECK(way.probes == probes);
    CHECK_FALSE(path.deadline());
}

TEST_CASE("a way that grows is noticed within half a minute, exactly") {
    Way way{.width = 1000};
    PathMtu path({.smallest = 576, .largest = 1434}, way.now);
    way.pass(path, seconds(3));
    REQUIRE(path.size() == 1000);
    way.width = 1333;
    way.pass(path, seconds(33));
    CHECK(path.size() == 1333);
}

TEST_CASE("what the network says is believed at once, but not below the smallest size") {
    Way way{.width = 1434};
    PathMtu path({.smallest = 576, .largest = 1434}, way.now);
    way.pass(path, milliseconds(100));
    path.refused(1300, way.now);
    CHECK(path.size() == 1300);
    path.refused(68, way.now);
    CHECK(path.size() == 576);
    path.refused(1400, way.now);  // larger than what is in use: nothing new
    CHECK(path.size() == 576);
}

TEST_CASE("a size refused while searching ends the search above it") {
    Way way{.width = 1100};
    PathMtu path({.smallest = 576, .largest = 1434}, way.now);
    way.send(path);
    path.refused(1100, way.now);
    way.pass(path, milliseconds(700));
    CHECK(path.is_known());
    CHECK(path.size() == 1100);
}

TEST_CASE("a peer that echoes nothing is believed until the network objects") {
    Way way{.width = 1434};
    PathMtu path({.smallest = 576, .largest = 1434, .is_echoed = false}, way.now);
    way.pass(path, seconds(10), true);
    CHECK(path.is_known());
    CHECK(path.size() == 1434);
    CHECK(way.probes == 0);
    path.refused(1280, way.now);
    CHECK(path.size() == 1280);
}

TEST_CASE("small packets put no size to the test") {
    Way way{.width = 1434};
    PathMtu path({.smallest = 576, .largest = 1434}, way.now);
    way.pass(path, milliseconds(100));
    REQUIRE(way.probes == 1);
    for (int i = 0; i < 1000; ++i) {
        path.used(PathMtu::small_packet, way.now);
        way.pass(path, milliseconds(10));
    }
    CHECK(way.probes == 1);
    path.used(PathMtu::small_packet + 1, way.now);
    way.pass(path, seconds(1));
    CHECK(way.probes == 2);
}

TEST_CASE("a way that carries not even the smallest size is too narrow, until it grows") {
    Way way{.width = 1200};
    PathMtu path({.smallest = 1280, .largest = 1434}, way.now);
    way.pass(path, seconds(3));
    CHECK(path.is_known());
    CHECK(path.is_too_narrow());
    CHECK(path.size() == 1280);
    way.width = 1280;
    way.pass(path, seconds(35));
    CHECK_FALSE(path.is_too_narrow());
    CHECK(path.size() == 1280);
}

TEST_CASE("an answer to a size nobody asked for changes nothing") {
    Way way{.width = 1434};
    PathMtu path({.smallest = 576, .largest = 1434}, way.now);
    path.answered(9000, way.now);
    CHECK_FALSE(path.is_known());
    way.width = 800;
    way.pass(path, seconds(3));
    CHECK(path.size() == 800);
}

}  // namespace
}  // namespace causeway::protocol
