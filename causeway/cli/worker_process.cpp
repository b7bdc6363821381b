#include "causeway/cli/worker_process.h"

#include "causeway/error/names.h"
#include "causeway/provider/worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace causeway::cli {
namespace {

Error not_started(const char* call) {
    return Error{Vpn::pluginFailed, "the worker could not be started"}.because(
        system_error(errno, call));
}

/// The lock of the state file among others must not live on in the worker.
void close_all_but(std::array<int, 3> kept) {
    std::ranges::sort(kept);
    unsigned first = 3;
    for (const int fd : kept) {
        if (static_cast<unsigned>(fd) > first) close_range(first, static_cast<unsigned>(fd) - 1, 0);
        first = std::max(first, static_cast<unsigned>(fd) + 1);
    }
    close_range(first, ~0U, 0);
}

[[noreturn]] void be_worker(provider::Settings settings, ipc::Channel channel, int express,
                            int bulk) {
    close_all_but({channel.fd(), express, bulk});
    if (const int null = open("/dev/null", O_RDONLY | O_CLOEXEC); null >= 0) {
        dup2(null, STDIN_FILENO);
        close(null);
    }
    const int status =
        provider::run_worker(std::move(settings), std::move(channel), {Fd(express), Fd(bulk)});
    // Not `exit`: what the other half has registered and buffered is its own to finish.
    _exit(status);
}

}  // namespace

Result<WorkerProcess> WorkerProcess::start(provider::Settings settings, const device::Tun& tun) {
    auto ends = ipc::Channel::pair();
    if (!ends)
        return std::unexpected(Error{Vpn::pluginFailed, "the worker could not be started"}.because(
            std::move(ends).error()));
    const pid_t pid = fork();
    if (pid < 0) return std::unexpected(not_started("fork"));
    if (pid == 0)
        be_worker(std::move(settings), std::move(ends->second), tun.queues.at(0).get(),
                  tun.queues.at(1).get());
    Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) {
        auto error = not_started("pidfd_open");
        ::kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        return std::unexpected(std::move(error));
    }
    return WorkerProcess(pid, std::move(pidfd), std::move(ends->first));
}

WorkerProcess::WorkerProcess(pid_t pid, Fd pidfd, ipc::Channel channel)
    : pid_(pid), pidfd_(std::move(pidfd)), channel_(std::move(channel)) {}

WorkerProcess::WorkerProcess(WorkerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      channel_(std::move(other.channel_)) {}

WorkerProcess::~WorkerProcess() {
    if (pid_ < 0) return;
    kill();
    wait();
}

WorkerProcess::Status WorkerProcess::wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = -1;
    if (WIFSIGNALED(status)) {
        const auto code = Code::killed(WTERMSIG(status));
        return {code,
                fmt::format("was ended by signal {} ({})", WTERMSIG(status), code_name(code))};
    }
    const auto code = Code::exited(WEXITSTATUS(status));
    return {code, fmt::format("ended with status {}", WEXITSTATUS(status))};
}

void WorkerProcess::kill() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
}

}  // namespace causeway::cli
