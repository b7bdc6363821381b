#include "causeway/datapath/splitter.h"

#include "tests/support/packets.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace causeway::datapath {
namespace {

using test::Recipe;

/// Each piece copied before the next is asked for, as sealing would.
std::vector<Bytes> pieces_of(const SuperPacket& packet) {
    Splitter splitter;
    std::vector<Bytes> pieces;
    REQUIRE(splitter.start(packet));
    while (true) {
        const auto piece = splitter.next();
        if (piece.empty()) break;
        pieces.push_back(copy(piece));
        // What comes before a piece is the sealer's.
        std::fill_n(piece.data() - super_packet_headroom, super_packet_headroom, std::byte{0xee});
    }
    CHECK(pieces.size() == splitter.count());
    return pieces;
}

Bytes timestamps() { return *from_hex("0101080a0000000100000002"); }

/// IPv6 extension headers: hop-by-hop options, then destination options, then the transport.
Bytes extensions(std::uint8_t protocol) {
    Bytes headers(24);
    headers[0] = std::byte{60};
    headers[8] = static_cast<std::byte>(protocol);
    headers[9] = std::byte{1};
    return headers;
}

struct Kind {
    const char* name;
    Recipe recipe;
};

std::vector<Kind> kinds() {
    return {
        {"TCP over IPv4", {}},
        {"TCP with timestamps", {.tcp_options = timestamps()}},
        {"TCP with 40 bytes of options", {.tcp_options = Bytes(40, std::byte{1})}},
        {"TCP with IPv4 options", {.options = Bytes(12, std::byte{1})}},
        {"TCP with FIN and PSH", {.flags = 0x19}},
        {"TCP with CWR and ECE", {.traffic_class = 2, .flags = 0xd0}},
        {"TCP with every flag", {.flags = 0xff, .urgent = 5}},
        {"TCP whose sequence numbers wrap", {.sequence = 0xfffffff0}},
        {"IPv4 whose identification wraps", {.id = 0xffff, .fragment = 0}},
        {"TCP over IPv6", {.is_v4 = false, .tcp_options = timestamps()}},
        {"TCP over IPv6 with extension headers", {.is_v4 = false, .options = extensions(6)}},
        {"UDP over IPv4", {.is_tcp = false}},
        {"UDP over IPv4 without a checksum", {.is_tcp = false, .has_checksum = false}},
        {"UDP over IPv6", {.is_v4 = false, .is_tcp = false}},
        {"UDP over IPv6 with extension headers",
         {.is_v4 = false, .is_tcp = false, .options = extensions(17)}},
    };
}

}  // namespace

