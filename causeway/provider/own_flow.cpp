#include "causeway/provider/own_flow.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace causeway::provider {
namespace {

/// Where the addresses lie in a header, and the transport behind it.
struct Layout {
    std::size_t protocol;
    std::size_t source;
    std::size_t address_size;
    std::size_t transport;
};

std::optional<Layout> layout_of(ByteView packet) {
    if (packet.size() < 40) return std::nullopt;
    const auto first = std::to_integer<std::size_t>(packet.front());
    if (first >> 4 == 4) return Layout{9, 12, 4, 4 * (first & 15)};
    if (first >> 4 == 6) return Layout{6, 8, 16, 40};
    return std::nullopt;
}

bool has_port(ByteView packet, std::size_t at, std::uint16_t port) {
    return packet.size() >= at + 2 && packet[at] == static_cast<std::byte>(port >> 8) &&
           packet[at + 1] == static_cast<std::byte>(port & 0xff);
}

}  // namespace

bool OwnFlow::sent(ByteView packet) const {
    const auto layout = layout_of(packet);
    if (!layout || layout->address_size != remote.address.bytes().size()) return false;
    const auto [protocol_at, source, size, transport] = *layout;
    // The destination first: it is hardly ever the gateway's.
    return std::ranges::equal(packet.subspan(source + size, size), remote.address.bytes()) &&
           std::ranges::equal(packet.subspan(source, size), local.address.bytes()) &&
           packet[protocol_at] == static_cast<std::byte>(protocol) &&
           has_port(packet, transport, local.port) && has_port(packet, transport + 2, remote.port);
}

std::optional<OwnFlow> own_flow(int socket) {
    int protocol = 0;
    socklen_t size = sizeof protocol;
    if (getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0) return std::nullopt;
    sockaddr_storage local;
    sockaddr_storage remote;
    socklen_t local_size = sizeof local;
    socklen_t remote_size = sizeof remote;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&local), &local_size) != 0 ||
        getpeername(socket, reinterpret_cast<sockaddr*>(&remote), &remote_size) != 0)
        return std::nullopt;
    const auto from = Endpoint::from_sockaddr(local);
    const auto to = Endpoint::from_sockaddr(remote);
    if (!from || !to) return std::nullopt;
    return OwnFlow{static_cast<std::uint8_t>(protocol), *from, *to};
}

}  // namespace causeway::provider
