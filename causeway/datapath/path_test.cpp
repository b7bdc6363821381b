// SendPath and ReceivePath against each other, over two sockets of this machine.

#include "causeway/datapath/receive_path.h"
#include "causeway/datapath/record_test_support.h"
#include "causeway/datapath/send_path.h"
#include "tests/support/packets.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <optional>

namespace causeway::datapath {
namespace {

using causeway::test::Recipe;

UdpPort loopback() {
    Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    REQUIRE(socket.get() >= 0);
    sockaddr_storage storage;
    const auto size = Endpoint{*IpAddress::parse("127.0.0.1"), 0}.to_sockaddr(storage);
    REQUIRE(bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0);
    auto port = UdpPort::open(std::move(socket));
    REQUIRE(port);
    return std::move(*port);
}

class Collector final : public SuperPacketSink {
public:
    void take(const SuperPacket& packet, std::size_t count) override {
        packets.push_back(copy(packet.bytes));
        counts.push_back(count);
    }
    std::vector<Bytes> packets;
    std::vector<std::size_t> counts;
};

/// Two ends, one direction.
struct Way {
    explicit Way(RecordSuite suite = RecordSuite::aes128_gcm, std::uint64_t first = 1)
        : key(suite, 5),
          sealer(*RecordSealer::make(CryptoBackend::automatic, key, first)),
          opener(*RecordOpener::make(CryptoBackend::automatic, key)) {
        sockaddr_storage storage{};
        socklen_t size = sizeof storage;
        getsockname(to.fd(), reinterpret_cast<sockaddr*>(&storage), &size);
        path.remote = *Endpoint::from_sockaddr(storage);
    }

