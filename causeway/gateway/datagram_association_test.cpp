#include "causeway/gateway/datagram_association.h"

#include "causeway/gateway/datagram_socket.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <set>

namespace causeway::gateway {
namespace {

using namespace std::chrono_literals;

datapath::UdpPort port() {
    Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage storage;
    const auto size = Endpoint{*IpAddress::parse("127.0.0.1"), 0}.to_sockaddr(storage);
    REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0);
    auto opened = datapath::UdpPort::open(std::move(fd));
    REQUIRE(opened);
    return std::move(*opened);
}

datapath::UdpPath path_to(const datapath::UdpPort& port) {
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    REQUIRE(getsockname(port.fd(), reinterpret_cast<sockaddr*>(&storage), &size) == 0);
    return {*Endpoint::from_sockaddr(storage), {}};
}

struct Kept final : datapath::SuperPacketSink {
    std::vector<Bytes> packets;
    void take(const datapath::SuperPacket& packet, std::size_t) override {
        packets.push_back(copy(packet.bytes));
    }
};

/// An IPv4 packet of no transport that anybody would merge.
Bytes packet(std::size_t size) {
    Bytes bytes(size, std::byte{0x11});
    bytes[0] = std::byte{0x45};
    bytes[2] = static_cast<std::byte>(size >> 8);
    bytes[3] = static_cast<std::byte>(size);
    bytes[9] = std::byte{253};
    return bytes;
}

/// A gateway's association and a client with the same key, over the loopback.
struct World {
    Instant now = Instant() + 1h;
    datapath::UdpPort ours = port();
    datapath::UdpPort theirs = port();
    datapath::SendPath way{ours};
    Kept kept;
    datapath::ReceivePath receive{kept, {false, false}};
    std::shared_ptr<DatagramLink> link;
    std::optional<DatagramAssociation> association;
    std::optional<tls::Datagram> client;
    std::optional<datapath::RecordSealer> sealer;
    std::optional<datapath::RecordOpener> opener;

    explicit World(const std::string& client_key = std::string(32, 'k'), bool own = true) {
        DatagramTerms terms;
        terms.key = tls::PskKey{Secret(std::string(32, 'k')), {}};
        terms.mtu = 1400;
        terms.times.is_own_end = own;
        link = std::make_shared<DatagramLink>(std::move(terms));
        tls::DatagramSettings settings;
        settings.key = tls::PskKey{Secret(client_key), copy(as_bytes("name"))};
        settings.now = now;
        client.emplace(std::move(settings));
    }

