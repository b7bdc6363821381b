#include "causeway/device/protect.h"

#include "causeway/device/limits.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>

namespace causeway::device {
namespace {

std::unexpected<Error> refused(int number, const char* call) {
    const auto below = [&] { return system_error(number, call); };
    switch (number) {
        case EBADF: return fail(Service::INVALID_SOCKET_FD, "the descriptor is not open", below());
        case ENOTSOCK:
            return fail(Service::INVALID_SOCKET_FD, "the descriptor is not a socket", below());
        case EAFNOSUPPORT:
            return fail(Service::INVALID_SOCKET_FD, "the socket is not an IP socket", below());
        case EPERM:
            return fail(Service::VPN_CREATION_DENIED, "this process may not mark sockets", below());
        default:
            return fail(Service::SYSTEM_INTERNAL_ERROR, "the socket could not be marked", below());
    }
}

}  // namespace

bool is_run_mark(std::uint32_t mark) {
    const auto base = mark & mark_mask;
    const auto number = mark & ~mark_mask;
    return (base == mark_base || base == inside_mark_base) && number >= 1 && number <= run_limit;
}

Result<void> protect(int socket, std::uint32_t mark) {
    // The kernel marks Unix sockets too, without any effect: so the family is asked first.
    int domain = 0;
    socklen_t size = sizeof domain;
    if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0)
        return refused(errno, "getsockopt SO_DOMAIN");
    if (domain != AF_INET && domain != AF_INET6) return refused(EAFNOSUPPORT, "getsockopt");

    if (setsockopt(socket, SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0)
        return refused(errno, "setsockopt SO_MARK");

    std::uint32_t read_back = 0;
    size = sizeof read_back;
    if (getsockopt(socket, SOL_SOCKET, SO_MARK, &read_back, &size) != 0)
        return refused(errno, "getsockopt SO_MARK");
    if (read_back != mark)
        return fail(Service::SYSTEM_INTERNAL_ERROR,
                    fmt::format("the socket was marked {:#x} and has {:#x}", mark, read_back));
    return {};
}

}  // namespace causeway::device