TEST_CASE("a super-packet comes apart into the packets that its sender would have made") {
    for (auto& kind : kinds()) {
        for (const std::size_t payload : {1u, 99u, 100u, 101u, 200u, 1'000u, 20'001u, 65'000u}) {
            for (const auto segment : std::to_array<std::uint16_t>({1, 7, 100, 1'382, 65'535})) {
                if (payload / segment > 3'000) continue;
                CAPTURE(kind.name);
                CAPTURE(payload);
                CAPTURE(segment);
                kind.recipe.payload = test::pattern(payload);
                auto super = test::super_packet_of(kind.recipe, segment);
                CHECK(pieces_of(super.get()) == test::segments_of(kind.recipe, segment));
            }
        }
    }
}

TEST_CASE("the size of the largest packet is known beforehand") {
    Recipe recipe{.payload = test::pattern(5'000)};
    auto super = test::super_packet_of(recipe, 1'400);
    Splitter splitter;
    REQUIRE(splitter.start(super.get()));
    CHECK(splitter.count() == 4);
    CHECK(splitter.packet_size() == 1'440);
}

TEST_CASE("a packet that is whole passes as it is, without what lies behind it") {
    for (auto& kind : kinds()) {
        CAPTURE(kind.name);
        kind.recipe.payload = test::pattern(333);
        const Bytes packet = test::packet_of(kind.recipe);
        Bytes padded = packet;
        padded.resize(packet.size() + 9);
        test::PlacedPacket placed(padded, {});
        CHECK(pieces_of(placed.get()) == std::vector<Bytes>{packet});
    }
}

TEST_CASE("a checksum that was left to us is completed") {
    for (auto& kind : kinds()) {
        if (!kind.recipe.has_checksum) continue;
        for (const std::size_t payload : {0u, 1u, 2u, 1'401u}) {
            CAPTURE(kind.name);
            CAPTURE(payload);
            kind.recipe.payload = test::pattern(payload);
            auto super = test::super_packet_of(kind.recipe, 1);
            SuperPacket packet = super.get();
            packet.offload.segmentation = Segmentation::none;
            CHECK(pieces_of(packet) == std::vector<Bytes>{test::packet_of(kind.recipe)});
        }
    }
}

TEST_CASE("a checksum of zero is written in the way of its protocol") {
    // The two bytes of payload are what makes the sum come out as zero.
    for (const bool is_tcp : {true, false}) {
        for (std::size_t segment_size : {2u, 4u}) {
            Recipe recipe{.is_tcp = is_tcp, .payload = Bytes(segment_size)};
            const Bytes open = test::packet_of(recipe);
            const std::size_t field = is_tcp ? 36 : 26;
            recipe.payload[0] = open[field];
            recipe.payload[1] = open[field + 1];
            const Bytes packet = test::packet_of(recipe);
            CAPTURE(is_tcp);
            REQUIRE(big_endian_16(ByteView(packet).subspan(field)) == (is_tcp ? 0 : 0xffff));
            auto super = test::super_packet_of(recipe, 100);
            CHECK(pieces_of(super.get()) == std::vector<Bytes>{packet});
            SuperPacket whole = super.get();
            test::PlacedPacket again = test::super_packet_of(recipe, 100);
            whole = again.get();
            whole.offload.segmentation = Segmentation::none;
            CHECK(pieces_of(whole) == std::vector<Bytes>{packet});
        }
    }
}

TEST_CASE("what the virtio header says must fit the packet") {
    struct Row {
        const char* story;
        Recipe recipe;
        void (*spoil)(VirtioHeader&);
    };
    const std::vector<Row> rows = {
        {"segments of nothing", {}, [](VirtioHeader& h) { h.segment_size = 0; }},
        {"the other family", {}, [](VirtioHeader& h) { h.segmentation = Segmentation::tcp6; }},
        {"datagrams of TCP", {}, [](VirtioHeader& h) { h.segmentation = Segmentation::udp; }},
        {"TCP without a checksum", {}, [](VirtioHeader& h) { h.needs_checksum = false; }},
        {"a transport elsewhere", {}, [](VirtioHeader& h) { h.checksum_start = 24; }},
        {"a checksum elsewhere", {}, [](VirtioHeader& h) { h.checksum_offset = 6; }},
        {"TCP of datagrams",
         {.is_tcp = false},
         [](VirtioHeader& h) { h.segmentation = Segmentation::tcp4; }},
        {"datagrams that have a checksum and do not",
         {.is_tcp = false},
         [](VirtioHeader& h) { h.needs_checksum = false; }},
        {"a fragment", {.fragment = 0x2000}, [](VirtioHeader&) {}},
        {"a checksum behind the end",
         {},
         [](VirtioHeader& h) {
             h.segmentation = Segmentation::none;
             h.checksum_start = 60'000;
         }},
        {"a checksum of the IP header",
         {},
         [](VirtioHeader& h) {
             h.segmentation = Segmentation::none;
             h.checksum_start = 2;
         }},
        {"a checksum half behind the end",
         {},
         [](VirtioHeader& h) {
             h.segmentation = Segmentation::none;
             h.checksum_offset = 519;
         }},
    };
    for (const auto& row : rows) {
        CAPTURE(row.story);
        Recipe recipe = row.recipe;
        recipe.payload = test::pattern(500);
        auto super = test::super_packet_of(recipe, 100);
        SuperPacket packet = super.get();
        row.spoil(packet.offload);
        Splitter splitter;
        const auto started = splitter.start(packet);
        REQUIRE(!started);
        CHECK(started.error() == Drop::malformed);
        CHECK(splitter.next().empty());
    }
}

TEST_CASE("a super-packet that was cut anywhere is refused") {
    for (auto& kind : kinds()) {
        kind.recipe.payload = test::pattern(300);
        auto super = test::super_packet_of(kind.recipe, 100);
        for (std::size_t size = 0; size < super.get().bytes.size(); ++size) {
            CAPTURE(kind.name);
            CAPTURE(size);
            SuperPacket packet = super.get();
            packet.bytes = packet.bytes.first(size);
            Splitter splitter;
            CHECK(!splitter.start(packet));
        }
    }
}

TEST_CASE("one with nothing but headers, or too many of them, is refused") {
    auto empty = test::super_packet_of({}, 100);
    Splitter splitter;
    CHECK(!splitter.start(empty.get()));

    Bytes long_extension(512);
    long_extension[0] = std::byte{6};
    long_extension[1] = std::byte{63};
    const Recipe recipe{.is_v4 = false,
                        .payload = test::pattern(300),
                        .options = long_extension,
                        .first_extension = 60};
    auto super = test::super_packet_of(recipe, 100);
    CHECK(!splitter.start(super.get()));
}

}  // namespace causeway::datapath
