#include "causeway/cli/service_command.h"

#include "causeway/base/text.h"
#include "causeway/error/exit_status.h"
#include "causeway/error/json.h"
#include "causeway/error/report.h"
#include "causeway/program/table.h"
#include "causeway/service/client.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace causeway::cli {
namespace {

using Json = nlohmann::ordered_json;
using program::cell;
using program::print_table;
using service::ControlClient;

struct ServiceChoice {
    std::string socket = service::control_socket_path();
    std::string argument;
    std::vector<std::string> arguments;
    std::string user;
    int seconds = 0;
    bool all = false;
    bool json = false;
};

int tell(const Error& error, bool as_json) {
    if (as_json)
        fmt::print("{}\n", json_text(error));
    else
        fmt::print(stderr, "{}", report(make_incident({}, {}, Phase::device, error)));
    return exit_status(error);
}

void print_lockdown(const Json& status) {
    const auto state = [&](const char* key) { return status.value(key, false) ? "on" : "off"; };
    fmt::print("Always-on is {}, lockdown is {}: the machine is {}.\n", state("alwaysOn"),
               state("lockdown"), status.value("closed", false) ? "closed" : "open");
}

void print_status(const Json& status) {
    static constexpr std::pair<const char*, const char*> columns[] = {
        {"VPN", "vpnId"}, {"STATE", "state"}, {"INTERFACE", "interface"},
        {"USER", "user"}, {"SINCE", "since"}, {"METERED", "isMetered"},
    };
    fmt::print("{}, protocol {}. {} {} own a VPN{}.\n", cell(status, "service"),
               cell(status, "protocol"), cell(status, "user"),
               status.value("mayOwn", false) ? "may" : "may not",
               status.value("prohibited", false) ? ": VPNs are switched off"
               : status.value("consented", true) ? ""
                                                 : ", once consent is given");
    if (status.value("alwaysOn", false) || status.value("lockdown", false)) print_lockdown(status);
    if (const auto vpns = status.find("vpns"); vpns != status.end() && !vpns->empty())
        print_table(*vpns, columns);
}

void print_sessions(const Json& answer) {
    static constexpr std::pair<const char*, const char*> columns[] = {
        {"SESSION", "session"}, {"STATE", "state"}, {"INTERFACE", "interface"},
        {"VPN", "vpnId"},       {"USER", "user"},   {"PROCESS", "pid"},
        {"SINCE", "since"},     {"DNS", "dns"},     {"ADDRESSES", "addresses"},
    };
    if (const auto sessions = answer.find("sessions"); sessions != answer.end())
        print_table(*sessions, columns);
}

void print_route(const Json& answer) {
    fmt::print("{}: {}{}\n", cell(answer, "destination"), cell(answer, "verdict"),
               answer.contains("interface") ? " by " + cell(answer, "interface") : std::string());
    fmt::print("  {}\n", cell(answer, "why"));
    if (const auto rule = answer.find("rule"); rule != answer.end())
        fmt::print("  rule {}: {}, table {}\n", cell(*rule, "priority"), cell(*rule, "selector"),
                   cell(*rule, "table"));
    if (answer.contains("route")) fmt::print("  route {}\n", cell(answer, "route"));
    if (const auto passed = answer.find("passed"); passed != answer.end())
        for (const auto& each : *passed)
            if (each.is_string()) fmt::print("  passed {}\n", printable(each.get<std::string>()));
    if (const auto kernel = answer.find("kernel"); kernel != answer.end())
        fmt::print("  the kernel says: {}\n", kernel->contains("source")
                                                  ? "from " + cell(*kernel, "source")
                                                  : cell(*kernel, "errno"));
}

/// One question and its answer.
int ask(const ServiceChoice& chosen, std::string_view method, const Json& params,
        void (*print)(const Json&)) {
    auto client = ControlClient::connect(chosen.socket);
    if (!client) return tell(client.error(), chosen.json);
    const auto answer = client->ask(method, params.dump());
    if (!answer) return tell(answer.error(), chosen.json);
    if (chosen.json)
        fmt::print("{}\n", answer->json);
    else
        print(Json::parse(answer->json));
    return exit_success;
}

/// Until the service ends.
int follow(const ServiceChoice& chosen) {
    auto client = ControlClient::connect(chosen.socket);
    if (!client) return tell(client.error(), chosen.json);
    const auto begun = client->ask("events", chosen.all ? R"({"all":true})" : "{}");
    if (!begun) return tell(begun.error(), chosen.json);
    while (true) {
        const auto event = client->next_event();
        if (!event) return tell(event.error(), chosen.json);
        const Json json = Json::parse(*event, nullptr, false);
        if (chosen.json)
            fmt::print("{}\n", *event);
        else if (json.is_object())
            fmt::print("{} {} {} {} {} {}\n", cell(json, "time"), cell(json, "event"),
                       cell(json, "session"), cell(json, "interface"), cell(json, "user"),
                       json.contains("reason") ? cell(json, "reason") : "");
        std::fflush(stdout);
    }
}

Json whose(const ServiceChoice& chosen) {
    return chosen.argument.empty() ? Json::object() : Json{{"user", chosen.argument}};
}

Json scope(const ServiceChoice& chosen) {
    return chosen.all ? Json{{"all", true}} : Json::object();
}

/// Switches what is named, or says how it is.
int switch_lockdown(const ServiceChoice& chosen, const char* method) {
    if (chosen.argument.empty()) return ask(chosen, "status", Json::object(), print_lockdown);
    return ask(chosen, method, {{"enabled", chosen.argument == "on"}}, print_lockdown);
}

int open_portal(const ServiceChoice& chosen) {
    Json params{{"addresses", chosen.arguments}};
    if (!chosen.user.empty()) params["user"] = chosen.user;
    if (chosen.seconds > 0) params["seconds"] = chosen.seconds;
    return ask(chosen, "portal", params, [](const Json& answer) {
        if (answer.value("closed", false))
            fmt::print("{} may reach it by HTTP and HTTPS for {} s\n", cell(answer, "user"),
                       cell(answer, "seconds"));
        else
            fmt::print("nothing is closed: it can be reached as it is\n");
    });
}

CLI::App* add_verb(CLI::App& service, ServiceChoice& chosen, const char* name, const char* about) {
    auto* verb = service.add_subcommand(name, about);
    verb->fallthrough();
    verb->add_flag("--json", chosen.json, "Print JSON");
    verb->add_option("--socket", chosen.socket,
                     "The control socket; else $CAUSEWAY_SOCKET, else the usual one");
    return verb;
}

}  // namespace

