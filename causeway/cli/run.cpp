#include "causeway/cli/run.h"

#include "causeway/cli/output.h"
#include "causeway/cli/prompt.h"
#include "causeway/cli/run_owner.h"
#include "causeway/connection/credentials.h"
#include "causeway/connection/profile.h"
#include "causeway/error/exit_status.h"
#include "causeway/provider/sandbox.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>

namespace causeway::cli {
namespace {

using connection::Profile;
using connection::ProfileOptions;

struct Chosen {
    ProfileOptions options;
    bool json = false;
};

const char* help_of(const std::string& name) {
    for (const auto& help : connection::option_help)
        if (name == help.name) return help.text;
    return "";
}

void add_value(CLI::App& command, const char* name, std::optional<std::string>& value) {
    for (const auto& help : connection::option_help)
        if (std::string(name) == help.name)
            command.add_option(name, value, help.text)->type_name(help.value);
}

void add_values(CLI::App& command, const char* name, std::vector<std::string>& values) {
    for (const auto& help : connection::option_help)
        if (std::string(name) == help.name)
            // One value each time, so that the gateway may stand behind it.
            command.add_option(name, values, help.text)
                ->type_name(help.value)
                ->expected(1)
                ->take_all();
}

void add_switch(CLI::App& command, const char* name, bool& value) {
    command.add_flag(name, value, help_of(name));
}

void add_options(CLI::App& command, Chosen& chosen) {
    auto& options = chosen.options;
    command.add_option("GATEWAY", options.gateway, "host, host:port or https://host:port/group")
        ->required()
        ->type_name("");
    add_value(command, "--user", options.user);
    add_value(command, "--password-file", options.password_file);
    add_value(command, "--password-fd", options.password_fd);
    add_values(command, "--answer", options.answers);
    add_value(command, "--certificate", options.certificate);
    add_value(command, "--key", options.key);
    add_value(command, "--key-password-file", options.key_password_file);
    add_value(command, "--ca", options.ca);
    add_values(command, "--pin", options.pins);
    add_value(command, "--group", options.group);
    add_value(command, "--interface", options.interface);
    add_switch(command, "--no-routes", options.no_routes);
    add_switch(command, "--no-dns", options.no_dns);
    add_value(command, "--mtu", options.mtu);
    add_value(command, "--timeout", options.timeout);
    add_switch(command, "--no-datagrams", options.no_datagrams);
    add_value(command, "--crypto", options.crypto);
    add_switch(command, "--once", options.once);
    add_switch(command, "--json", chosen.json);
}

/// From now on these arrive where they are waited for: in a prompt, or in the loop.
void block_ending_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : std::array{SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signal(SIGPIPE, SIG_IGN);
}

std::string own_hostname() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return {};
    return name.data();
}

provider::Settings settings_of(const Profile& profile, connection::Credentials credentials) {
    provider::Settings settings;
    settings.gateway = profile.gateway;
    settings.group = profile.group;
    settings.user = profile.user;
    settings.password = std::move(credentials.password);
    settings.answers = std::move(credentials.answers);
    settings.can_prompt = can_prompt();
    settings.channel = std::move(credentials.channel);
    settings.identity = std::move(credentials.identity);
    settings.resolver = provider::read_resolver_settings();
    settings.timeout = profile.timeout;
    settings.once = profile.once;
    settings.mtu = profile.mtu;
    settings.use_datagrams = profile.use_datagrams;
    settings.crypto = profile.crypto;
    settings.hostname = own_hostname();
    return settings;
}

int fail_before_start(Output& output, const Profile* profile, const std::string& gateway,
                      Error error) {
    const auto server =
        profile ? fmt::format("{}:{}", profile->gateway.host, profile->gateway.port) : gateway;
    const int status = exit_status(error);
    output.failed(make_incident(gateway, server, Phase::profile, std::move(error)));
    return status;
}

int run(const Chosen& chosen) {
    Output output(chosen.json);
    block_ending_signals();
    const auto& gateway = chosen.options.gateway;
    if (auto hidden = provider::hide_memory(); !hidden)
        return fail_before_start(output, nullptr, gateway, std::move(hidden).error());
    auto profile = connection::make_profile(chosen.options);
    if (!profile) return fail_before_start(output, nullptr, gateway, std::move(profile).error());

    bool interrupted = false;
    connection::AskKeyPassword ask;
    if (can_prompt())
        ask = [&] { return prompt_password("Password of the private key", interrupted); };
    auto credentials =
        connection::load_credentials(*profile, provider::Deadlines{}.tls, wall_now(), ask);
    if (interrupted) {
        output.disconnected();
        return exit_success;
    }
    if (!credentials)
        return fail_before_start(output, &*profile, gateway, std::move(credentials).error());
    auto settings = settings_of(*profile, std::move(*credentials));
    return run_owner(*profile, std::move(settings), output);
}

}  // namespace

void add_run(CLI::App& program, int& status) {
    auto* command = program.add_subcommand("run", "Connect to a gateway, in the foreground");
    const auto chosen = std::make_shared<Chosen>();
    add_options(*command, *chosen);
    command->callback([chosen, &status] { status = run(*chosen); });
}

}  // namespace causeway::cli
