#include "causeway/gateway/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

constexpr int backlog = 4096;
constexpr int accepted_at_once = 64;  // then others of the loop have their turn
constexpr auto pause_without_descriptors = std::chrono::milliseconds(100);

std::unexpected<Error> cannot_listen(const Endpoint& at, int number, const char* call) {
    auto failure =
        Error{Vpn::configurationFailed, fmt::format("the gateway cannot listen on {}", at.text())};
    return std::unexpected(
        std::move(failure).with("listen", at.text()).because(system_error(number, call)));
}

void set(int fd, int level, int option, int value) {
    // Only ever a refinement: a socket without it works too.
    [[maybe_unused]] const int outcome = setsockopt(fd, level, option, &value, sizeof value);
}

/// ::ffff:192.0.2.1 is 192.0.2.1.
Endpoint unmapped(Endpoint endpoint) {
    static constexpr std::array<std::byte, 12> prefix = {
        std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{},     std::byte{},
        std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{0xff}, std::byte{0xff}};
    const auto bytes = endpoint.address.bytes();
    if (bytes.size() == 16 && std::ranges::equal(bytes.first(12), prefix))
        endpoint.address = *IpAddress::from_bytes(bytes.last(4));
    return endpoint;
}

bool is_shortage(int number) {
    return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

}  // namespace

Result<Fd> Listener::open(const Endpoint& at) {
    Fd fd(socket(at.address.domain(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return cannot_listen(at, errno, "socket");
    set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (!at.address.is_v4()) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);

    sockaddr_storage storage;
    const auto size = at.to_sockaddr(storage);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0)
        return cannot_listen(at, errno, "bind");
    if (listen(fd.get(), backlog) != 0) return cannot_listen(at, errno, "listen");
    return fd;
}

Listener::Listener(EventLoop& loop, Fd socket, Arrived arrived, Troubled troubled)
    : loop_(loop),
      socket_(std::move(socket)),
      arrived_(std::move(arrived)),
      troubled_(std::move(troubled)),
      watch_(loop.watch(socket_.get(), EPOLLIN, [this](auto) { accept_waiting(); })) {}

void Listener::accept_waiting() {
    for (int count = 0; count < accepted_at_once; ++count) {
        sockaddr_storage storage;
        socklen_t size = sizeof storage;
        Fd fd(accept4(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &size,
                      SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!fd && is_shortage(errno)) {
            troubled_(system_error(errno, "accept4", "no further connection can be taken now"));
            return rest();
        }
        // Others (ECONNABORTED, a network error) belong to one connection that is gone already.
        if (!fd && errno == EAGAIN) return;
        if (!fd) continue;

        const auto client = Endpoint::from_sockaddr(storage);
        size = sizeof storage;
        if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) continue;
        const auto local = Endpoint::from_sockaddr(storage);
        if (!client || !local) continue;

        // Packets of a tunnel must not wait for one another.
        set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
        arrived_(Arrival{std::move(fd), unmapped(*client), unmapped(*local)});
    }
}

void Listener::rest() {
    watch_.want(0);
    rest_ = loop_.at(Clock::now() + pause_without_descriptors, [this] { watch_.want(EPOLLIN); });
}

}  // namespace causeway::gateway
