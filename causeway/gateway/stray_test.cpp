#include "causeway/gateway/stray.h"

#include <doctest/doctest.h>

namespace causeway::gateway {

using datapath::Drop;

TEST_CASE("a stray is dropped when the last that tried it has let go of it") {
    const auto drops = std::make_shared<SharedDrops>();
    auto here = std::make_shared<Stray>(drops);
    auto elsewhere = here;
    elsewhere->refused(Drop::record_replayed);
    here.reset();
    CHECK(drops->sum().total() == 0);
    elsewhere.reset();
    CHECK(drops->sum().count(Drop::record_replayed) == 1);
    CHECK(drops->sum().total() == 1);
}

TEST_CASE(
    "a stray that is taken is no loss, whatever the others say; one that nobody has is unknown") {
    const auto drops = std::make_shared<SharedDrops>();
    {
        Stray stray(drops);
        stray.refused(Drop::record_forged);
        stray.taken();
    }
    CHECK(drops->sum().total() == 0);
    {
        Stray stray(drops);
    }
    CHECK(drops->sum().count(Drop::record_unknown) == 1);
    {
        Stray stray(drops);
        stray.refused(Drop::record_replayed);
    }
    CHECK(drops->sum().count(Drop::record_replayed) == 1);
    CHECK(drops->sum().total() == 2);
}

}  // namespace causeway::gateway
