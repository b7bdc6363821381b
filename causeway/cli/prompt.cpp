#include "causeway/cli/prompt.h"

#include "causeway/base/fd.h"
#include "causeway/base/text.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>

namespace causeway::cli {
namespace {

constexpr std::size_t line_limit = 1024;

/// Turns the echo off while it lives.
class Silence {
public:
    explicit Silence(bool wanted) {
        if (!wanted || tcgetattr(STDIN_FILENO, &before_) != 0) return;
        auto quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        is_on_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
    }
    ~Silence() {
        if (!is_on_) return;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
        std::fputs("\n", stderr);
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

private:
    termios before_{};
    bool is_on_ = false;
};

sigset_t ending_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
    return set;
}

Error cancelled() { return {Trust::errSecUserCanceled, "the question was cancelled"}; }

/// A line of the terminal, which hands over whole lines.
Result<Secret> read_line(int abandoned, bool& interrupted) {
    const auto set = ending_signals();
    const Fd signals(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    std::array<pollfd, 3> wait{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals.get(), POLLIN, 0},
                               pollfd{abandoned, POLLIN, 0}};
    while (poll(wait.data(), wait.size(), -1) < 0)
        if (errno != EINTR) return std::unexpected(system_error(errno, "poll"));
    if (wait[1].revents) {
        // Taken here, so that the loop does not find it a second time.
        signalfd_siginfo taken;
        interrupted = read(signals.get(), &taken, sizeof taken) == sizeof taken;
    }
    if (wait[1].revents || wait[2].revents) return std::unexpected(cancelled());

    std::array<char, line_limit> text;
    const auto count = read(STDIN_FILENO, text.data(), text.size());
    if (count <= 0) return fail(Vpn::authenticationFailed, "the input ended at a question");
    Secret line(std::string(text.data(), static_cast<std::size_t>(count)));
    explicit_bzero(text.data(), text.size());
    auto shown = line.reveal();
    if (shown.ends_with('\n')) shown.remove_suffix(1);
    return Secret(std::string(shown));
}

void show_choices(const protocol::Field& field) {
    for (const auto& choice : field.choices)
        fmt::print(stderr, "  {}{}\n", printable(choice.value),
                   choice.text == choice.value ? "" : "  (" + printable(choice.text) + ")");
}

Result<Secret> ask(const protocol::Field& field, int abandoned, bool& interrupted) {
    if (field.kind == protocol::FieldKind::select) show_choices(field);
    auto label = printable(field.label.empty() ? field.name : field.label);
    if (!label.ends_with(':')) label += ':';
    fmt::print(stderr, "{} ", label);
    std::fflush(stderr);
    const Silence silence(field.kind == protocol::FieldKind::password);
    return read_line(abandoned, interrupted);
}

}  // namespace

bool can_prompt() { return isatty(STDIN_FILENO) == 1; }

Result<provider::Typed> prompt(const provider::PromptAsked& asked, int abandoned,
                               bool& interrupted) {
    for (const auto& text : {asked.form.error, asked.form.message})
        for (const auto line : split(text, '\n'))
            if (!trim(line).empty()) fmt::print(stderr, "{}\n", printable(trim(line)));
    provider::Typed typed;
    for (const auto& field : asked.fields) {
        auto answer = ask(field, abandoned, interrupted);
        if (!answer) return std::unexpected(std::move(answer).error().with("field", field.name));
        typed[field.name] = std::move(*answer);
    }
    return typed;
}

Result<Secret> prompt_password(const std::string& label, bool& interrupted) {
    protocol::Field field;
    field.kind = protocol::FieldKind::password;
    field.label = label;
    return ask(field, -1, interrupted);
}

}  // namespace causeway::cli
