#include "causeway/provider/route_probe.h"

#include "causeway/base/fd.h"

#include <sys/socket.h>

#include <cerrno>

namespace causeway::provider {

int route_fault(const Endpoint& endpoint) {
    const Fd fd(socket(endpoint.address.domain(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd) return errno;
    sockaddr_storage storage;
    const auto size = endpoint.to_sockaddr(storage);
    // For UDP, connect(2) looks the route up and does nothing else.
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0 ? 0 : errno;
}

}  // namespace causeway::provider
