// The program `causeway-gateway`: runs the gateway, checks its configuration, keeps its users, asks
// a running one.

#include "causeway/base/text.h"
#include "causeway/base/version.h"
#include "causeway/error/exit_status.h"
#include "causeway/gateway/config.h"
#include "causeway/gateway/control_client.h"
#include "causeway/gateway/runtime.h"
#include "causeway/gateway/serving.h"
#include "causeway/gateway/user_command.h"
#include "causeway/gateway/users.h"
#include "causeway/program/privileges.h"
#include "causeway/program/refusal.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace causeway;
using namespace causeway::gateway;

struct Options {
    std::string config = "/etc/causeway/gateway.toml";
    bool check_config = false;
    UserCommand user;
    std::string socket;  ///< Empty: the one of the configuration.
    ControlCommand control;
};

void print(const Error& error) { program::print_refusal("causeway-gateway", error); }

int refuse(const Error& error) {
    print(error);
    return exit_status(error);
}

int wrong_usage(std::string_view why) {
    fmt::print(stderr, "causeway-gateway: {}\nTry \"causeway-gateway --help\".\n", why);
    return exit_usage;
}

/// A configuration that is refused is wrong usage of a daemon.
int refuse_config(const Error& error) {
    print(error);
    return exit_usage;
}

int check_config(const Options& options) {
    auto config = load_config(options.config);
    if (!config) return refuse_config(config.error());
    const Config sound = *config;
    // The gateway's key is read.
    if (const auto hidden = program::protect_memory(); !hidden) return refuse(hidden.error());
    const auto serving = make_serving(std::move(*config), wall_now());
    if (!serving) return refuse_config(serving.error());
    std::size_t count = 0;
    if (!sound.authentication.users_file.empty()) {
        const auto users = Users::load(sound.authentication.users_file);
        if (!users) return refuse_config(users.error());
        count = users->size();
    }
    for (const std::string& warning : (*serving)->warnings)
        fmt::print(stderr, "warning: {}\n", printable(warning));
    fmt::print("{} is sound: {} address{} to listen on, {} group{}, {} user{}.\n",
               printable(options.config), sound.listen.size(), sound.listen.size() == 1 ? "" : "es",
               sound.groups.size(), sound.groups.size() == 1 ? "" : "s", count,
               count == 1 ? "" : "s");
    return exit_success;
}

int run_user_command(const Options& options) {
    UserCommand command = options.user;
    if (command.file.empty()) {
        const auto config = load_config(options.config);
        if (!config) {
            print(config.error());
            return wrong_usage(
                "give the users file with --users, or a configuration that "
                "names it with --config");
        }
        command.file = config->authentication.users_file;
        if (command.file.empty())
            return wrong_usage(fmt::format("{} names no users file; give it with --users",
                                           printable(options.config)));
    }
    // A password passes through this process.
    if (const auto hidden = program::protect_memory(); !hidden) return refuse(hidden.error());
    const auto done = carry_out(command);
    if (!done) return refuse(done.error());
    fmt::print("{}", *done);
    return exit_success;
}

int run_control(const Options& options) {
    if (!options.socket.empty()) return run_control_command(options.socket, options.control);
    const auto config = load_config(options.config);
    if (!config) {
        print(config.error());
        return wrong_usage(
            "give the gateway's socket with --socket, or its configuration with "
            "--config");
    }
    return run_control_command(config->control_socket, options.control);
}

int run_daemon(const Options& options) {
    auto config = load_config(options.config);
    if (!config) return refuse_config(config.error());
    return run_gateway(std::move(*config), options.config);
}