void add_service(CLI::App& program, int& status) {
    auto* command = program.add_subcommand("service", "Ask the VPN service of this machine");
    command->require_subcommand(1);
    const auto chosen = std::make_shared<ServiceChoice>();

    add_verb(*command, *chosen, "status", "Whether a VPN is up, and whether you may own one")
        ->callback(
            [chosen, &status] { status = ask(*chosen, "status", Json::object(), print_status); });
    auto* sessions = add_verb(*command, *chosen, "sessions", "List your sessions; root: all");
    sessions->add_flag("--all", chosen->all, "Those of all users; for root");
    sessions->callback(
        [chosen, &status] { status = ask(*chosen, "sessions", scope(*chosen), print_sessions); });
    auto* events = add_verb(*command, *chosen, "events", "Tell when sessions come and go");
    events->add_flag("--all", chosen->all, "Those of all users; for root");
    events->callback([chosen, &status] { status = follow(*chosen); });
    auto* route = add_verb(*command, *chosen, "explain-route",
                           "Say which rule sends packets to an address where, and why");
    route->add_option("ADDRESS", chosen->argument, "An IP address")->required();
    route->callback([chosen, &status] {
        status = ask(*chosen, "explain_route", {{"destination", chosen->argument}}, print_route);
    });
    for (const auto& [verb, method, about] :
         {std::tuple("always-on", "set_always_on", "Let nothing leave while no tunnel is up"),
          std::tuple("lockdown", "set_lockdown", "Let nothing leave beside a tunnel")}) {
        auto* command_of = add_verb(*command, *chosen, verb, about);
        command_of->add_option("STATE", chosen->argument, "on or off, for root; else it is told")
            ->check(CLI::IsMember({"on", "off"}));
        command_of->callback(
            [chosen, &status, method = method] { status = switch_lockdown(*chosen, method); });
    }
    auto* portal = add_verb(*command, *chosen, "portal",
                            "Reach a network's own page through what is closed, for a while");
    portal->add_option("ADDRESS", chosen->arguments, "Where the page is")->required();
    portal->add_option("--user", chosen->user, "Who may, if not you; for root");
    portal->add_option("--seconds", chosen->seconds, "1 to 300, which is usual");
    portal->callback([chosen, &status] { status = open_portal(*chosen); });
    auto* destroy = add_verb(*command, *chosen, "destroy", "End a session");
    destroy->add_option("SESSION", chosen->argument, "16 hexadecimal digits")->required();
    destroy->callback([chosen, &status] {
        status = ask(*chosen, "destroy", {{"session", chosen->argument}}, [](const Json& answer) {
            fmt::print("session {} has ended\n", cell(answer, "session"));
        });
    });
    auto* consent = add_verb(*command, *chosen, "consent",
                             "Let a user's programs set up VPNs, where the policy asks for that");
    consent->add_option("USER", chosen->argument, "A name or number; yourself when missing");
    consent->callback([chosen, &status] {
        status = ask(*chosen, "consent", whose(*chosen), [](const Json& answer) {
            fmt::print("programs of {} may set up VPNs\n", cell(answer, "user"));
        });
    });
    auto* revoke = add_verb(*command, *chosen, "revoke", "Take a consent back: sessions end");
    revoke->add_option("USER", chosen->argument, "A name or number; yourself when missing");
    revoke->callback([chosen, &status] {
        status = ask(*chosen, "revoke", whose(*chosen), [](const Json& answer) {
            fmt::print("programs of {} must ask again; sessions that ended: {}\n",
                       cell(answer, "user"), cell(answer, "ended"));
        });
    });
}

}  // namespace causeway::cli
