// The program `causewayd`: the VPN service of this machine.

#include "causeway/base/text.h"
#include "causeway/base/version.h"
#include "causeway/error/exit_status.h"
#include "causeway/service/daemon.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

namespace {

using namespace causeway;

int run(int argc, char** argv) {
    service::DaemonOptions options;
    CLI::App program("The VPN service: tunnels for every program on this machine.", "causewayd");
    program.set_version_flag("--version", fmt::format("causewayd {}", version));
    const auto* config =
        program.add_option("--config", options.config, "The policy file")->capture_default_str();
    program
        .add_option("--state-dir", options.state_folder,
                    "Where is written what has to be undone; one for each network namespace")
        ->capture_default_str();
    program.add_option("--socket", options.socket, "The control socket")->capture_default_str();
    program
        .add_option("--bus", options.bus,
                    "The D-Bus to serve: \"system\", an address, or \"none\" for the socket alone")
        ->capture_default_str();
    try {
        program.parse(argc, argv);
    } catch (const CLI::Success& asked_for_help) {
        program.exit(asked_for_help);
        return exit_success;
    } catch (const CLI::ParseError& error) {
        fmt::print(stderr, "causewayd: {}\nTry \"causewayd --help\".\n", printable(error.what()));
        return exit_usage;
    }
    options.config_may_be_missing = config->count() == 0;
    return service::run_daemon(options);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& mistake) {
        fmt::print(stderr, "causewayd: {}\n", mistake.what());
        return exit_other;
    }
}
