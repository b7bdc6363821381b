#include "causeway/program/listening.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

namespace causeway::program {
namespace {

std::unexpected<Error> cannot_open(const std::string& path, int number, const char* call) {
    auto failure =
        Error{Vpn::configurationFailed, fmt::format("the control socket {} cannot be used", path)};
    return std::unexpected(
        std::move(failure).with("control_socket", path).because(system_error(number, call)));
}

/// A socket that nobody listens on: left behind by a program that was killed. Any other file is
/// somebody's, though connect(2) says the same of it.
bool is_abandoned(const std::string& path, const sockaddr_un& address) {
    std::error_code unknown;
    if (!std::filesystem::is_socket(path, unknown)) return false;
    const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return probe &&
           connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
           errno == ECONNREFUSED;
}

}  // namespace

Result<Fd> listen_at(const std::string& path, int backlog) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return cannot_open(path, ENAMETOOLONG, "bind");
    std::memcpy(address.sun_path, path.data(), path.size());

    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failure);
    if (failure) return cannot_open(path, failure.value(), "mkdir");
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return cannot_open(path, errno, "socket");
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    if (bind(fd.get(), name, sizeof address) != 0) {
        const int number = errno;
        if (number != EADDRINUSE || !is_abandoned(path, address))
            return cannot_open(path, number, "bind");
        unlink(path.c_str());
        if (bind(fd.get(), name, sizeof address) != 0) return cannot_open(path, errno, "bind");
    }
    // Anybody may knock; who may ask is decided by credentials, which cannot be forged.
    if (chmod(path.c_str(), 0666) != 0) return cannot_open(path, errno, "chmod");
    if (listen(fd.get(), backlog) != 0) return cannot_open(path, errno, "listen");
    return fd;
}

}  // namespace causeway::program
