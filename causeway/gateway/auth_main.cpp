// The program `causeway-auth`: checks passwords for causeway-gateway, which starts it.

#include "causeway/base/fd.h"
#include "causeway/base/text.h"
#include "causeway/base/version.h"
#include "causeway/error/exit_status.h"
#include "causeway/error/json.h"
#include "causeway/gateway/auth_sandbox.h"
#include "causeway/gateway/auth_service.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string_view>

namespace {

using namespace causeway;
using namespace causeway::gateway;

constexpr std::string_view help =
    "Usage: causeway-auth --socket NUMBER --threads NUMBER\n"
    "\n"
    "Checks passwords for causeway-gateway, which starts it by itself and hands it the users\n"
    "file and the passwords over the socket with that number.\n";

struct Options {
    int socket = -1;
    std::size_t threads = 2;
};

std::optional<Options> options_of(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; i += 2) {
        const std::string_view name = argv[i];
        if (i + 1 >= argc) return std::nullopt;
        const auto number = parse_number<int>(argv[i + 1], 0, 65535);
        if (!number) return std::nullopt;
        if (name == "--socket")
            options.socket = *number;
        else if (name == "--threads" && *number >= 1)
            options.threads = static_cast<std::size_t>(*number);
        else
            return std::nullopt;
    }
    if (options.socket < 0) return std::nullopt;
    return options;
}

/// The gateway ends us by closing the socket, after it has told its clients; a signal to the whole
/// group of processes must not take the password checks away before that.
void ignore_signals() {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_IGN);
}

bool is_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

int run(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
        fmt::print("causeway-auth {}\n", version);
        return exit_success;
    }
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
        fmt::print("{}", help);
        return exit_success;
    }
    const auto options = options_of(argc, argv);
    if (!options || !is_socket(options->socket)) {
        fmt::print(stderr, "causeway-auth: {}\n{}",
                   options ? "the socket is not one" : "wrong arguments", help);
        return exit_usage;
    }
    ignore_signals();
    fcntl(options->socket, F_SETFD, FD_CLOEXEC);
    const auto served =
        serve_authentication(Fd(options->socket), options->threads, enter_auth_sandbox);
    if (served) return exit_success;
    fmt::print(stderr, "causeway-auth: {}\n", json_text(served.error()));
    return exit_other;
}

}  // namespace

int main(int argc, char** argv) {
    const int status = run(argc, argv);
    std::fflush(nullptr);
    // Nothing is left to tidy up, and what tidies up would want more than the sandbox leaves.
    _exit(status);
}