    SendPath::Taken send(const Recipe& recipe, std::uint16_t segment_size,
                         std::size_t limit = 65'535) {
        auto super = causeway::test::super_packet_of(recipe, segment_size);
        return sender.send(super.get(), sealer, &path, limit, sent);
    }
    SendPath::Taken send(ByteView packet) {
        causeway::test::PlacedPacket placed(packet, {});
        return sender.send(placed.get(), sealer, &path, 65'535, sent);
    }

    /// Flushes, and opens what arrives.
    void pass_on(std::size_t datagrams) {
        sender.flush();
        while (datagrams > 0) {
            pollfd waiting{to.fd(), POLLIN, 0};
            REQUIRE(poll(&waiting, 1, 2'000) == 1);
            while (auto train = to.receive_train()) {
                datagrams -= train->count();
                while (!train->bytes.empty()) open(train->next());
                receiver.flush();
            }
        }
    }
    void open(ByteView record) {
        const auto opened = receiver.open(record, opener);
        if (!opened)
            dropped.add(opened.error());
        else if (!opened->empty())
            control.push_back(copy(*opened));
    }

    test::OwnKey key;
    RecordSealer sealer;
    RecordOpener opener;
    UdpPort from = loopback();
    UdpPort to = loopback();
    UdpPath path;
    SendPath sender{from};
    Collector collector;
    ReceivePath receiver{collector};
    Counters sent;
    Drops dropped;
    std::vector<Bytes> control;
};

}  // namespace

TEST_CASE("a super-packet is one train, and one super-packet again at the other end") {
    for (const auto suite : test::suites) {
        for (const bool is_v4 : {true, false}) {
            for (const bool is_tcp : {true, false}) {
                Way way(suite);
                const Recipe recipe{.is_v4 = is_v4,
                                    .is_tcp = is_tcp,
                                    .payload = causeway::test::pattern(44 * 1'380)};
                CHECK(way.send(recipe, 1'380) == SendPath::Taken::all);
                CHECK(way.sent.packets == 44);
                way.pass_on(44);
                CHECK(way.from.sends() == CallCounters{1, 44});
                auto super = causeway::test::super_packet_of(recipe, 1'380);
                REQUIRE(way.collector.packets.size() == 1);
                CHECK(way.collector.packets[0] == copy(super.get().bytes));
                CHECK(way.collector.counts[0] == 44);
                CHECK(way.dropped == Drops{});
            }
        }
    }
}

TEST_CASE("small packets of equal size gather in a train until it is full") {
    Way way;
    std::vector<Bytes> packets;
    for (std::uint16_t i = 0; i < 100; ++i) {
        // Every packet of another flow, so that none is merged.
        const Recipe recipe{.is_tcp = false,
                            .payload = causeway::test::pattern(36, i),
                            .source_port = static_cast<std::uint16_t>(1'000 + i)};
        packets.push_back(causeway::test::packet_of(recipe));
        way.send(packets.back());
    }
    CHECK(way.from.sends() == CallCounters{1, 64});
    way.pass_on(100);
    CHECK(way.from.sends() == CallCounters{2, 100});
    CHECK(way.collector.packets == packets);
}

TEST_CASE("packets of any size keep their order") {
    Way way;
    std::vector<Bytes> packets;
    for (const std::size_t size : {500u, 500u, 20u, 500u, 700u, 1u, 1u, 9'000u, 700u}) {
        packets.push_back(causeway::test::packet_of(
            {.payload = causeway::test::pattern(size), .sequence = 77, .flags = 0x18}));
        way.send(packets.back());
    }
    way.pass_on(packets.size());
    CHECK(way.collector.packets == packets);
}

TEST_CASE("a payload that is no packet comes back with its type byte") {
    Way way;
    const Recipe recipe{.payload = causeway::test::pattern(2'000)};
    const Bytes ask = *from_hex("03aabbcc");
    way.send(recipe, 100);
    CHECK(way.sender.send_payload(ask, way.sealer, &way.path));
    way.send(recipe, 100);
    way.pass_on(41);
    CHECK(way.control == std::vector<Bytes>{ask});
    CHECK(way.collector.packets.size() == 2);
    CHECK(way.sent.packets == 40);
    CHECK(way.sender.control() == 1);
    CHECK(way.sender.drops() == Drops{});
    CHECK(way.sender.waiting() == 0);
}

TEST_CASE("every datagram that is sealed or given is sent, dropped for a reason, or waits") {
    Way way(RecordSuite::aes128_gcm, (std::uint64_t{1} << 48) - 4);
    const auto left = way.sealer.records_left();
    CHECK(way.sender.send_datagram(causeway::test::pattern(50), &way.path));
    CHECK(way.sender.send_datagram(causeway::test::pattern(50), &way.path,
                                   SendPath::Carries::packet));
    for (std::uint64_t i = 0; i < left; ++i)
        CHECK(way.sender.send_payload(Bytes(3, std::byte{7}), way.sealer, &way.path));
    CHECK_FALSE(way.sender.send_payload(Bytes(3, std::byte{7}), way.sealer, &way.path));
    CHECK_FALSE(way.sender.send_datagram(Bytes(70'000), &way.path));
    CHECK(way.sender.waiting() > 0);
    way.sender.flush();
    CHECK(way.sender.waiting() == 0);
    CHECK(way.sender.control() == 1 + left + 1 + 1);
    CHECK(way.sender.drops().count(Drop::no_key) == 1);
    CHECK(way.sender.drops().count(Drop::queue_full) == 1);
    CHECK(way.sender.control() + 1 == way.from.sends().packets + way.sender.drops().total());
}

TEST_CASE("a super-packet that cannot be taken apart is as many packets as it says") {
    Way way;
    auto super = causeway::test::super_packet_of({.payload = causeway::test::pattern(1'000)}, 100);
    auto broken = super.get();
    broken.offload.segmentation = Segmentation::tcp6;
    const auto count = packet_count(broken);
    REQUIRE(count > 1);
    CHECK(way.sender.send(broken, way.sealer, &way.path, 2'000, way.sent) ==
          SendPath::Taken::malformed);
    CHECK(way.sent.drops.count(Drop::malformed) == count);
}

TEST_CASE("an empty payload and an empty packet are malformed") {
    Way way;
    CHECK(way.sender.send_payload({}, way.sealer, &way.path));
    CHECK(way.sender.send_payload(Bytes(1), way.sealer, &way.path));
    way.pass_on(2);
    CHECK(way.dropped.count(Drop::malformed) == 2);
    CHECK(way.collector.packets.empty());
}

TEST_CASE("forged, replayed and foreign records in the middle of a run change nothing") {
    Way way;
    const Recipe recipe{.payload = causeway::test::pattern(3'000)};
    Bytes last;
    for (const auto& packet : causeway::test::segments_of(recipe, 100)) {
        Bytes payload(1);
        append(payload, packet);
        const Bytes record = test::seal(way.sealer, payload);
        Bytes forged = record;
        forged[40] ^= std::byte{1};
        way.open(forged);
        way.open(record);
        way.open(record);
        way.open(causeway::test::pattern(5));
        way.open(causeway::test::pattern(20'000, 23));
    }
    way.receiver.flush();
    CHECK(way.dropped.count(Drop::record_forged) == 30);
    CHECK(way.dropped.count(Drop::record_replayed) == 30);
    CHECK(way.dropped.count(Drop::record_too_short) == 30);
    CHECK(way.dropped.count(Drop::record_unknown) == 30);
    auto super = causeway::test::super_packet_of(recipe, 100);
    CHECK(way.collector.packets == std::vector<Bytes>{copy(super.get().bytes)});
}

TEST_CASE("packets above the limit are dropped and told") {
    Way way;
    const Recipe recipe{.payload = causeway::test::pattern(10'000)};
    CHECK(way.send(recipe, 1'000, 1'039) == SendPath::Taken::too_large);
    CHECK(way.sent.drops.count(Drop::too_large) == 10);
    CHECK(way.send(recipe, 1'000, 1'040) == SendPath::Taken::all);
    CHECK(way.sent.packets == 10);
    CHECK(way.send(causeway::test::pattern(30, 1)) == SendPath::Taken::malformed);
    CHECK(way.sent.drops.count(Drop::malformed) == 1);
}

TEST_CASE("what finds no number under the key is dropped and told") {
    Way way(RecordSuite::aes128_gcm, (std::uint64_t{1} << 48) - 4);
    const auto left = way.sealer.records_left();
    REQUIRE(left < 10);
    const Recipe recipe{.payload = causeway::test::pattern(1'000)};
    CHECK(way.send(recipe, 100) == SendPath::Taken::no_key);
    CHECK(way.sent.packets == left);
    CHECK(way.sent.drops.count(Drop::no_key) == 10 - left);
}

TEST_CASE("packets that came another way are merged with the others") {
    Way way;
    const auto packets =
        causeway::test::segments_of({.payload = causeway::test::pattern(3'000)}, 100);
    for (std::size_t i = 0; i < packets.size(); ++i) {
        Bytes payload(1);
        append(payload, packets[i]);
        if (i % 2 == 0)
            CHECK(way.receiver.add(packets[i]));
        else
            way.open(test::seal(way.sealer, payload));
    }
    CHECK(!way.receiver.add(Bytes(Merger::payload_limit)));
    CHECK(!way.receiver.add({}));
    way.receiver.flush();
    CHECK(way.collector.counts == std::vector<std::size_t>{30});
}

TEST_CASE("a super-packet that fits in a train is not spread over two") {
    Way way;
    Recipe recipe{.payload = causeway::test::pattern(43 * 1'382)};
    way.send(recipe, 1'382);
    recipe.sequence += 43 * 1'382;
    way.send(recipe, 1'382);
    way.pass_on(86);
    CHECK(way.from.sends() == CallCounters{2, 86});
    // Smaller ones share one.
    recipe.payload = causeway::test::pattern(20 * 1'382);
    way.send(recipe, 1'382);
    way.send(recipe, 1'382);
    way.pass_on(40);
    CHECK(way.from.sends() == CallCounters{3, 126});
    // What fits in none is spread.
    recipe.payload = causeway::test::pattern(65'000);
    way.send(recipe, 600);
    way.pass_on(109);
    CHECK(way.from.sends() == CallCounters{5, 235});
}

TEST_CASE("two destinations are two trains") {
    Way way;
    auto other = way.path;
    other.local = *IpAddress::parse("127.0.0.1");
    const Recipe recipe{.payload = causeway::test::pattern(300)};
    way.send(recipe, 100);
    way.path = other;
    way.send(recipe, 100);
    way.pass_on(6);
    CHECK(way.from.sends() == CallCounters{2, 6});
}

}  // namespace causeway::datapath
