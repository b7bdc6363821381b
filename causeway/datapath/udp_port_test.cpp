#include "causeway/datapath/udp_port.h"

#include "tests/support/packets.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

namespace causeway::datapath {
namespace {

Endpoint endpoint(const char* text) { return *Endpoint::parse(text); }

Fd bound(const Endpoint& local) {
    Fd socket(::socket(local.address.domain(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    REQUIRE(socket.get() >= 0);
    sockaddr_storage storage;
    const auto size = local.to_sockaddr(storage);
    REQUIRE(bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0);
    return socket;
}

UdpPort port_at(const char* local) {
    auto port = UdpPort::open(bound(endpoint(local)));
    REQUIRE(port);
    return std::move(*port);
}

/// Where to reach it: its port at another address than it is bound to, if need be.
UdpPath path_to(const UdpPort& port, const char* address) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    getsockname(port.fd(), reinterpret_cast<sockaddr*>(&storage), &size);
    return {{*IpAddress::parse(address), Endpoint::from_sockaddr(storage)->port}, {}};
}

UdpPort::Sent send(UdpPort& from, ByteView bytes, std::size_t segment, const UdpPath& to,
                   Drops& drops) {
    const auto sent = from.send_train(bytes, segment, &to, drops);
    CHECK(bytes.empty());
    return sent;
}

struct Received {
    std::vector<Bytes> datagrams;
    UdpPath path;
};

Received receive(UdpPort& port, std::size_t count) {
    Received all;
    while (all.datagrams.size() < count) {
        pollfd waiting{port.fd(), POLLIN, 0};
        REQUIRE(poll(&waiting, 1, 2'000) == 1);
        while (auto train = port.receive_train()) {
            all.path = train->path;
            const std::size_t told = train->count();
            const std::size_t before = all.datagrams.size();
            while (!train->bytes.empty()) all.datagrams.push_back(copy(train->next()));
            CHECK(all.datagrams.size() - before == told);
        }
    }
    return all;
}

std::vector<Bytes> cut(ByteView bytes, std::size_t size) {
    std::vector<Bytes> pieces;
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(size, bytes.size())))
        pieces.push_back(copy(bytes.first(std::min(size, bytes.size()))));
    return pieces;
}

}  // namespace

TEST_CASE("a train arrives as the datagrams it was made of") {
    for (const char* address : {"127.0.0.1", "::1"}) {
        const bool is_v4 = std::string(address) == "127.0.0.1";
        auto from = port_at(is_v4 ? "127.0.0.1:0" : "[::1]:0");
        auto to = port_at(is_v4 ? "127.0.0.1:0" : "[::1]:0");
        Drops drops;
        for (const std::size_t segment : {1u, 100u, 1'023u}) {
            for (const std::size_t size : {segment, 2 * segment, 63 * segment + 1, 64 * segment}) {
                CAPTURE(address);
                CAPTURE(segment);
                CAPTURE(size);
                const Bytes bytes = test::pattern(size);
                CHECK(send(from, bytes, segment, path_to(to, address), drops) ==
                      UdpPort::Sent::all);
                const auto pieces = cut(bytes, segment);
                CHECK(receive(to, pieces.size()).datagrams == pieces);
            }
        }
        CHECK(drops == Drops{});
        CHECK(to.overflowed() == 0);
    }
}

TEST_CASE("a train is one system call where the kernel takes trains") {
    auto from = port_at("127.0.0.1:0");
    auto to = port_at("127.0.0.1:0");
    REQUIRE(from.offloads() == UdpOffloads{true, true});  // Linux 5.0
    Drops drops;
    const Bytes bytes = test::pattern(40 * 1'400);
    send(from, bytes, 1'400, path_to(to, "127.0.0.1"), drops);
    receive(to, 40);
    CHECK(from.sends() == CallCounters{1, 40});
    CHECK(to.receives() == CallCounters{1, 40});
}

TEST_CASE("datagrams leave one by one where the kernel takes no train") {
    auto socket = bound(endpoint("127.0.0.1:0"));
    // Without checksums it refuses to cut.
    const int on = 1;
    REQUIRE(setsockopt(socket.get(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on) == 0);
    auto from = UdpPort::open(std::move(socket));
    REQUIRE(from);
    auto to = port_at("127.0.0.1:0");
    Drops drops;
    const Bytes bytes = test::pattern(10'050);
    CHECK(send(*from, bytes, 1'000, path_to(to, "127.0.0.1"), drops) == UdpPort::Sent::all);
    CHECK(receive(to, 11).datagrams == cut(bytes, 1'000));
    CHECK(from->sends() == CallCounters{11, 11});
    CHECK(drops == Drops{});
}

TEST_CASE("the answer leaves from the address that was asked") {
    auto client = port_at("127.0.0.1:0");
    auto gateway = port_at("0.0.0.0:0");
    Drops drops;
    const Bytes bytes = test::pattern(10);
    send(client, bytes, 10, path_to(gateway, "127.0.0.9"), drops);
    const auto asked = receive(gateway, 1);
    CHECK(asked.path.local.text() == "127.0.0.9");
    CHECK(asked.path.remote == path_to(client, "127.0.0.1").remote);
    send(gateway, bytes, 10, asked.path, drops);
    CHECK(receive(client, 1).path.remote.address.text() == "127.0.0.9");
}

TEST_CASE("a socket of both families speaks IPv4 with those who do") {
    auto client = port_at("127.0.0.1:0");
    auto gateway = port_at("[::]:0");
    Drops drops;
    const Bytes bytes = test::pattern(3'000);
    send(client, bytes, 1'000, path_to(gateway, "127.0.0.9"), drops);
    const auto asked = receive(gateway, 3);
    CHECK(asked.path.remote == path_to(client, "127.0.0.1").remote);
    CHECK(asked.path.local.text() == "127.0.0.9");
    CHECK(send(gateway, bytes, 1'000, asked.path, drops) == UdpPort::Sent::all);
    const auto answer = receive(client, 3);
    CHECK(answer.path.remote.address.text() == "127.0.0.9");
    CHECK(answer.datagrams == cut(bytes, 1'000));
}

TEST_CASE("a closed port at the other end is told, with its address") {
    auto from = port_at("127.0.0.1:0");
    UdpPath closed;
    {
        auto gone = port_at("127.0.0.1:0");
        closed = path_to(gone, "127.0.0.1");
    }
    Drops drops;
    const Bytes bytes = test::pattern(10);
    CHECK(send(from, bytes, 10, closed, drops) == UdpPort::Sent::all);
    pollfd waiting{from.fd(), 0, 0};
    REQUIRE(poll(&waiting, 1, 2'000) == 1);
    CHECK((waiting.revents & POLLERR) != 0);
    const auto trouble = from.trouble();
    REQUIRE(trouble);
    CHECK(*trouble == UdpTrouble{ECONNREFUSED, std::nullopt, closed.remote});
    CHECK(!from.trouble());
}

TEST_CASE("trouble with one destination takes no datagram from the next") {
    auto from = port_at("127.0.0.1:0");
    auto to = port_at("127.0.0.1:0");
    UdpPath closed;
    {
        auto gone = port_at("127.0.0.1:0");
        closed = path_to(gone, "127.0.0.1");
    }
    Drops drops;
    const Bytes bytes = test::pattern(30);
    send(from, bytes, 10, closed, drops);
    send(from, bytes, 10, path_to(to, "127.0.0.1"), drops);
    CHECK(receive(to, 3).datagrams == cut(bytes, 10));
    CHECK(drops == Drops{});
}

TEST_CASE("a datagram that is too large for UDP is dropped and told") {
    auto from = port_at("127.0.0.1:0");
    auto to = port_at("127.0.0.1:0");
    Drops drops;
    const Bytes bytes = test::pattern(65'508);
    CHECK(send(from, bytes, 65'508, path_to(to, "127.0.0.1"), drops) == UdpPort::Sent::failed);
    CHECK(drops.count(Drop::too_large) == 1);
    CHECK(drops.total() == 1);
    REQUIRE(from.trouble().value_or(UdpTrouble{}).number == EMSGSIZE);
}

TEST_CASE("what the kernel dropped for want of room is counted") {
    auto socket = bound(endpoint("127.0.0.1:0"));
    auto to = UdpPort::open(std::move(socket));
    REQUIRE(to);
    const int small = 4'096;
    REQUIRE(setsockopt(to->fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
    auto from = port_at("127.0.0.1:0");
    Drops drops;
    const Bytes bytes = test::pattern(1'000);
    const auto path = path_to(*to, "127.0.0.1");
    for (int i = 0; i < 100; ++i) send(from, bytes, 1'000, path, drops);
    std::size_t received = 0;
    while (auto train = to->receive_train()) received += train->count();
    CHECK(received < 100);
    CHECK(received + to->overflowed() == 100);
    // What the next one tells is no news.
    send(from, bytes, 1'000, path, drops);
    receive(*to, 1);
    CHECK(received + to->overflowed() == 100);
}

TEST_CASE("a datagram without a byte is one that was received") {
    auto to = port_at("127.0.0.1:0");
    const Fd from = bound(endpoint("127.0.0.1:0"));
    sockaddr_storage storage;
    const auto size = path_to(to, "127.0.0.1").remote.to_sockaddr(storage);
    REQUIRE(sendto(from.get(), "", 0, 0, reinterpret_cast<const sockaddr*>(&storage), size) == 0);
    pollfd waiting{to.fd(), POLLIN, 0};
    REQUIRE(poll(&waiting, 1, 2'000) == 1);
    const auto train = to.receive_train();
    REQUIRE(train);
    CHECK(train->bytes.empty());
    CHECK(to.receives() == CallCounters{1, 1});
}

TEST_CASE("what is no socket is refused with what the kernel said") {
    const auto port = UdpPort::open(Fd());
    REQUIRE(!port);
    CHECK(port.error().fact("errno") == "EBADF");
}

}  // namespace causeway::datapath
