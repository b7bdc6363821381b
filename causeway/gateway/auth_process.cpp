#include "causeway/gateway/auth_process.h"

#include "causeway/base/text.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

extern char** environ;

namespace causeway::gateway {
namespace {

constexpr int socket_number = 3;  ///< Of the socket in the child.
constexpr std::chrono::milliseconds ending_patience{200};

/// How to start the child: the socket in its place, no signal blocked or ignored.
struct SpawnSettings {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    explicit SpawnSettings(int socket) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, socket, socket_number);
        posix_spawnattr_init(&attributes);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;
    ~SpawnSettings() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
};

Error how_it_ended(int status) {
    if (WIFSIGNALED(status))
        return {Code::killed(WTERMSIG(status)),
                fmt::format("causeway-auth was ended by signal {}", WTERMSIG(status))};
    return {Code::exited(WEXITSTATUS(status)),
            fmt::format("causeway-auth ended with status {}", WEXITSTATUS(status))};
}

int wait_for(pid_t number) {
    int status = 0;
    while (waitpid(number, &status, 0) < 0 && errno == EINTR) continue;
    return status;
}

}  // namespace

AuthProcess::AuthProcess(AuthProcess&& other) noexcept
    : number_(std::exchange(other.number_, -1)) {}

AuthProcess& AuthProcess::operator=(AuthProcess&& other) noexcept {
    if (this != &other) {
        kill();
        number_ = std::exchange(other.number_, -1);
    }
    return *this;
}

Result<AuthProcess> AuthProcess::start(const std::string& program, Fd socket, std::size_t threads) {
    const SpawnSettings settings(socket.get());
    std::string name = "causeway-auth";
    std::array<std::string, 4> words{"--socket", std::to_string(socket_number), "--threads",
                                     std::to_string(threads)};
    std::array<char*, 6> arguments{name.data(),     words[0].data(), words[1].data(),
                                   words[2].data(), words[3].data(), nullptr};
    pid_t number = -1;
    const int refused = posix_spawn(&number, program.c_str(), &settings.actions,
                                    &settings.attributes, arguments.data(), environ);
    if (refused != 0)
        return fail(
            Vpn::pluginFailed,
            fmt::format("{}, which checks passwords, cannot be started", printable(program)),
            system_error(refused, "posix_spawn").with("file", program));
    return AuthProcess(number);
}

void AuthProcess::kill() {
    if (number_ <= 0) return;
    ::kill(number_, SIGKILL);
    wait_for(number_);
    number_ = -1;
}

Error AuthProcess::ending() {
    const auto patience_ends = std::chrono::steady_clock::now() + ending_patience;
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(number_, &status, WNOHANG)) == 0 &&
           std::chrono::steady_clock::now() < patience_ends)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if (ended == 0) {
        ::kill(number_, SIGKILL);
        status = wait_for(number_);
    }
    number_ = -1;
    return how_it_ended(status);
}

}  // namespace causeway::gateway
