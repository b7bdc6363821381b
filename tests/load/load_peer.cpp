// What the simulated clients of load_driver talk to, behind the gateway: sends them trains that
// they ask for, and says how much of theirs arrived.
//
//     load_peer ADDRESS:PORT
//
// One socket and one thread, a train a system call both ways, so that it costs little beside the
// gateway. Says "ready", and ends when its standard input does: a line of JSON then says what its
// own socket was too slow for.

#include "causeway/datapath/udp_port.h"
#include "causeway/error/report.h"
#include "tests/load/train.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

namespace causeway::load {
namespace {

// Before standard input is looked at again.
constexpr int trains_a_turn = 64;

Result<datapath::UdpPort> bind_to(const Endpoint& at) {
    Fd fd(socket(at.address.domain(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_storage storage;
    const auto size = at.to_sockaddr(storage);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0)
        return std::unexpected(system_error(errno, "bind"));
    return datapath::UdpPort::open(std::move(fd));
}

class Peer {
public:
    explicit Peer(datapath::UdpPort port) : port_(std::move(port)), train_(room) {}

    void run() {
        fmt::print("ready\n");
        std::fflush(stdout);
        std::array<pollfd, 2> waiting{pollfd{port_.fd(), POLLIN, 0}, pollfd{STDIN_FILENO, 0, 0}};
        while (true) {
            if (poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return;
            if ((waiting[1].revents & (POLLHUP | POLLERR)) != 0) return;
            for (int i = 0; i < trains_a_turn; ++i) {
                auto train = port_.receive_train();
                if (!train) break;
                take(*train);
            }
            while (port_.trouble()) {
            }
        }
    }

    void report() const {
        fmt::print("{{\"overflowed\":{},\"unsent\":{},\"receives\":{},\"received\":{}}}\n",
                   port_.overflowed(), drops_.total(), port_.receives().calls,
                   port_.receives().packets);
    }

private:
    static constexpr std::size_t room = train_count_limit * train_payload_limit;
    /// What arrived of a train of the driver's.
    struct Arrived {
        std::uint32_t number = 0;
        std::uint16_t count = 0;
    };

    void take(datapath::Train& train) {
        for (auto datagram = train.next(); !datagram.empty(); datagram = train.next()) {
            const auto head = read_head(datagram);
            if (!head) continue;
            if (head->kind == TrainKind::ask)
                send_train(*head, train.path);
            else if (head->kind == TrainKind::data)
                count(*head, train.path);
        }
    }

    void send_train(TrainHead head, const datapath::UdpPath& path) {
        head.kind = TrainKind::data;
        for (head.index = 0; head.index < head.count; ++head.index)
            write_head(head, std::span(train_).subspan(std::size_t{head.index} * head.size));
        send(ByteView(train_).first(std::size_t{head.count} * head.size), head.size, path);
    }

    void count(TrainHead head, const datapath::UdpPath& path) {
        auto& arrived = arrived_[head.loop];
        if (arrived.number != head.number) arrived = {head.number, 0};
        ++arrived.count;
        // Trains keep their order: what is missing now is lost.
        if (head.index + 1 < head.count) return;
        head.kind = TrainKind::receipt;
        head.index = arrived.count;
        std::array<std::byte, sizeof head> receipt;
        write_head(head, receipt);
        send(receipt, receipt.size(), path);
    }

    void send(ByteView bytes, std::size_t size, const datapath::UdpPath& path) {
        if (port_.send_train(bytes, size, &path, drops_) == datapath::UdpPort::Sent::later)
            drops_.add(datapath::Drop::queue_full);
    }

    datapath::UdpPort port_;
    std::vector<std::byte> train_;
    std::unordered_map<std::uint32_t, Arrived> arrived_;
    datapath::Drops drops_;
};

int serve(const char* at) {
    const auto endpoint = Endpoint::parse(at);
    if (!endpoint) {
        fmt::print(stderr, "load_peer: ADDRESS:PORT is wanted\n");
        return 2;
    }
    auto port = bind_to(*endpoint);
    if (!port) {
        fmt::print(stderr, "load_peer: {}\n", sentence(port.error()));
        return 70;
    }
    Peer peer(std::move(*port));
    peer.run();
    peer.report();
    return 0;
}

}  // namespace
}  // namespace causeway::load

int main(int count, char** arguments) {
    return causeway::load::serve(count == 2 ? arguments[1] : "");
}
