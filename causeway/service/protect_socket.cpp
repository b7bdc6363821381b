#include "causeway/service/protect_socket.h"

#include "causeway/device/protect.h"

#include <fmt/format.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace causeway::service {
namespace {

std::unexpected<Error> incurable(std::string why) {
    return fail(Service::INVALID_SOCKET_FD, std::move(why));
}

/// Whoever chose the tunnel by name has chosen it whatever the mark says.
Result<void> check_device(int socket, const Session& session) {
    std::array<char, IFNAMSIZ> name{};
    socklen_t size = name.size();
    if (getsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, name.data(), &size) != 0) return {};
    if (session.interface != name.data()) return {};
    return incurable(fmt::format("the socket is bound to the tunnel's interface {}", name.data()));
}

/// The source address was chosen when it was connected, and stays.
Result<void> check_source(int socket, const Session& session) {
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) != 0) return {};
    const auto source = Endpoint::from_sockaddr(own);
    if (!source) return {};
    const bool is_tunnels = std::ranges::any_of(
        session.config.addresses,
        [&](const Prefix& address) { return address.address == source->address; });
    if (!is_tunnels) return {};
    return incurable(
        fmt::format("the socket has the tunnel's own address {}: protect it before it is connected",
                    source->address.text()));
}

/// What it means that the service itself may not.
Error as_our_failure(Error error) {
    if (error.code == Code(Service::INVALID_SOCKET_FD)) return error;
    error.code = Service::SYSTEM_INTERNAL_ERROR;
    error.with("step", "protect");
    return error;
}

}  // namespace

Result<void> protect_socket(int socket, const Session& session) {
    if (auto marked = device::protect(socket, session.setup->mark()); !marked)
        return std::unexpected(as_our_failure(std::move(marked).error()));
    if (auto free = check_device(socket, session); !free) return free;
    return check_source(socket, session);
}

}  // namespace causeway::service
