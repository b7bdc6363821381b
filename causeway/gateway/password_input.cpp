#include "causeway/gateway/password_input.h"

#include "causeway/base/fd.h"
#include "causeway/base/text.h"
#include "causeway/gateway/password.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace causeway::gateway {
namespace {

constexpr std::size_t line_limit = 4096;

/// The first line of a descriptor without its end, read byte by byte: what follows is not ours.
Result<Secret> read_line(int fd, const std::string& from) {
    std::string line;
    line.reserve(line_limit);
    while (line.size() < line_limit) {
        char c = 0;
        const auto count = read(fd, &c, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            const int number = errno;
            const Secret wiped(std::move(line));
            return fail(Vpn::configurationFailed,
                        fmt::format("no password can be read from {}", printable(from)),
                        system_error(number, "read"));
        }
        if (count == 0 || c == '\n') break;
        line += c;
    }
    if (line.ends_with('\r')) line.pop_back();
    return Secret(std::move(line));
}

/// The terminal without echo, as it was again at the end. A signal that would end the program in
/// between waits until then, so that nobody is left with a silent terminal.
class SilentTerminal {
public:
    explicit SilentTerminal(int fd) : fd_(fd) {
        sigset_t blocked;
        sigemptyset(&blocked);
        for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP})
            sigaddset(&blocked, number);
        sigprocmask(SIG_BLOCK, &blocked, &signals_before_);
        signals_ = Fd(signalfd(-1, &blocked, SFD_CLOEXEC));
        is_set_ = tcgetattr(fd_, &before_) == 0;
        if (!is_set_) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        silent.c_lflag |= ICANON | ISIG | ECHONL;
        tcsetattr(fd_, TCSAFLUSH, &silent);
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;
    ~SilentTerminal() {
        if (is_set_) tcsetattr(fd_, TCSAFLUSH, &before_);
        sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
    }

    /// Waits for a line; false when a signal came first, which takes effect at the end.
    bool wait_for_line() const {
        pollfd waiting[] = {{fd_, POLLIN, 0}, {signals_.get(), POLLIN, 0}};
        while (poll(waiting, 2, -1) < 0 && errno == EINTR) continue;
        return waiting[1].revents == 0;
    }

private:
    int fd_;
    Fd signals_;
    bool is_set_ = false;
    termios before_{};
    sigset_t signals_before_{};
};

Result<Secret> ask(int terminal, const std::string& prompt) {
    const SilentTerminal silent(terminal);
    if (write(terminal, prompt.data(), prompt.size()) < 0)
        return fail(Vpn::configurationFailed, "the terminal cannot be written to",
                    system_error(errno, "write"));
    if (!silent.wait_for_line())
        return fail(Vpn::configurationFailed, "interrupted before the password was typed");
    return read_line(terminal, "the terminal");
}

Result<Secret> ask_twice(const std::string& user) {
    const Fd terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!terminal)
        return fail(Vpn::configurationFailed,
                    "there is no terminal to ask for the password; give --password-file or "
                    "--password-fd",
                    system_error(errno, "open").with("file", "/dev/tty"));
    auto first = ask(terminal.get(), fmt::format("New password for {}: ", user));
    if (!first) return first;
    if (auto sound = check_new_password(*first); !sound) return pass(sound);
    auto second = ask(terminal.get(), "The same once more: ");
    if (!second) return second;
    if (first->reveal() != second->reveal())
        return fail(Vpn::configurationFailed, "the two passwords differ");
    return first;
}

Result<Secret> read_source(const PasswordSource& source) {
    if (source.descriptor)
        return read_line(*source.descriptor, fmt::format("descriptor {}", *source.descriptor));
    const Fd file(open(source.file->c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        return fail(Vpn::configurationFailed,
                    fmt::format("the password file {} cannot be read", printable(*source.file)),
                    system_error(errno, "open").with("file", *source.file));
    return read_line(file.get(), *source.file);
}

}  // namespace

Result<Secret> read_new_password(const PasswordSource& source, const std::string& user) {
    auto password = source.file || source.descriptor ? read_source(source) : ask_twice(user);
    if (!password) return password;
    if (auto sound = check_new_password(*password); !sound) return pass(sound);
    return password;
}

}  // namespace causeway::gateway
