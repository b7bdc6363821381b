// One end of a tunnel of datagrams and nothing else: no handshake, no session, one fixed key.
//
//     datapath_tool INTERFACE MTU LOCAL REMOTE client|gateway ADDRESS...
//
//     TUN -> SendPath -> UDP          the two ends use the two halves of one key
//     TUN <- ReceivePath <- UDP
//
// Says "up", works until its standard input ends, and says what it counted, a word and a number
// each.

#include "causeway/base/text.h"
#include "causeway/datapath/receive_path.h"
#include "causeway/datapath/send_path.h"
#include "causeway/datapath/tun_port.h"
#include "causeway/device/setup.h"
#include "causeway/device/tun.h"
#include "causeway/error/json.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

namespace causeway::datapath {
namespace {

// One turn of each direction.
constexpr std::size_t packets_a_turn = 256;
constexpr std::size_t trains_a_turn = 8;

int say(const std::string& line, int status) {
    std::puts(line.c_str());
    std::fflush(stdout);
    return status;
}

int say(const Error& error) { return say(json_text(error), 1); }

Result<UdpPort> connect(const Endpoint& local, const Endpoint& remote) {
    Fd socket(::socket(local.address.domain(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_storage storage;
    auto size = local.to_sockaddr(storage);
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0)
        return std::unexpected(system_error(errno, "bind"));
    size = remote.to_sockaddr(storage);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0)
        return std::unexpected(system_error(errno, "connect"));
    return UdpPort::open(std::move(socket));
}

struct Keys {
    Bytes write, read;
    explicit Keys(bool is_client)
        : write(16, std::byte{is_client ? std::uint8_t{1} : std::uint8_t{2}}),
          read(16, std::byte{is_client ? std::uint8_t{2} : std::uint8_t{1}}) {}
    static RecordKey record_key(const Bytes& key) {
        return {RecordSuite::aes128_gcm, key, ByteView(key).first(4), 1};
    }
};

class End final : public SuperPacketSink {
public:
    End(TunPort tun, UdpPort udp, RecordSealer sealer, RecordOpener opener, std::size_t mtu)
        : tun_(std::move(tun)),
          udp_(std::move(udp)),
          sealer_(std::move(sealer)),
          opener_(std::move(opener)),
          mtu_(mtu) {}

    int run() {
        std::array<pollfd, 3> waiting{};
        while (true) {
            const bool is_waiting = sending_.is_waiting();
            waiting[0] = {tun_.fd(), static_cast<short>(is_waiting ? 0 : POLLIN), 0};
            waiting[1] = {udp_.fd(), static_cast<short>(is_waiting ? POLLIN | POLLOUT : POLLIN), 0};
            waiting[2] = {STDIN_FILENO, POLLIN, 0};
            if (poll(waiting.data(), waiting.size(), -1) < 0 || waiting[2].revents != 0) break;
            if (waiting[1].revents & POLLOUT) sending_.flush();
            while (udp_.trouble()) {
            }
            if (waiting[1].revents & POLLIN) receive();
            if (waiting[0].revents & POLLIN) send();
            if (failure_) return say(*failure_);
            if (!is_waiting && sending_.is_waiting()) ++waits_;
        }
        return say(counted(), 0);
    }

private:
    void send() {
        for (std::size_t count = 0; count < packets_a_turn && !sending_.is_waiting();) {
            auto packet = tun_.read(sent_.drops);
            if (!packet) {
                failure_ = std::move(packet).error();
                return;
            }
            if (!*packet) break;
            count += packet_count(**packet);
            sending_.send(**packet, sealer_, nullptr, mtu_, sent_);
        }
        sending_.flush();
    }

    void receive() {
        for (std::size_t turn = 0; turn < trains_a_turn; ++turn) {
            auto train = udp_.receive_train();
            if (!train) break;
            while (!train->bytes.empty())
                if (const auto opened = receiving_.open(train->next(), opener_); !opened)
                    received_.drops.add(opened.error());
            receiving_.flush();
        }
    }

    void take(const SuperPacket& packet, std::size_t count) override {
        auto written = tun_.write(packet, count, received_);
        if (!written) failure_ = std::move(written).error();
    }

    std::string counted() const {
        const auto per_call = [](std::string_view name, const CallCounters& calls) {
            return fmt::format(" {} {} {}_packets {}", name, calls.calls, name, calls.packets);
        };
        return fmt::format(
                   "sent {} received {} dropped_tun {} dropped_udp {} dropped_records {} "
                   "overflowed {} waits {}",
                   sent_.packets, received_.packets, sent_.drops.total(), sending_.drops().total(),
                   received_.drops.total(), udp_.overflowed(), waits_) +
               per_call("reads", tun_.reads()) + per_call("sends", udp_.sends()) +
               per_call("receives", udp_.receives()) + per_call("writes", tun_.writes());
    }

    TunPort tun_;
    UdpPort udp_;
    RecordSealer sealer_;
    RecordOpener opener_;
    std::size_t mtu_;
    SendPath sending_{udp_};
    ReceivePath receiving_{*this, tun_.merges()};
    Counters sent_, received_;
    std::uint64_t waits_ = 0;  ///< Times that the socket took no more.
    std::optional<Error> failure_;
};

int run(std::span<char*> arguments) {
    if (arguments.size() < 6) return say("wrong usage", 2);
    const auto mtu = parse_number<int>(arguments[1], 576, 16'384);
    const auto local = Endpoint::parse(arguments[2]);
    const auto remote = Endpoint::parse(arguments[3]);
    const Keys keys(std::string_view(arguments[4]) == "client");
    std::vector<Prefix> addresses;
    for (const char* text : arguments.subspan(5))
        if (const auto address = Prefix::parse(text)) addresses.push_back(*address);
    if (!mtu || !local || !remote || addresses.empty()) return say("wrong argument", 2);

    auto device = device::open_tun(arguments[0]);
    if (!device) return say(device.error());
    if (auto up = device::bring_up(device->name, addresses, *mtu); !up) return say(up.error());
    auto tun = TunPort::open(device->queues.front().get());
    if (!tun) return say(tun.error());
    auto udp = connect(*local, *remote);
    if (!udp) return say(udp.error());
    const auto backend = CryptoBackend::automatic;
    auto sealer = RecordSealer::make(backend, Keys::record_key(keys.write), 1);
    if (!sealer) return say(sealer.error());
    auto opener = RecordOpener::make(backend, Keys::record_key(keys.read));
    if (!opener) return say(opener.error());
    say("up", 0);
    return End(std::move(*tun), std::move(*udp), std::move(*sealer), std::move(*opener),
               static_cast<std::size_t>(*mtu))
        .run();
}

}  // namespace
}  // namespace causeway::datapath

int main(int count, char** arguments) {
    return causeway::datapath::run(
        std::span(arguments, static_cast<std::size_t>(count)).subspan(1));
}
