#include "causeway/gateway/datagram_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

std::unexpected<Error> cannot_listen(const Endpoint& at, int number, const char* call) {
    auto failure = Error{Vpn::configurationFailed,
                         fmt::format("the gateway cannot take datagrams on {}", at.text())};
    return std::unexpected(
        std::move(failure).with("listen", at.text()).because(system_error(number, call)));
}

bool switch_on(const Fd& fd, int level, int option) {
    const int on = 1;
    return setsockopt(fd.get(), level, option, &on, sizeof on) == 0;
}

Result<Fd> open_one(const Endpoint& at) {
    Fd fd(socket(at.address.domain(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return cannot_listen(at, errno, "socket");
    if (!switch_on(fd, SOL_SOCKET, SO_REUSEPORT)) return cannot_listen(at, errno, "setsockopt");
    if (!at.address.is_v4() && !switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY))
        return cannot_listen(at, errno, "setsockopt");
    sockaddr_storage storage;
    const auto size = at.to_sockaddr(storage);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0)
        return cannot_listen(at, errno, "bind");
    return fd;
}

}  // namespace

Result<std::vector<std::vector<Fd>>> open_datagram_sockets(const Config& config,
                                                           std::size_t shard_count) {
    std::vector<std::vector<Fd>> sockets(shard_count);
    if (!config.datagram.enabled) return sockets;
    for (auto& of_shard : sockets) {
        for (Endpoint at : config.listen) {
            if (config.datagram.port != 0) at.port = config.datagram.port;
            auto socket = open_one(at);
            if (!socket) return pass(socket);
            of_shard.push_back(std::move(*socket));
        }
    }
    return sockets;
}

}  // namespace causeway::gateway