void add_user_verb(CLI::App& user, Options& options, UserCommand::Verb verb, const char* name,
                   const char* description) {
    CLI::App* command = user.add_subcommand(name, description);
    command->fallthrough();
    command->callback([&options, verb] { options.user.verb = verb; });
    if (verb == UserCommand::Verb::list) {
        command->add_flag("--json", options.user.json, "Print JSON");
        return;
    }
    command->add_option("NAME", options.user.name, "The user")->required();
    if (verb != UserCommand::Verb::add && verb != UserCommand::Verb::password) return;
    auto* file = command->add_option("--password-file", options.user.password.file,
                                     "Take the first line of this file as the password");
    auto* descriptor = command->add_option("--password-fd", options.user.password.descriptor,
                                           "Read the password from this descriptor");
    file->excludes(descriptor);
    if (verb == UserCommand::Verb::password) return;
    command
        ->add_option("--group", options.user.groups,
                     "A group the user may use; the first is the user's own; repeatable")
        ->allow_extra_args(false);
    command
        ->add_flag("--no-password", options.user.has_no_password,
                   "The user logs in by certificate alone")
        ->excludes(file)
        ->excludes(descriptor);
}

void add_user_commands(CLI::App& program, Options& options) {
    using Verb = UserCommand::Verb;
    CLI::App* user = program.add_subcommand("user", "Keep the users file");
    user->require_subcommand(1);
    user->fallthrough();
    user->add_option("--users", options.user.file,
                     "The users file; else the one that the configuration names");
    add_user_verb(*user, options, Verb::add, "add", "Add a user; asks for the password");
    add_user_verb(*user, options, Verb::remove, "remove", "Remove a user");
    add_user_verb(*user, options, Verb::list, "list", "List the users");
    add_user_verb(*user, options, Verb::lock, "lock", "Refuse a user until unlocked");
    add_user_verb(*user, options, Verb::unlock, "unlock", "Let a locked user in again");
    add_user_verb(*user, options, Verb::password, "password", "Give a user another password");
}

void add_control_command(CLI::App& program, Options& options, const char* verb,
                         const char* argument, const char* about, const char* description) {
    CLI::App* command = program.add_subcommand(verb, description);
    command->fallthrough();
    command->callback([&options, verb] { options.control.verb = verb; });
    command->add_flag("--json", options.control.json, "Print JSON");
    command->add_option("--socket", options.socket,
                        "The control socket; else the one that the configuration names");
    if (argument) command->add_option(argument, options.control.argument, about)->required();
}

int dispatch(const CLI::App& program, const Options& options) {
    if (program.got_subcommand("user")) return run_user_command(options);
    if (!program.get_subcommands().empty()) return run_control(options);
    return options.check_config ? check_config(options) : run_daemon(options);
}

int run(int argc, char** argv) {
    Options options;
    CLI::App program("A TLS VPN gateway that always says why.", "causeway-gateway");
    program.set_version_flag("--version", fmt::format("causeway-gateway {}", version));
    program.require_subcommand(0, 1);
    program.add_option("--config", options.config, "The configuration file")->capture_default_str();
    program.add_flag("--check-config", options.check_config,
                     "Check the configuration and the files it names, then end");
    add_user_commands(program, options);
    add_control_command(program, options, "sessions", nullptr, nullptr, "List the sessions");
    add_control_command(program, options, "status", nullptr, nullptr,
                        "Show offloads, packets a call and drops of each thread");
    add_control_command(program, options, "bans", nullptr, nullptr, "List the bans that hold");
    add_control_command(program, options, "disconnect", "SESSION", "Its number, or user:NAME",
                        "End a session, or all of a user");
    add_control_command(program, options, "unban", "ADDRESS", "An IP address", "End a ban");
    add_control_command(program, options, "incident", "ID", "16 hexadecimal digits",
                        "Show a refusal or an end in full");
    try {
        program.parse(argc, argv);
    } catch (const CLI::Success& asked_for_help) {
        program.exit(asked_for_help);
        return exit_success;
    } catch (const CLI::ParseError& error) {
        return wrong_usage(printable(error.what()));
    }
    return dispatch(program, options);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& mistake) {
        fmt::print(stderr, "causeway-gateway: {}\n", mistake.what());
        return exit_other;
    }
}
