#include "causeway/datapath/replay_window.h"

#include <doctest/doctest.h>

#include <random>
#include <set>

namespace causeway::datapath {
namespace {

/// The same rule, written as one would say it.
class NaiveWindow {
public:
    bool is_new(std::uint64_t number) const {
        if (seen_.empty() || number > *seen_.rbegin()) return true;
        return *seen_.rbegin() - number < ReplayWindow::size && !seen_.contains(number);
    }
    void mark(std::uint64_t number) { seen_.insert(number); }

private:
    std::set<std::uint64_t> seen_;
};

TEST_CASE("a number passes once") {
    ReplayWindow window;
    CHECK(window.is_new(0));
    CHECK(window.mark(0));
    CHECK_FALSE(window.is_new(0));
    CHECK(window.is_new(1));
}

TEST_CASE("looking changes nothing: only marking does") {
    ReplayWindow window;
    window.mark(10);
    for (int i = 0; i < 3; ++i) CHECK(window.is_new(1'000'000));
    CHECK(window.is_new(9));
}

TEST_CASE("the window reaches back exactly its size, wherever in a word the newest lies") {
    for (std::uint64_t newest = 100'000; newest < 100'130; ++newest) {
        CAPTURE(newest);
        ReplayWindow window;
        window.mark(newest);
        CHECK(window.is_new(newest - ReplayWindow::size + 1));
        CHECK_FALSE(window.is_new(newest - ReplayWindow::size));
        CHECK_FALSE(window.is_new(0));
        CHECK_FALSE(window.mark(newest - ReplayWindow::size + 1));
        CHECK_FALSE(window.is_new(newest - ReplayWindow::size + 1));
    }
}

TEST_CASE("at least two thousand records may overtake one") { CHECK(ReplayWindow::size >= 2'048); }

TEST_CASE("the highest numbers of 48 bits are told apart like all others") {
    ReplayWindow window;
    const std::uint64_t last = (std::uint64_t{1} << 48) - 1;
    CHECK(window.mark(1));
    CHECK(window.mark(last));
    CHECK_FALSE(window.is_new(last));
    CHECK(window.is_new(last - 1));
    CHECK_FALSE(window.is_new(1));
}

TEST_CASE("random reordering, repetition and leaps give what the plain rule gives") {
    for (unsigned seed = 0; seed < 20; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        ReplayWindow window;
        NaiveWindow naive;
        std::uint64_t around = random() % 1'000;
        for (int i = 0; i < 20'000; ++i) {
            const auto kind = random() % 1'000;
            if (kind == 0)
                around += random() % (3 * ReplayWindow::size);
            else if (kind < 500)
                ++around;
            // Half of them near the newest, half anywhere in reach and a little beyond.
            const std::uint64_t back = random() % (kind % 2 == 0 ? 70 : ReplayWindow::size + 200);
            const std::uint64_t number = around - std::min(around, back);
            REQUIRE(window.is_new(number) == naive.is_new(number));
            if (!naive.is_new(number)) continue;
            window.mark(number);
            naive.mark(number);
        }
    }
}

}  // namespace
}  // namespace causeway::datapath
