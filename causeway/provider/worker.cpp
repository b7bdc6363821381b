#include "causeway/provider/worker.h"

#include "causeway/datapath/receive_moderation.h"
#include "causeway/provider/address_watch.h"
#include "causeway/provider/owner.h"
#include "causeway/provider/sandbox.h"
#include "causeway/provider/session.h"

#include <signal.h>
#include <stdlib.h>

#include <array>
#include <optional>

namespace causeway::provider {
namespace {

/// What is still read after the start: certificates of the system's store, one by one as they are
/// needed, and random numbers.
std::vector<std::string> readable_paths() {
    std::vector<std::string> paths{"/etc/ssl", "/usr/lib/ssl", "/usr/share/ca-certificates",
                                   "/usr/local/share/ca-certificates", "/dev/urandom"};
    for (const auto* name : {"SSL_CERT_FILE", "SSL_CERT_DIR"})
        if (const char* path = getenv(name)) paths.emplace_back(path);
    return paths;
}

void leave_signals_to_owner() {
    for (const int number : std::array{SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGTSTP})
        signal(number, SIG_IGN);
}

}  // namespace

int run_worker(Settings settings, ipc::Channel channel, TunQueues tun) {
    leave_signals_to_owner();
    datapath::wake_in_time();
    EventLoop loop;
    std::optional<Session> session;
    Owner owner(loop, std::move(channel), [&] { session->stop(); });
    const auto refuse = [&](const char* why, Error cause) {
        const auto server = settings.gateway.text();
        owner.tell(Failed{make_incident(server, server, Phase::profile,
                                        Error{Vpn::pluginFailed, why}.because(std::move(cause)))});
        owner.drain();
        return 0;
    };
    auto port = datapath::TunLanes::open(tun.express.get(), tun.bulk.get());
    if (!port) return refuse("the worker was given no TUN", std::move(port).error());
    session.emplace(loop, settings, owner, *port, [&] { loop.stop(); });

    auto addresses = AddressWatch::open();
    auto notes = enter_sandbox({readable_paths()});
    if (!notes)
        return refuse("the worker could not give up its rights, so it did not start",
                      std::move(notes).error());
    for (auto& note : *notes) owner.tell(Note{std::move(note)});
    if (addresses)
        addresses->start(loop, [&] { session->addresses_changed(); });
    else
        owner.tell(Note{"changes of this machine's addresses are noticed by silence only: " +
                        addresses.error().detail});
    session->start();
    loop.run();
    owner.drain();
    return 0;
}

}  // namespace causeway::provider
