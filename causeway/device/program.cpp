#include "causeway/device/program.h"

#include "causeway/base/clock.h"
#include "causeway/base/fd.h"
#include "causeway/base/text.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace causeway::device {
namespace {

constexpr std::size_t output_limit = 400;

/// Input and output go through memory that is read and written as a file: nothing can block.
Result<Fd> memory_file(const char* name, std::string_view text) {
    Fd fd(memfd_create(name, MFD_CLOEXEC));
    if (!fd) return std::unexpected(system_error(errno, "memfd_create"));
    const auto count = pwrite(fd.get(), text.data(), text.size(), 0);
    if (count < 0 || static_cast<std::size_t>(count) != text.size())
        return std::unexpected(system_error(count < 0 ? errno : EIO, "pwrite"));
    return fd;
}

std::string words_in(const Fd& output) {
    std::array<char, output_limit> buffer;
    const auto count = pread(output.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) return {};
    return printable(trim(std::string_view(buffer.data(), static_cast<std::size_t>(count))));
}

class Spawning {
public:
    Spawning(const Fd& input, const Fd& output) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_adddup2(&actions_, input.get(), STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions_, output.get(), STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions_, output.get(), STDERR_FILENO);
        posix_spawnattr_init(&attributes_);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
    }
    Spawning(const Spawning&) = delete;
    Spawning& operator=(const Spawning&) = delete;
    ~Spawning() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }

    /// The process id, or the negative errno.
    pid_t start(const std::vector<std::string>& arguments) {
        std::vector<char*> argv;
        argv.reserve(arguments.size() + 1);
        for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        std::string language = "LC_ALL=C";
        std::array<char*, 3> environment = {path.data(), language.data(), nullptr};
        pid_t pid = 0;
        const int failure =
            posix_spawn(&pid, argv[0], &actions_, &attributes_, argv.data(), environment.data());
        return failure == 0 ? pid : -failure;
    }

private:
    posix_spawn_file_actions_t actions_;
    posix_spawnattr_t attributes_;
};

/// True when the process has ended.
bool ends_within(pid_t pid, std::chrono::milliseconds timeout) {
    const Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!process) return false;
    const Instant until = Clock::now() + timeout;
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        if (left.count() <= 0) return false;
        pollfd waiting{process.get(), POLLIN, 0};
        if (poll(&waiting, 1, static_cast<int>(left.count())) > 0) return true;
    }
}

/// The exit status, or the negative number of the signal.
int wait_for(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<void> run_program(const std::vector<std::string>& arguments, std::string_view input,
                         std::chrono::milliseconds timeout) {
    auto in = memory_file("input", input);
    if (!in) return pass(in);
    auto out = memory_file("output", {});
    if (!out) return pass(out);

    const std::string& program = arguments.front();
    const pid_t pid = Spawning(*in, *out).start(arguments);
    if (pid < 0) return std::unexpected(system_error(-pid, "posix_spawn").with("program", program));

    const bool in_time = ends_within(pid, timeout);
    if (!in_time) kill(pid, SIGKILL);
    const int status = wait_for(pid);
    if (in_time && status == 0) return {};

    Error error =
        in_time ? Error{Code::raw(Domain::process, status),
                        status < 0 ? fmt::format("{} was killed by signal {}", program, -status)
                                   : fmt::format("{} ended with status {}", program, status)}
                : system_error(ETIMEDOUT, "waitpid",
                               fmt::format("{} did not end within {}", program, spoken(timeout)));
    error.with("program", program);
    if (auto words = words_in(*out); !words.empty()) error.with("output", std::move(words));
    return std::unexpected(std::move(error));
}

}  // namespace causeway::device
