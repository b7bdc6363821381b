#include "causeway/gateway/control_client.h"

#include "causeway/base/text.h"
#include "causeway/error/exit_status.h"
#include "causeway/error/incident.h"
#include "causeway/error/json.h"
#include "causeway/error/json_integer.h"
#include "causeway/error/report.h"
#include "causeway/ipc/channel.h"
#include "causeway/ipc/descriptor_socket.h"
#include "causeway/program/table.h"

#include <poll.h>

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace causeway::gateway {
namespace {

using Json = nlohmann::ordered_json;
using program::cell;
using program::print_table;

constexpr auto answer_time_limit = std::chrono::seconds(10);

std::unexpected<Error> gone(Error cause) {
    return fail(Vpn::serverNotResponding, "the gateway closed the control connection",
                std::move(cause));
}

Result<Json> ask(const std::string& path, const ControlCommand& command) {
    auto socket = ipc::connect_to(path);
    if (!socket)
        return fail(Vpn::serverNotResponding, fmt::format("no gateway listens on {}", path),
                    std::move(socket).error().with("control_socket", path));
    ipc::Channel channel(std::move(*socket));
    auto sent = channel.send({{"do", command.verb}, {"argument", command.argument}});
    if (!sent) return gone(std::move(sent).error());
    // The answer is the only message: waiting for it is all this program does.
    const Instant until = Clock::now() + answer_time_limit;
    while (true) {
        auto message = channel.receive();
        if (!message) return gone(std::move(message).error());
        if (*message) return parse_json((*message)->text);
        pollfd waiting{channel.fd(), POLLIN, 0};
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        if (left <= 0 || poll(&waiting, 1, static_cast<int>(left)) == 0)
            return fail(Vpn::serverNotResponding, "the gateway did not answer in 10 s");
    }
}

void print_sessions(const Json& answer) {
    static constexpr std::pair<const char*, const char*> columns[] = {
        {"SESSION", "session"},   {"USER", "user"},         {"GROUP", "group"},
        {"STATE", "state"},       {"CLIENT", "client"},     {"ADDRESS", "address"},
        {"ADDRESS6", "address6"}, {"BYTES IN", "bytes_in"}, {"BYTES OUT", "bytes_out"},
        {"SINCE", "since"},       {"BY", "carried_by"},     {"AGENT", "agent"},
    };
    print_table(answer["sessions"], columns);
}

void print_status(const Json& answer) {
    static constexpr std::pair<const char*, const char*> columns[] = {
        {"SESSIONS", "sessions"},
        {"DATAGRAM CHANNELS", "datagram_channels"},
        {"PACKETS A READ", "packets_a_read"},
        {"A WRITE", "packets_a_write"},
        {"DATAGRAMS A SEND", "datagrams_a_send"},
        {"A RECEIVE", "datagrams_a_receive"},
        {"OVERFLOWED", "overflowed"},
        {"TUN OFFLOADS", "tun_offloads"},
        {"UDP OFFLOADS", "udp_offloads"},
        {"DROPS IN", "drops_in"},
        {"DROPS OUT", "drops_out"},
    };
    const auto& status = answer["status"];
    print_table(status["threads"], columns);
    fmt::print("Ciphers by {}.\n", cell(status, "crypto"));
    for (const auto& warning : status["warnings"])
        fmt::print("warning: {}\n", printable(warning.get<std::string>()));
}

void print_bans(const Json& answer) {
    static constexpr std::pair<const char*, const char*> columns[] = {
        {"FROM", "from"}, {"SECONDS LEFT", "seconds_left"}, {"FAILURES", "failures"}};
    print_table(answer["bans"], columns);
}

void print_answer(const ControlCommand& command, const Json& answer) {
    if (command.verb == "sessions") return print_sessions(answer);
    if (command.verb == "status") return print_status(answer);
    if (command.verb == "bans") return print_bans(answer);
    if (command.verb == "disconnect") {
        for (const auto& number : answer["ended"])
            fmt::print("session {} has ended\n", json_integer<std::uint64_t>(number));
        return;
    }
    if (command.verb == "unban")
        return fmt::print("{} may come again\n", printable(command.argument));
    const auto incident = incident_from_json(answer["incident"]);
    fmt::print("{}", incident ? report(*incident) : answer["incident"].dump(2) + "\n");
}

int tell_failure(const Error& error, bool as_json) {
    if (as_json)
        fmt::print("{}\n", json_text(error));
    else
        fmt::print(stderr, "{}\n", sentence(error));
    // A question about something that does not exist is wrong usage.
    return error.code == Code(Service::PARAMETER_ERROR) ? exit_usage : exit_status(error);
}

}  // namespace

int run_control_command(const std::string& socket_path, const ControlCommand& command) {
    auto answer = ask(socket_path, command);
    if (!answer) return tell_failure(answer.error(), command.json);
    if (const auto error = answer->find("error"); error != answer->end()) {
        const auto told = error_from_json(*error);
        return tell_failure(told ? *told : told.error(), command.json);
    }
    if (command.json)
        fmt::print("{}\n", answer->dump());
    else
        print_answer(command, *answer);
    return exit_success;
}

}  // namespace causeway::gateway
