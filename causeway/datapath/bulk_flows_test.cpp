#include "causeway/datapath/bulk_flows.h"

#include "tests/support/packets.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace causeway::datapath {
namespace {

using test::Recipe;

/// The packet as the other side answers it.
Bytes answer_to(Bytes packet) {
    const bool is_v4 = packet[0] == std::byte{0x45};
    const std::ptrdiff_t size = is_v4 ? 4 : 16, source = is_v4 ? 12 : 8, ports = is_v4 ? 20 : 40;
    const auto at = packet.begin();
    std::swap_ranges(at + source, at + source + size, at + source + size);
    std::swap_ranges(at + ports, at + ports + 2, at + ports + 2);
    return packet;
}

std::uint32_t flow(const Recipe& recipe) { return flow_of(packet_of(recipe)); }

TEST_CASE("both directions of a flow are one flow, and other flows are others") {
    for (const bool is_v4 : {true, false})
        for (const bool is_tcp : {true, false}) {
            const Recipe recipe{.is_v4 = is_v4, .is_tcp = is_tcp};
            CHECK(flow(recipe) == flow_of(answer_to(packet_of(recipe))));
            Recipe other = recipe;
            other.source_port = 1001;
            CHECK(flow(recipe) != flow(other));
            other = recipe;
            other.host = 3;
            CHECK(flow(recipe) != flow(other));
            other = recipe;
            other.is_tcp = !is_tcp;
            CHECK(flow(recipe) != flow(other));
        }
}

TEST_CASE("flows whose two ports are equal are told apart") {
    CHECK(flow({.source_port = 2000, .destination_port = 2000}) !=
          flow({.source_port = 3000, .destination_port = 3000}));
}

TEST_CASE("fragments of a datagram are one flow, whatever stands where ports would") {
    const Recipe first{.is_tcp = false, .fragment = 0x2000, .source_port = 1};
    const Recipe last{.is_tcp = false, .fragment = 0x0010, .source_port = 2};
    CHECK(flow(first) == flow(last));
}

TEST_CASE("what is no packet belongs to no flow") {
    CHECK(flow_of({}) == 0);
    CHECK(flow_of(as_bytes("1 is no version")) == 0);
    CHECK(flow_of(ByteView(test::packet_of(Recipe{})).first(19)) == 0);
}

using Kind = BulkFlows::Kind;

TEST_CASE("a flow is in bulk from a large super-packet on, and newly so once") {
    const Recipe recipe{.payload = test::pattern(BulkFlows::large * 1000)};
    auto large = test::super_packet_of(recipe, 1000);
    auto almost = test::super_packet_of({.payload = test::pattern(7000)}, 1000);
    BulkFlows flows;
    CHECK(flows.answered(flow(recipe)) == Kind::small);
    flows.saw(flow(recipe), almost.get());
    CHECK(flows.answered(flow(recipe)) == Kind::small);
    flows.saw(flow(recipe), large.get());
    CHECK(flows.answered(flow(recipe)) == Kind::newly_bulk);
    CHECK(flows.answered(flow(recipe)) == Kind::bulk);
    // Whatever comes behind it: its packets would overtake each other.
    flows.saw(flow(recipe), almost.get());
    flows.saw(flow(recipe), large.get());
    CHECK(flows.answered(flow(recipe)) == Kind::bulk);
}

TEST_CASE("of flows that share a place only another bulk flow makes one forgotten") {
    auto large = test::super_packet_of({.payload = test::pattern(20'000)}, 1000);
    test::PlacedPacket one(test::packet_of(Recipe{}), {});
    BulkFlows flows;
    flows.saw(0xffc00001, large.get());
    flows.saw(0xffc00002, one.get());
    CHECK(flows.answered(0xffc00002) == Kind::small);
    CHECK(flows.answered(0xffc00001) == Kind::newly_bulk);
    flows.saw(0xffc00002, large.get());
    CHECK(flows.answered(0xffc00001) == Kind::small);
    CHECK(flows.answered(0xffc00002) == Kind::newly_bulk);
}

}  // namespace
}  // namespace causeway::datapath
