// A program that uses the VPN service by its C++ library: the incident of a refusal is printed as
// JSON.
//
//     service_tool set_up CONFIG [seconds]     sets up, prints "up INTERFACE", stays that long
//     service_tool protect CONFIG KIND         then protects a "file", a "closed" descriptor, a
//                                              socket "inside", or after the session has "ended"
//     service_tool ask METHOD PARAMS
//     service_tool config CONFIG               prints its JSON form
//
// CONFIG is an address with its length, or "none"; behind it may stand ",legacy" and ",mtu".

#include "causeway/error/json.h"
#include "causeway/service/client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

using namespace causeway;
using namespace causeway::service;

namespace {

int refuse(const Error& error) {
    fmt::print("{}\n", json_text(incident_of(error)));
    return 1;
}

/// Not checked here: the service is to refuse it.
VpnConfig config_of(const std::string& words) {
    VpnConfig config;
    if (words == "none") return config;
    config.addresses = {*Prefix::parse(words.substr(0, words.find(',')))};
    if (words.find(",legacy") != std::string::npos) config.is_legacy = true;
    if (words.find(",mtu") != std::string::npos) config.mtu = 99;
    return config;
}

int descriptor_of(const std::string& kind, const VpnSession& session) {
    if (kind == "file") return open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (kind == "closed") return 999;
    const int inside = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (kind == "inside")
        setsockopt(inside, SOL_SOCKET, SO_BINDTODEVICE, session.interface().c_str(),
                   static_cast<socklen_t>(session.interface().size()));
    return inside;
}

int set_up(const std::string& words, int seconds) {
    auto session = VpnSession::set_up(config_of(words));
    if (!session) return refuse(session.error());
    fmt::print("up {}\n", session->interface());
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    if (auto ended = session->destroy(); !ended) return refuse(ended.error());
    fmt::print("down\n");
    return 0;
}

int protect(const std::string& words, const std::string& kind) {
    auto session = VpnSession::set_up(config_of(words));
    if (!session) return refuse(session.error());
    if (kind == "ended")
        if (auto ended = session->destroy(); !ended) return refuse(ended.error());
    if (auto done = session->protect(descriptor_of(kind, *session)); !done)
        return refuse(done.error());
    fmt::print("protected\n");
    return 0;
}

int ask(const std::string& method, const std::string& params) {
    auto client = ControlClient::connect();
    if (!client) return refuse(client.error());
    auto answer = client->ask(method, params);
    if (!answer) return refuse(answer.error());
    fmt::print("{}\n", answer->json);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string verb = argc > 2 ? argv[1] : "";
    if (verb == "set_up") return set_up(argv[2], argc > 3 ? std::atoi(argv[3]) : 0);
    if (verb == "config") return fmt::print("{}\n", json_text(config_of(argv[2]))), 0;
    if (verb == "protect" && argc > 3) return protect(argv[2], argv[3]);
    if (verb == "ask" && argc > 3) return ask(argv[2], argv[3]);
    return 2;
}
