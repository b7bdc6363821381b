// The program `causeway`: its subcommands, each in a file of its own.

#include "causeway/base/text.h"
#include "causeway/base/version.h"
#include "causeway/cli/explain.h"
#include "causeway/cli/run.h"
#include "causeway/cli/service_command.h"
#include "causeway/error/exit_status.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace causeway;

/// The subcommand that a misspelt first word was meant to be, as the end of a sentence.
std::string hint(const CLI::App& program, std::string_view word) {
    std::vector<std::string> names;
    for (const CLI::App* command : program.get_subcommands({}))
        names.push_back(command->get_name());
    const std::vector<std::string_view> views(names.begin(), names.end());
    const auto near = nearest(word, views);
    return near ? fmt::format("; did you mean \"{}\"?", *near) : std::string();
}

/// The option of the chosen command that an unknown one was meant to be, in the same way.
std::string option_hint(const CLI::App& program) {
    for (const CLI::App* command : program.get_subcommands()) {
        std::vector<std::string> names;
        for (const CLI::Option* option : command->get_options())
            for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
        const std::vector<std::string_view> views(names.begin(), names.end());
        for (const std::string& word : command->remaining())
            if (const auto near = nearest(word, views); near && word.starts_with("--"))
                return fmt::format("; did you mean \"{}\"?", *near);
    }
    return {};
}

int wrong_usage(const CLI::App& program, std::string_view why) {
    std::string help = "causeway";
    for (const CLI::App* command : program.get_subcommands()) help += ' ' + command->get_name();
    fmt::print(stderr, "causeway: {}\nTry \"{} --help\".\n", why, help);
    return exit_usage;
}

int run(int argc, char** argv) {
    CLI::App program("A TLS VPN that always says why.", "causeway");
    program.set_version_flag("--version", fmt::format("causeway {}", version));
    program.require_subcommand(0, 1);
    int status = exit_success;

    cli::add_run(program, status);
    cli::add_explain(program, status);
    cli::add_service(program, status);

    // After the commands, which would inherit it: an unknown word gets our own answer.
    program.allow_extras();

    try {
        program.parse(argc, argv);
    } catch (const CLI::Success& asked_for_help) {
        program.exit(asked_for_help);
        return exit_success;
    } catch (const CLI::ExtrasError& error) {
        return wrong_usage(program, printable(error.what()) + option_hint(program));
    } catch (const CLI::ParseError& error) {
        return wrong_usage(program, printable(error.what()));
    }
    if (!program.get_subcommands().empty()) return status;
    if (program.remaining().empty()) {
        std::fputs(program.help().c_str(), stdout);
        return exit_usage;
    }
    const std::string word = program.remaining().front();
    return wrong_usage(program,
                       fmt::format("\"{}\" is no command{}", printable(word), hint(program, word)));
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "causeway: {}\n", error.what());
        return exit_other;
    }
}
