#include "causeway/service/caller.h"

#include "causeway/base/text.h"
#include "causeway/ipc/channel.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace causeway::service {
namespace {

/// All of them, however many there are; none where the kernel does not tell.
std::vector<gid_t> supplementary_groups(int socket) {
    std::vector<gid_t> groups(64);
    while (true) {
        socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
        if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
            groups.resize(size / sizeof(gid_t));
            return groups;
        }
        if (errno != ERANGE) return {};
        groups.resize(size / sizeof(gid_t));
    }
}

}  // namespace

Result<Caller> caller_of(int socket) {
    const auto peer = ipc::peer_credentials(socket);
    if (!peer) return std::unexpected(peer.error());
    Caller caller{peer->uid, peer->pid, {peer->gid}};
    for (const gid_t group : supplementary_groups(socket)) caller.groups.insert(group);
    return caller;
}

Result<Fd> process_of(int socket, const Caller& caller) {
    int number = -1;
    socklen_t size = sizeof number;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &number, &size) == 0) return Fd(number);
    if (errno != ENOPROTOOPT)
        return std::unexpected(system_error(errno, "getsockopt SO_PEERPIDFD"));
    return process_numbered(caller.pid);
}

Result<Fd> process_numbered(pid_t process) {
    Fd opened(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
    if (!opened) return std::unexpected(system_error(errno, "pidfd_open"));
    return opened;
}

std::optional<uid_t> user_named(const std::string& name) {
    if (const auto number = parse_number<uid_t>(name, 0, 0xfffffffe)) return number;
    const passwd* user = getpwnam(name.c_str());
    if (user == nullptr) return std::nullopt;
    return user->pw_uid;
}

std::string spoken(uid_t user) {
    const passwd* known = getpwuid(user);
    if (known == nullptr) return fmt::format("uid {}", user);
    return fmt::format("{} (uid {})", known->pw_name, user);
}

}  // namespace causeway::service
