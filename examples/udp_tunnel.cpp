// A tunnel over UDP in a few lines, with the client library of causewayd: every packet of the TUN
// goes to the other side in one datagram, and back. It encrypts nothing: what it shows is the
// service.
//
//     udp_tunnel OWN-ADDRESS/LENGTH PEER:PORT LOCAL-PORT [NETWORK/LENGTH …]

#include "causeway/error/report.h"
#include "causeway/service/client.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstdlib>

using namespace causeway;

namespace {

int fail_with(const Error& error) {
    std::fprintf(stderr, "udp_tunnel: %s\n", sentence(error).c_str());
    return 70;
}

/// A datagram socket that hears on the port and speaks to the peer.
Fd open_socket(const Endpoint& peer, std::uint16_t port) {
    Fd socket(::socket(peer.address.domain(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto any = *IpAddress::parse(peer.address.is_v4() ? "0.0.0.0" : "::");
    sockaddr_storage own;
    const socklen_t size = Endpoint{any, port}.to_sockaddr(own);
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), size) != 0) std::abort();
    return socket;
}

bool connect_to(int socket, const Endpoint& peer) {
    sockaddr_storage address;
    const socklen_t size = peer.to_sockaddr(address);
    return connect(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0;
}

/// One packet from one side to the other. False at the end.
bool carry(int from, int to) {
    std::array<char, 2048> packet;
    const auto size = read(from, packet.data(), packet.size());
    if (size > 0) (void)!write(to, packet.data(), static_cast<std::size_t>(size));
    return size != 0;
}

}  // namespace

int main(int argc, char** argv) {
    const auto own = argc > 3 ? Prefix::parse(argv[1]) : std::nullopt;
    const auto peer = argc > 3 ? Endpoint::parse(argv[2]) : std::nullopt;
    if (!own || !peer) {
        std::fputs("usage: udp_tunnel OWN/LENGTH PEER:PORT LOCAL-PORT [NETWORK/LENGTH …]\n",
                   stderr);
        return 2;
    }
    service::VpnConfig config;
    config.addresses = {*own};
    for (int i = 4; i < argc; ++i)
        if (const auto network = Prefix::parse(argv[i])) config.routes.push_back(*network);

    auto session = service::VpnSession::set_up(config);
    if (!session) return fail_with(session.error());
    const Fd socket = open_socket(*peer, static_cast<std::uint16_t>(std::atoi(argv[3])));
    // Before it is connected, so that its way never leads into the tunnel.
    if (auto kept = session->protect(socket.get()); !kept) return fail_with(kept.error());
    if (!connect_to(socket.get(), *peer)) return 70;
    std::printf("up: %s\n", session->interface().c_str());
    std::fflush(stdout);

    std::array<pollfd, 2> waiting{{{session->tun(), POLLIN, 0}, {socket.get(), POLLIN, 0}}};
    while (poll(waiting.data(), waiting.size(), -1) > 0) {
        if (waiting[0].revents != 0 && !carry(session->tun(), socket.get())) break;
        if (waiting[1].revents != 0 && !carry(socket.get(), session->tun())) break;
    }
}
