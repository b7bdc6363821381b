#include "causeway/gateway/runtime.h"

#include "causeway/base/text.h"
#include "causeway/error/exit_status.h"
#include "causeway/error/report.h"
#include "causeway/gateway/datagram_socket.h"
#include "causeway/gateway/gateway.h"
#include "causeway/program/privileges.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

void say(std::string_view line) { fmt::print(stderr, "causeway-gateway: {}\n", line); }

/// Ten thousand clients take ten thousand descriptors: as many as the machine allows.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t shard_count(const Config& config) {
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    return config.threads == 0 ? cores : config.threads;
}

Result<Gateway::Opened> open_everything(const Config& config) {
    Gateway::Opened opened;
    auto log = IncidentLog::open(config.log);
    if (!log) return pass(log);
    opened.log = std::move(*log);
    for (const Endpoint& at : config.listen) {
        auto socket = Listener::open(at);
        if (!socket) return pass(socket);
        opened.listeners.push_back(std::move(*socket));
    }
    auto tunnel = TunnelDevice::open(config, shard_count(config));
    if (!tunnel) return pass(tunnel);
    opened.tunnel = std::move(*tunnel);
    auto datagrams = open_datagram_sockets(config, shard_count(config));
    if (!datagrams) return pass(datagrams);
    opened.datagram_sockets = std::move(*datagrams);
    auto control = ControlServer::open(config.control_socket);
    if (!control) return pass(control);
    opened.control_socket = std::move(*control);
    return opened;
}

void warn(Gateway& gateway, const Config& config, const std::string& text) {
    // Not twice, where the record goes to the same place.
    if (config.log.target != LogSettings::Target::standard_error) say("warning: " + text);
    gateway.log().note("warning", {}, {{"text", text}});
}

std::string listening_on(const Config& config) {
    std::vector<std::string> addresses;
    for (const Endpoint& at : config.listen) addresses.push_back(at.text());
    return join(addresses, ", ");
}

int refuse(const Error& error) {
    fmt::print(stderr, "{}", report(make_incident({}, {}, Phase::profile, error)));
    return error.code == Code(Vpn::configurationFailed) ? exit_usage : exit_other;
}

}  // namespace

int run_gateway(Config config, const std::string& config_path) {
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    config.path = config_path;
    if (const auto done = program::protect_memory(); !done) return refuse(done.error());
    auto serving = make_serving(std::move(config), wall_now());
    if (!serving) return refuse(serving.error());
    const auto settings = (*serving)->config;

    const program::RunAs run_as{settings->run_as_user, settings->run_as_group};
    auto files = FileKeeper::start(config_path, run_as);
    if (!files) return refuse(files.error());
    auto opened = open_everything(*settings);
    if (!opened) return refuse(opened.error());
    opened->files = std::move(*files);
    auto warnings = (*serving)->warnings;
    warnings.insert(warnings.end(), opened->tunnel.warnings.begin(), opened->tunnel.warnings.end());
    const std::string interface = opened->tunnel.name;

    Gateway gateway(std::move(*serving), std::move(*opened));
    if (const auto started = gateway.start_datagrams(); !started) return refuse(started.error());
    if (const auto started = gateway.start_authentication(); !started)
        return refuse(started.error());
    const auto dropped = program::drop_privileges(run_as);
    if (!dropped) return refuse(dropped.error());
    for (const auto& note : dropped->notes) warnings.push_back(note);
    for (const auto& warning : warnings) warn(gateway, *settings, warning);
    const auto ran = gateway.run([&] {
        say(fmt::format("ready: listens on {}, interface {}, runs as {}", listening_on(*settings),
                        interface, dropped->user));
        gateway.log().note("started", {}, {{"listen", listening_on(*settings)}});
    });
    unlink(settings->control_socket.c_str());
    gateway.log().note("stopped", {});
    return ran ? exit_success : refuse(ran.error());
}

}  // namespace causeway::gateway
