#include "causeway/datapath/counters.h"

#include "causeway/datapath/call_counters.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace causeway::datapath {

TEST_CASE("every reason for a drop has a name of its own and is counted by itself") {
    Drops drops;
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < drop_reasons; ++i) {
        const auto reason = static_cast<Drop>(i);
        drops.add(reason, i + 1);
        CHECK(drops.count(reason) == i + 1);
        names.push_back(name(reason));
    }
    CHECK(drops.total() == drop_reasons * (drop_reasons + 1) / 2);
    std::ranges::sort(names);
    CHECK(std::ranges::adjacent_find(names) == names.end());

    Counters sum{1, 100, drops};
    sum += Counters{2, 200, drops};
    CHECK(sum.packets == 3);
    CHECK(sum.bytes == 300);
    CHECK(sum.drops.total() == 2 * drops.total());
}

TEST_CASE("calls are counted beside what they carried") {
    CallCounters calls;
    calls.add(40);
    calls.add(2);
    calls += CallCounters{1, 5};
    CHECK(calls == CallCounters{3, 47});
}

}  // namespace causeway::datapath
