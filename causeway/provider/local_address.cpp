#include "causeway/provider/local_address.h"

#include "causeway/base/fd.h"

#include <sys/socket.h>

#include <cerrno>

namespace causeway::provider {

std::optional<IpAddress> local_address(int socket) {
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return std::nullopt;
    const auto endpoint = Endpoint::from_sockaddr(storage);
    if (!endpoint) return std::nullopt;
    return endpoint->address;
}

bool is_ours(const IpAddress& address) {
    const Fd fd(socket(address.domain(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd) return false;
    sockaddr_storage storage;
    const auto size = Endpoint{address, 0}.to_sockaddr(storage);
    return bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0 ||
           errno != EADDRNOTAVAIL;
}

}  // namespace causeway::provider
