#include "causeway/service/ready.h"

#include "causeway/base/text.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <string>

namespace causeway::service {

Fd socket_from_manager() {
    constexpr int first = 3;
    const char* process = std::getenv("LISTEN_PID");
    const char* count = std::getenv("LISTEN_FDS");
    if (!process || !count || std::string_view(count) != "1") return {};
    if (std::string_view(process) != std::to_string(getpid())) return {};
    Fd socket(first);
    if (fcntl(first, F_SETFD, FD_CLOEXEC) != 0) return {};
    const int flags = fcntl(first, F_GETFL);
    if (flags < 0 || fcntl(first, F_SETFL, flags | O_NONBLOCK) < 0) return {};
    return socket;
}

void tell_manager(std::string_view line) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    if (!path) return;
    const std::string_view name(path);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() < 2 || name.size() >= sizeof address.sun_path) return;
    name.copy(address.sun_path, name.size());
    // A name that begins with '@' is one without a file.
    if (name[0] == '@') address.sun_path[0] = '\0';
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return;
    sendto(socket.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&address),
           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size()));
}

Watchdog::Watchdog(EventLoop& loop) : loop_(loop) {
    const char* text = std::getenv("WATCHDOG_USEC");
    if (!text) return;
    const auto length =
        parse_number<std::int64_t>(text, 1, std::numeric_limits<std::int64_t>::max());
    if (!length) return;
    interval_ = std::chrono::microseconds(*length / 2);
    beat();
}

void Watchdog::beat() {
    tell_manager("WATCHDOG=1");
    timer_ = loop_.at(Clock::now() + interval_, [this] { beat(); });
}

}  // namespace causeway::service
