#include "causeway/datapath/packet_batch.h"

#include "causeway/datapath/counters.h"
#include "causeway/datapath/tun_device.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace causeway::datapath {
namespace {

TEST_CASE("a batch takes as many packets as it has room for, none larger than its limit") {
    PacketBatch batch(2, 4);
    CHECK(batch.copy_in(as_bytes("abcd")));
    CHECK_FALSE(batch.copy_in(as_bytes("abcde")));
    CHECK(batch.copy_in(as_bytes("")));
    CHECK(batch.is_full());
    CHECK(batch.slot().empty());
    CHECK_FALSE(batch.copy_in(as_bytes("")));
    CHECK(as_text(batch.packets()[0]) == "abcd");
    CHECK(batch.packets()[1].empty());

    batch.clear();
    CHECK(batch.is_empty());
    CHECK(batch.slot().size() == 4);
}

TEST_CASE("the headroom lies directly before its packet and belongs to no other") {
    PacketBatch batch(3, 4, 8);
    for (const auto* text : {"aaaa", "bbbb", "cccc"}) REQUIRE(batch.copy_in(as_bytes(text)));
    for (std::size_t i = 0; i < 3; ++i) {
        const auto whole = batch.with_headroom(i, 8);
        CHECK(whole.size() == 12);
        CHECK(whole.data() + 8 == batch.packet(i).data());
        std::ranges::fill(whole.first(8), std::byte{0xff});
    }
    CHECK(as_text(batch.packets()[0]) == "aaaa");
    CHECK(as_text(batch.packets()[1]) == "bbbb");
    CHECK(as_text(batch.packets()[2]) == "cccc");
}

TEST_CASE("a batch that moves takes its packets along") {
    PacketBatch batch(1, 4);
    REQUIRE(batch.copy_in(as_bytes("abcd")));
    const PacketBatch moved = std::move(batch);
    CHECK(as_text(moved.packets()[0]) == "abcd");
}

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

TEST_CASE("writing to a device that is gone fails, and counts nothing") {
    Counters counters;
    const std::array packets = {as_bytes("abcd")};
    const auto written = write_batch(-1, packets, counters);
    REQUIRE_FALSE(written.has_value());
    CHECK(written.error().fact("errno") == "EBADF");
    CHECK(counters == Counters{});
}

}  // namespace
}  // namespace causeway::datapath
