#include "causeway/gateway/listener.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

namespace causeway::gateway {
namespace {

Endpoint name_of(int socket) {
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    REQUIRE(getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size) == 0);
    return *Endpoint::from_sockaddr(storage);
}

Fd dial(const Endpoint& to) {
    Fd fd(socket(to.address.domain(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage storage;
    const auto size = to.to_sockaddr(storage);
    REQUIRE(connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0);
    return fd;
}

TEST_CASE("a connection arrives with both its addresses") {
    auto socket = Listener::open(*Endpoint::parse("127.0.0.1:0"));
    REQUIRE(socket.has_value());
    const auto at = name_of(socket->get());

    EventLoop loop;
    std::vector<Arrival> arrivals;
    const Listener listener(
        loop, std::move(*socket),
        [&](Arrival arrival) {
            arrivals.push_back(std::move(arrival));
            loop.stop();
        },
        [](const Error&) {});
    const Fd client = dial(at);
    loop.run();
    REQUIRE(arrivals.size() == 1);
    CHECK(arrivals[0].local == at);
    CHECK(arrivals[0].client == name_of(client.get()));
    CHECK((fcntl(arrivals[0].socket.get(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("an address that somebody listens on already is refused with its name") {
    const auto first = Listener::open(*Endpoint::parse("127.0.0.1:0"));
    REQUIRE(first.has_value());
    const auto at = name_of(first->get());
    const auto second = Listener::open(at);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == Code(Vpn::configurationFailed));
    CHECK(second.error().fact("listen") == at.text());
    CHECK(second.error().find(Code::raw(Domain::system, EADDRINUSE)) != nullptr);
}

TEST_CASE("an address that is not this machine's is refused") {
    const auto socket = Listener::open(*Endpoint::parse("192.0.2.1:4433"));
    REQUIRE_FALSE(socket.has_value());
    CHECK(socket.error().find(Code::raw(Domain::system, EADDRNOTAVAIL)) != nullptr);
}

TEST_CASE("without descriptors it says so and goes on when there are some again") {
    auto socket = Listener::open(*Endpoint::parse("127.0.0.1:0"));
    REQUIRE(socket.has_value());
    const auto at = name_of(socket->get());
    EventLoop loop;
    std::vector<Error> troubles;
    std::size_t arrived = 0;
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    const Listener listener(
        loop, std::move(*socket),
        [&](const Arrival&) {
            ++arrived;
            loop.stop();
        },
        [&](Error error) {
            troubles.push_back(std::move(error));
            setrlimit(RLIMIT_NOFILE, &before);
        });
    const Fd client = dial(at);
    // The next descriptor would be one above the highest in use.
    const rlimit none{static_cast<rlim_t>(client.get()) + 1, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    loop.run();
    CHECK(arrived == 1);
    REQUIRE(troubles.size() == 1);
    CHECK(troubles[0].code == Code::raw(Domain::system, EMFILE));
}

}  // namespace
}  // namespace causeway::gateway
