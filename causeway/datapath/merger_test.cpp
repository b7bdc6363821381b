#include "causeway/datapath/merger.h"

#include "causeway/datapath/splitter.h"
#include "tests/support/packets.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

namespace causeway::datapath {
namespace {

using test::Recipe;

struct Taken {
    Bytes bytes;
    VirtioHeader offload;
    std::size_t count;
};

/// Keeps what came, and spoils the room in front of it, as a sink may.
class Collector final : public SuperPacketSink {
public:
    void take(const SuperPacket& packet, std::size_t count) override {
        taken.push_back({copy(packet.bytes), packet.offload, count});
        std::fill_n(packet.bytes.data() - super_packet_headroom, super_packet_headroom,
                    std::byte{0xdd});
        std::ranges::fill(packet.bytes, std::byte{0xcc});
    }
    /// All packets that came, runs taken apart again.
    std::vector<Bytes> packets() const {
        std::vector<Bytes> packets;
        for (const auto& one : taken) {
            test::PlacedPacket placed(one.bytes, one.offload);
            Splitter splitter;
            // What is no packet, or has a header that is not right, came as it was.
            if (one.offload.segmentation == Segmentation::none) {
                packets.push_back(one.bytes);
                continue;
            }
            REQUIRE(splitter.start(placed.get()));
            CHECK(splitter.count() == one.count);
            for (auto piece = splitter.next(); !piece.empty(); piece = splitter.next())
                packets.push_back(copy(piece));
        }
        return packets;
    }
    std::vector<Taken> taken;
};

/// As an opener does: into the room, with bytes that mean nothing behind it.
void open_into(Merger& merger, ByteView packet) {
    const auto room = merger.room();
    room[0] = std::byte{0};
    std::ranges::copy(packet, room.subspan(1).begin());
    std::ranges::fill(room.subspan(1 + packet.size(), 40), std::byte{0xaa});
    merger.merge(1 + packet.size());
}

std::vector<Taken> merged(const std::vector<Bytes>& packets, MergeKinds kinds = {}) {
    Collector collector;
    Merger merger(collector, kinds);
    for (const auto& packet : packets) open_into(merger, packet);
    merger.flush();
    CHECK(collector.packets() == packets);
    return collector.taken;
}

Bytes timestamps() { return *from_hex("0101080a0000000100000002"); }

std::vector<Recipe> mergeable() {
    return {{.payload = test::pattern(10'000)},
            {.payload = test::pattern(10'000), .tcp_options = timestamps()},
            {.payload = test::pattern(9'999), .flags = 0x18},
            {.payload = test::pattern(9'999), .flags = 0x11},
            {.payload = test::pattern(12), .flags = 0x50},
            {.payload = test::pattern(10'001), .sequence = 0xffffff00},
            {.payload = test::pattern(10'001), .id = 0xfffe, .fragment = 0},
            {.payload = test::pattern(64'000), .traffic_class = 0xb9, .hops = 1},
            {.is_v4 = false, .payload = test::pattern(10'000)},
            {.is_v4 = false, .payload = test::pattern(65'000), .tcp_options = timestamps()},
            {.is_tcp = false, .payload = test::pattern(440)},
            {.is_tcp = false, .payload = test::pattern(6'300)},
            {.is_tcp = false, .payload = test::pattern(64'000)},
            {.is_v4 = false, .is_tcp = false, .payload = test::pattern(10'001)}};
}

}  // namespace

TEST_CASE("what a splitter cut is put together again, byte for byte") {
    for (const auto& recipe : mergeable()) {
        for (const auto segment : std::to_array<std::uint16_t>({7, 100, 1'382, 9'000})) {
            if (recipe.payload.size() <= segment) continue;
            if (!recipe.is_tcp && recipe.payload.size() > train_segment_limit * segment) continue;
            CAPTURE(recipe.payload.size());
            CAPTURE(recipe.is_tcp);
            CAPTURE(segment);
            const auto runs = merged(test::segments_of(recipe, segment));
            REQUIRE(runs.size() == 1);
            auto super = test::super_packet_of(recipe, segment);
            CHECK(runs[0].bytes == copy(super.get().bytes));
            CHECK(runs[0].offload == super.get().offload);
        }
    }
}

TEST_CASE("a packet that stays alone passes as it is") {
    for (auto recipe : mergeable()) {
        recipe.payload.resize(50);
        const Bytes packet = test::packet_of(recipe);
        const auto runs = merged({packet});
        REQUIRE(runs.size() == 1);
        CHECK(runs[0].bytes == packet);
        CHECK(runs[0].offload == VirtioHeader{});
        CHECK(runs[0].count == 1);
    }
}

TEST_CASE("a run ends with a shorter packet, with PSH and with FIN, and at 65,535 bytes") {
    Recipe recipe{.payload = test::pattern(1'000)};
    SUBCASE("shorter") {
        auto packets = test::segments_of(recipe, 300);
        recipe.sequence += 1'000;
        recipe.id = static_cast<std::uint16_t>(recipe.id + 4);
        for (auto& more : test::segments_of(recipe, 300)) packets.push_back(more);
        const auto runs = merged(packets);
        REQUIRE(runs.size() == 2);
        CHECK(runs[0].count == 4);
    }
    SUBCASE("PSH or FIN") {
        for (const auto flag : std::to_array<std::uint8_t>({0x18, 0x11})) {
            recipe.flags = flag;
            recipe.sequence = 1;
            recipe.id = 7;
            auto packets = test::segments_of(recipe, 250);
            recipe.sequence += 1'000;
            recipe.id = static_cast<std::uint16_t>(recipe.id + 4);
            for (auto& more : test::segments_of(recipe, 250)) packets.push_back(more);
            CHECK(merged(packets).size() == 2);
        }
    }
    SUBCASE("length") {
        // 46 of them and a header are 65,576 bytes.
        recipe.payload = test::pattern(1'424);
        std::vector<Bytes> packets;
        for (int i = 0; i < 46; ++i) {
            packets.push_back(test::packet_of(recipe));
            recipe.sequence += 1'424;
            ++recipe.id;
        }
        const auto runs = merged(packets);
        REQUIRE(runs.size() == 2);
        CHECK(runs[0].count == 45);
    }
}

TEST_CASE("a run of datagrams has no more of them than the kernel takes at once") {
    const auto datagrams =
        test::segments_of({.is_tcp = false, .payload = test::pattern(150 * 32)}, 32);
    const auto taken = merged(datagrams);
    REQUIRE(taken.size() == 3);
    for (const auto& [one, count] : {std::pair{0, 64u}, {1, 64u}, {2, 22u}})
        CHECK(taken[static_cast<std::size_t>(one)].count == count);
    // Of TCP the kernel takes any number.
    CHECK(merged(test::segments_of({.payload = test::pattern(150 * 32)}, 32)).size() == 1);
}

TEST_CASE("packets that differ in anything but their order are not merged") {
    struct Row {
        const char* story;
        bool is_v4;
        bool is_tcp;
        void (*change)(Recipe&);
    };
    const std::vector<Row> rows = {
        {"destination", true, true, [](Recipe& r) { r.host = 3; }},
        {"destination", false, true, [](Recipe& r) { r.host = 3; }},
        {"protocol", true, true, [](Recipe& r) { r.is_tcp = false; }},
        {"family", true, true, [](Recipe& r) { r.is_v4 = false; }},
        {"TOS", true, true, [](Recipe& r) { r.traffic_class = 4; }},
        {"ECN", true, true, [](Recipe& r) { r.traffic_class = 3; }},
        {"traffic class", false, true, [](Recipe& r) { r.traffic_class = 4; }},
        {"flow label", false, true, [](Recipe& r) { r.flow_label = 1; }},
        {"TTL", true, true, [](Recipe& r) { r.hops = 63; }},
        {"hop limit", false, true, [](Recipe& r) { r.hops = 63; }},
        {"identification", true, true, [](Recipe& r) { ++r.id; }},
        {"same identification", true, true, [](Recipe& r) { --r.id; }},
        {"DF", true, true, [](Recipe& r) { r.fragment = 0; }},
        {"a fragment", true, true, [](Recipe& r) { r.fragment = 0x2000; }},
        {"the bit that must be 0", true, true, [](Recipe& r) { r.fragment = 0xc000; }},
        {"IPv4 options", true, true, [](Recipe& r) { r.options = Bytes(4, std::byte{1}); }},
        {"IPv6 extension headers", false, true,
         [](Recipe& r) {
             r.first_extension = 60;
             r.options = *from_hex("0600010400000000");
         }},
        {"source port", true, true, [](Recipe& r) { ++r.source_port; }},
        {"destination port", false, true, [](Recipe& r) { ++r.destination_port; }},
        {"a hole", true, true, [](Recipe& r) { ++r.sequence; }},
        {"sent again", true, true, [](Recipe& r) { r.sequence = 1; }},
        {"acknowledgement", true, true, [](Recipe& r) { ++r.acknowledged; }},
        {"window", true, true, [](Recipe& r) { ++r.window; }},
        {"urgent pointer", true, true, [](Recipe& r) { ++r.urgent; }},
        {"SYN", true, true, [](Recipe& r) { r.flags = static_cast<std::uint8_t>(r.flags | 2); }},
        {"RST", true, true, [](Recipe& r) { r.flags = static_cast<std::uint8_t>(r.flags | 4); }},
        {"URG", true, true, [](Recipe& r) { r.flags = static_cast<std::uint8_t>(r.flags | 0x20); }},
        {"ECE", true, true, [](Recipe& r) { r.flags = static_cast<std::uint8_t>(r.flags | 0x40); }},
        {"CWR", true, true, [](Recipe& r) { r.flags = static_cast<std::uint8_t>(r.flags | 0x80); }},
        {"no ACK", true, true, [](Recipe& r) { r.flags = 0; }},
        {"options", true, true, [](Recipe& r) { r.tcp_options = timestamps(); }},
        {"a longer payload", true, true, [](Recipe& r) { r.payload = test::pattern(101); }},
        {"no payload", true, true, [](Recipe& r) { r.payload.clear(); }},
        {"ports of datagrams", true, false, [](Recipe& r) { ++r.source_port; }},
        {"a longer datagram", false, false, [](Recipe& r) { r.payload = test::pattern(101); }},
        {"an empty datagram", false, false, [](Recipe& r) { r.payload.clear(); }},
        {"no checksum", true, false, [](Recipe& r) { r.has_checksum = false; }},
    };
    for (const auto& row : rows) {
        Recipe recipe{.is_v4 = row.is_v4, .is_tcp = row.is_tcp, .payload = test::pattern(100)};
        const Bytes first = test::packet_of(recipe);
        recipe.sequence += 100;
        ++recipe.id;
        CAPTURE(row.story);
        CHECK(merged({first, test::packet_of(recipe)}).size() == 1);
        row.change(recipe);
        CHECK(merged({first, test::packet_of(recipe)}).size() == 2);
    }
}

TEST_CASE("options that differ in one byte are not merged") {
    Recipe recipe{.payload = test::pattern(100), .tcp_options = timestamps()};
    const Bytes first = test::packet_of(recipe);
    recipe.sequence += 100;
    ++recipe.id;
    recipe.tcp_options[7] ^= std::byte{1};
    CHECK(merged({first, test::packet_of(recipe)}).size() == 2);
}

TEST_CASE("a packet with a wrong checksum is merged with nothing and stays wrong") {
    for (const auto& recipe : mergeable()) {
        const auto packets = test::segments_of(recipe, 4);
        for (std::size_t wrong = 0; wrong < 3; ++wrong) {
            const std::size_t header = packets[0].size() - 4;
            // The payload, the checksum of the transport, and what IPv4's covers.
            for (const std::size_t at :
                 {header + 1, header - 1, recipe.is_v4 ? std::size_t{10} : std::size_t{40}}) {
                auto spoiled = std::vector(packets.begin(), packets.begin() + 3);
                spoiled[wrong][at] ^= std::byte{0x10};
                CAPTURE(wrong);
                CAPTURE(at);
                // The two others are neighbours unless the wrong one is between them.
                CHECK(merged(spoiled).size() >= (wrong == 1 ? 3 : 2));
            }
        }
    }
}

TEST_CASE("zero written as all ones, which TCP never does, is left alone") {
    Recipe recipe{.payload = Bytes(2)};
    recipe.payload = copy(ByteView(test::packet_of(recipe)).subspan(36, 2));
    Bytes packet = test::packet_of(recipe);
    REQUIRE(big_endian_16(ByteView(packet).subspan(36)) == 0);
    Recipe next = recipe;
    next.sequence += 2;
    ++next.id;
    CHECK(merged({packet, test::packet_of(next)}).size() == 1);
    packet[36] = packet[37] = std::byte{0xff};
    CHECK(merged({packet, test::packet_of(next)}).size() == 2);
}

TEST_CASE("what the TUN does not take in runs is not merged") {
    const auto tcp = test::segments_of({.payload = test::pattern(500)}, 100);
    const auto udp = test::segments_of({.is_tcp = false, .payload = test::pattern(500)}, 100);
    CHECK(merged(tcp, {.tcp = false, .udp = true}).size() == 5);
    CHECK(merged(udp, {.tcp = false, .udp = true}).size() == 1);
    CHECK(merged(udp, {.tcp = true, .udp = false}).size() == 5);
    CHECK(merged(tcp, {.tcp = true, .udp = false}).size() == 1);
}

TEST_CASE("what is no packet passes as it is and ends no other's bytes") {
    auto packets = test::segments_of({.payload = test::pattern(600)}, 100);
    for (const std::size_t size : {1u, 19u, 20u, 39u, 40u, 70u, 2'000u})
        packets.insert(packets.begin() + 3, test::pattern(size, 0x45));
    packets.insert(packets.begin() + 3, Bytes(60, std::byte{0x60}));
    CHECK(merged(packets).size() == 10);
}

TEST_CASE("what was put back leaves the run as it was") {
    const Recipe recipe{.payload = test::pattern(5'000)};
    Collector collector;
    Merger merger(collector);
    for (const auto& packet : test::segments_of(recipe, 100)) {
        std::ranges::fill(merger.room().first(1'500), std::byte{0xbb});  // a forged record
        merger.put_back();
        open_into(merger, packet);
        std::ranges::fill(merger.room().first(3), std::byte{0xbb});
        merger.put_back();
    }
    merger.flush();
    REQUIRE(collector.taken.size() == 1);
    CHECK(collector.packets() == test::segments_of(recipe, 100));
}

TEST_CASE("any mix of flows comes out with the same bytes in the same order") {
    std::mt19937 random(4);
    const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
    Collector collector;
    Merger merger(collector);
    std::vector<Recipe> flows = mergeable();
    std::vector<Bytes> sent;
    std::size_t count = 0;
    for (int turn = 0; turn < 20'000; ++turn) {
        Recipe& flow = flows[below(20) == 0 ? below(static_cast<unsigned>(flows.size())) : 0];
        if (below(50) == 0) std::swap(flows[0], flows[below(static_cast<unsigned>(flows.size()))]);
        const std::size_t usual = 1 + (flow.source_port + flow.hops * 37u) % 1'400;
        flow.payload = test::pattern(below(30) == 0 ? below(1'500) : usual, below(1'000));
        flow.flags = below(40) == 0 ? static_cast<std::uint8_t>(random()) : 0x10;
        Bytes packet = test::packet_of(flow);
        if (below(60) == 0) packet[below(static_cast<unsigned>(packet.size()))] ^= std::byte{4};
        flow.sequence += static_cast<std::uint32_t>(flow.payload.size());
        ++flow.id;
        sent.push_back(packet);
        if (below(3) == 0)
            merger.add(packet);
        else
            open_into(merger, packet);
        if (below(100) == 0) merger.flush();
    }
    merger.flush();
    for (const auto& one : collector.taken) count += one.count;
    CHECK(count == sent.size());
    CHECK(collector.taken.size() < sent.size() / 2);
    const auto received = collector.packets();
    REQUIRE(received.size() == sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        CAPTURE(i);
        REQUIRE(received[i] == sent[i]);
    }
}

}  // namespace causeway::datapath