    void from_client() {
        for (; !client->pending().empty(); client->sent()) {
            const ByteView datagram = client->pending();
            if (!association) {
                association.emplace(link, datapath::CryptoBackend::automatic,
                                    as_bytes("the random of the hello"), now);
                association->path = path_to(theirs);
            }
            association->feed(datagram, way, now);
        }
    }
    void to_client() {
        while (auto train = theirs.receive_train())
            for (auto one = train->next(); !one.empty(); one = train->next())
                client->feed(one, now);
    }
    /// Until nobody has anything more to say; the client's keys are taken on the way.
    void shake_hands() {
        for (int turn = 0; turn < 10; ++turn) {
            while (true) {
                const auto event = client->next();
                if (!event || !*event) break;
                if (std::holds_alternative<tls::DatagramReady>(**event)) take_keys();
            }
            from_client();
            to_client();
        }
    }
    void take_keys() {
        auto keys = client->take_traffic_keys();
        REQUIRE(keys);
        const auto suite = *datapath::record_suite(keys->suite);
        sealer = *datapath::RecordSealer::make(
            datapath::CryptoBackend::evp,
            {suite, as_bytes(keys->write_key.reveal()), as_bytes(keys->write_iv.reveal()), 1},
            keys->first_write_sequence, keys->first_explicit_nonce);
        opener = *datapath::RecordOpener::make(
            datapath::CryptoBackend::evp,
            {suite, as_bytes(keys->read_key.reveal()), as_bytes(keys->read_iv.reveal()), 1});
    }
    Bytes record(ByteView payload) {
        Bytes sealed(payload.size() + sealer->overhead());
        sealed.resize(sealer->seal(payload, sealed));
        return sealed;
    }
    Bytes data(ByteView inner) {
        Bytes payload(1, datapath::data_payload);
        append(payload, inner);
        return record(payload);
    }
    std::expected<DatagramAssociation::Opened, datapath::Drop> arrives(ByteView sealed) {
        const auto opened = association->open(sealed, receive, now);
        receive.flush();
        association->end_train(way, now);
        return opened;
    }
    template <typename Event>
    std::optional<Event> next() {
        while (auto event = association->next())
            if (auto* wanted = std::get_if<Event>(&*event)) return std::move(*wanted);
        return std::nullopt;
    }
};

TEST_CASE("a client's first packet in a datagram makes the gateway answer in datagrams") {
    World world;
    CHECK(world.link->handshakes == 0);
    world.shake_hands();
    REQUIRE(world.next<AssociationReady>());
    CHECK(world.link->handshakes == 0);
    CHECK_FALSE(world.association->carries());
    CHECK(world.association->channel_name() == "DTLS 1.2, TLS_PSK_WITH_AES_128_GCM_SHA256");

    const auto sent = packet(100);
    const auto opened = world.arrives(world.data(sent));
    REQUIRE(opened);
    CHECK(opened->is_data);
    CHECK(opened->was_newest);
    REQUIRE(world.kept.packets.size() == 1);
    CHECK(world.kept.packets[0] == sent);
    CHECK(world.next<protocol::DatagramUp>());
    CHECK(world.association->carries());
}

TEST_CASE("what the gateway sends the client opens, and it is counted") {
    World world;
    world.shake_hands();
    REQUIRE(world.arrives(world.data(packet(60))));
    Bytes room(datapath::super_packet_headroom);
    append(room, packet(500));
    const auto inner = std::span(room).subspan(datapath::super_packet_headroom);
    CHECK(world.association->send({inner, {}}, world.way, world.now));
    world.way.flush();
    CHECK(world.association->end_turn(world.now) == datapath::Counters{1, 500, {}});
    CHECK(world.link->traffic().packets_out == 1);
    CHECK(world.link->traffic().bytes_out == 500);

    bool has_come = false;
    while (auto train = world.theirs.receive_train())
        for (auto one = train->next(); !one.empty(); one = train->next()) {
            Bytes plaintext(2'000);
            const auto opened = world.opener->open(one, plaintext);
            if (opened && opened->size() == 501) has_come = opened->front() == std::byte{0};
        }
    CHECK(has_come);
}

TEST_CASE("a packet above what the way takes is not sent, and the caller is told") {
    World world;
    world.shake_hands();
    REQUIRE(world.arrives(world.data(packet(60))));
    Bytes room(datapath::super_packet_headroom);
    append(room, packet(1'500));
    const auto inner = std::span(room).subspan(datapath::super_packet_headroom);
    CHECK_FALSE(world.association->send({inner, {}}, world.way, world.now));
    world.association->end_turn(world.now);
    CHECK(world.link->dropped_for_client().count(datapath::Drop::too_large) == 1);
}

TEST_CASE("only a record that is newer than all before says that the client has moved") {
    World world;
    world.shake_hands();
    const auto first = world.data(packet(60)), second = world.data(packet(61));
    CHECK(world.arrives(second)->was_newest);
    CHECK_FALSE(world.arrives(first)->was_newest);
    CHECK(world.arrives(first).error() == datapath::Drop::record_replayed);
    auto forged = world.data(packet(62));
    forged.back() ^= std::byte{1};
    CHECK(world.arrives(forged).error() == datapath::Drop::record_forged);
    CHECK(world.kept.packets.size() == 2);
}

TEST_CASE("what is no data is told apart: control, handshake, and what is of no use") {
    World world;
    world.shake_hands();
    const Bytes question = *from_hex("03aabbcc");
    const auto opened = world.arrives(world.record(question));
    REQUIRE(opened);
    CHECK_FALSE(opened->is_data);
    CHECK(world.kept.packets.empty());
    // An alert of another key.
    auto alert = world.record(Bytes(2));
    alert[0] = std::byte{21};
    CHECK_FALSE(world.association->feed(alert, world.way, world.now));
}

TEST_CASE("a client with another key gets no channel") {
    World world(std::string(32, 'x'));
    world.shake_hands();
    world.association->advance(world.way, world.now + 11s);
    const auto over = world.next<AssociationOver>();
    REQUIRE(over);
    CHECK(over->why.code.domain() == Domain::tls);
    CHECK_FALSE(world.association->is_ready());
}

TEST_CASE(
    "when TLS has a new key, a stock client hears an alert and its next channel is under it") {
    World world(std::string(32, 'k'), false);
    world.shake_hands();
    REQUIRE(world.arrives(world.data(packet(60))));
    REQUIRE(world.association->carries());
    world.link->set_key(tls::PskKey{Secret(std::string(32, 'n')), {}});
    world.association->renew(world.way, world.now);
    CHECK_FALSE(world.association->carries());
    world.association->advance(world.way, world.now + 30ms);
    world.to_client();
    const auto ended = world.client->next();
    REQUIRE_FALSE(ended);
    CHECK(ended.error().code == Code(Tls::errSSLPeerInternalError));

    World next(std::string(32, 'n'), false);
    next.link = world.link;
    next.shake_hands();
    CHECK(next.association->is_ready());
}

TEST_CASE("a way that takes less than the smallest packet is left to TLS") {
    World world;
    world.shake_hands();
    REQUIRE(world.arrives(world.data(packet(60))));
    REQUIRE(world.association->carries());
    world.association->refused(600, world.now);
    const auto narrow = world.next<AssociationNarrow>();
    REQUIRE(narrow);
    CHECK(narrow->fits == 600 - 20 - 8 - 37 - 1);
    CHECK_FALSE(world.association->carries());
    CHECK(world.arrives(world.data(packet(60))));  // what the client sends still comes
    CHECK_FALSE(world.association->carries());
}

TEST_CASE("handshakes under way are counted until they end in any way") {
    DatagramTerms terms;
    terms.key = tls::PskKey{Secret(std::string(32, 'k')), {}};
    const auto link = std::make_shared<DatagramLink>(std::move(terms));
    {
        const DatagramAssociation one(link, datapath::CryptoBackend::evp, {}, Instant() + 1h);
        const DatagramAssociation other(link, datapath::CryptoBackend::evp, {}, Instant() + 1h);
        CHECK(link->handshakes == 2);
    }
    CHECK(link->handshakes == 0);
}

}  // namespace
}  // namespace causeway::gateway
