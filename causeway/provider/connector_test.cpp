// Connections to real sockets on the loopback.

#include "causeway/provider/connector.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

namespace causeway::provider {
namespace {

IpAddress address(std::string_view text) { return *IpAddress::parse(text); }

class Listener {
public:
    explicit Listener(std::string_view where, std::uint16_t wanted = 0, int backlog = 8) {
        const Endpoint any{address(where), wanted};
        socket_.reset(socket(any.address.domain(), SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(socket_);
        sockaddr_storage storage;
        auto size = any.to_sockaddr(storage);
        auto* name = reinterpret_cast<sockaddr*>(&storage);
        REQUIRE(bind(socket_.get(), name, size) == 0);
        REQUIRE(listen(socket_.get(), backlog) == 0);
        fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
        getsockname(socket_.get(), name, &size);
        port_ = Endpoint::from_sockaddr(storage)->port;
    }
    std::uint16_t port() const { return port_; }
    /// Empties the queue: connections that waited for room are made at their next attempt.
    void make_room() {
        for (int i = 0; i < 8; ++i)
            fillers_.emplace_back(accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK));
    }

    /// Connects until the queue is full: from then on connections get no answer at all.
    void fill(std::string_view where) {
        for (int i = 0; i < 8; ++i) {
            const Endpoint there{address(where), port_};
            sockaddr_storage storage;
            const auto size = there.to_sockaddr(storage);
            Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            REQUIRE((connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) == 0 ||
                     errno == EINPROGRESS));
            fillers_.push_back(std::move(fd));
        }
    }

private:
    std::vector<Fd> fillers_;
    Fd socket_;
    std::uint16_t port_ = 0;
};

Result<Connection> dial(EventLoop& loop, std::vector<IpAddress> addresses, std::uint16_t port,
                        Protect protect = {}, Connector::IsInside is_inside = {}) {
    Result<Connection> outcome = fail(Vpn::pluginFailed);
    Deadlines deadlines;
    deadlines.connect = std::chrono::milliseconds(500);
    Connector connector(
        loop, deadlines, std::move(addresses), port, std::move(protect),
        [&](Result<Connection> result) {
            outcome = std::move(result);
            loop.stop();
        },
        std::move(is_inside));
    loop.run();
    return outcome;
}

}  // namespace

TEST_CASE("addresses are tried in turn, IPv6 first") {
    const auto order = in_turn(
        {address("192.0.2.1"), address("192.0.2.2"), address("2001:db8::1"), address("192.0.2.3")});
    CHECK(order == std::vector{address("2001:db8::1"), address("192.0.2.1"), address("192.0.2.2"),
                               address("192.0.2.3")});
}

TEST_CASE("a connection is made to the address that accepts it") {
    EventLoop loop;
    Listener listener("127.0.0.1");
    const auto connection =
        dial(loop, {address("127.0.0.2"), address("127.0.0.1")}, listener.port());
    REQUIRE(connection);
    CHECK(connection->remote.address == address("127.0.0.1"));
    CHECK(connection->socket);
}

TEST_CASE("an address that answers after another has won does not finish a second time") {
    EventLoop loop;
    Listener full("127.0.0.2", 0, 0);
    full.fill("127.0.0.2");  // silence, so that the second address wins
    Listener quick("127.0.0.1", full.port());
    Deadlines deadlines;
    deadlines.stagger = std::chrono::milliseconds(1);
    int finished = 0;
    Connector connector(
        loop, deadlines, {address("127.0.0.2"), address("127.0.0.1")}, quick.port(), {},
        [&](Result<Connection> result) {
            REQUIRE(result);
            ++finished;
            full.make_room();  // the first address answers the next attempt, after a second
        });
    const auto end = loop.at(Clock::now() + std::chrono::milliseconds(1500), [&] { loop.stop(); });
    loop.run();
    CHECK(finished == 1);
}

TEST_CASE("a refusal by all addresses rests on errSSLConnectionRefused and names each of them") {
    EventLoop loop;
    std::uint16_t port = 0;
    {
        Listener gone("127.0.0.1");
        port = gone.port();
    }
    const auto connection = dial(loop, {address("127.0.0.1"), address("127.0.0.2")}, port);
    REQUIRE_FALSE(connection);
    const auto& error = connection.error();
    CHECK(error.code == Code(Vpn::serverNotResponding));
    CHECK(error.find(Code(Tls::errSSLConnectionRefused)) != nullptr);
    CHECK(error.find(Code::raw(Domain::system, ECONNREFUSED)) != nullptr);
    const auto tried = std::string(error.fact("tried"));
    CHECK(tried.find("127.0.0.1:") != std::string::npos);
    CHECK(tried.find("127.0.0.2:") != std::string::npos);
}

TEST_CASE("a socket that could not be protected is not used") {
    EventLoop loop;
    Listener listener("127.0.0.1");
    const auto connection =
        dial(loop, {address("127.0.0.1")}, listener.port(), [](int) -> Result<void> {
            return fail(Service::INVALID_SOCKET_FD, "the socket was refused");
        });
    REQUIRE_FALSE(connection);
    CHECK(connection.error().find(Code(Service::INVALID_SOCKET_FD)) != nullptr);
}

TEST_CASE("without a route to any address there is no network, and silence is no refusal") {
    const Endpoint one{address("192.0.2.1"), 443}, two{address("2001:db8::1"), 443};
    const std::chrono::milliseconds waited(10'000);
    const auto offline = connect_failure({{one, ENETUNREACH}, {two, ENETUNREACH}}, waited);
    CHECK(offline.code == Code(Vpn::noNetworkAvailable));
    CHECK(offline.find(Code::raw(Domain::system, ENETUNREACH)) != nullptr);

    const auto silent = connect_failure({{one, 0}, {two, ENETUNREACH}}, waited);
    CHECK(silent.code == Code(Vpn::serverNotResponding));
    CHECK(silent.find(Code::raw(Domain::system, ETIMEDOUT)) != nullptr);
    CHECK(silent.detail.find("10 seconds") != std::string::npos);

    const auto unreachable = connect_failure({{one, EHOSTUNREACH}}, waited);
    CHECK(unreachable.code == Code(Vpn::serverNotResponding));
    CHECK(unreachable.find(Code::raw(Domain::system, EHOSTUNREACH)) != nullptr);
}

TEST_CASE("a connection from the tunnel's own address is not made, and said why") {
    EventLoop loop;
    Listener listener("127.0.0.1");
    const auto is_inside = [](const IpAddress& local) { return local == address("127.0.0.1"); };
    const auto connection = dial(loop, {address("127.0.0.1")}, listener.port(), {}, is_inside);
    REQUIRE_FALSE(connection);
    CHECK(connection.error().code == Code(Vpn::unrecoverableNetworkChange));
    CHECK(connection.error().detail.find("leads into the tunnel itself") != std::string::npos);

    // An answer of the network's is weighed against it as one of the way's.
    const Endpoint one{address("192.0.2.1"), 443}, two{address("2001:db8::1"), 443};
    CHECK(connect_failure({{one, ENETUNREACH}, {two, ELOOP}}, {}).code ==
          Code(Vpn::unrecoverableNetworkChange));
    CHECK(connect_failure({{one, ELOOP}, {two, ECONNREFUSED}}, {}).code ==
          Code(Vpn::serverNotResponding));
}

TEST_CASE("an address that does not answer does not hold up the next") {
    EventLoop loop;
    Listener listener("127.0.0.1");
    Listener full("127.0.0.2", listener.port(), 0);
    full.fill("127.0.0.2");
    const auto start = Clock::now();
    const auto connection =
        dial(loop, {address("127.0.0.2"), address("127.0.0.1")}, listener.port());
    REQUIRE(connection);
    CHECK(connection->remote.address == address("127.0.0.1"));
    CHECK(Clock::now() - start >= std::chrono::milliseconds(240));
    CHECK(Clock::now() - start < std::chrono::milliseconds(450));

    const auto silent = dial(loop, {address("127.0.0.2")}, full.port());
    REQUIRE_FALSE(silent);
    CHECK(silent.error().find(Code::raw(Domain::system, ETIMEDOUT)) != nullptr);
    CHECK(silent.error().fact("tried") ==
          "127.0.0.2:" + std::to_string(full.port()) + " no answer");
}

}  // namespace causeway::provider
