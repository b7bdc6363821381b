// Sends small UDP packets at a given rate, and counts at the other end how many of them arrived.
//
//   packet_rate receive PORT                          counts for ever, and answers senders
//   packet_rate send ADDRESS:PORT BYTES RATE MILLISECONDS
//
// It must cost little beside the VPN between its ends: many packets a system call on both sides, no
// wake-up for each packet at the receiver, which looks every half millisecond, and no payload
// copied but the head. No segmentation offload: every packet is one for the kernel, as those of a
// telephone call are. The sender never has more than a burst of 8 on the way at once, so that
// short queues are not overrun by the generator itself.

#include "causeway/base/address.h"
#include "causeway/base/fd.h"
#include "causeway/base/text.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using namespace causeway;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t magic = 0x43575052;  // "CWPR"
constexpr std::uint32_t kind_data = 0, kind_finish = 1, kind_answer = 2;
constexpr unsigned burst = 8, drained_at_once = 256;
constexpr std::size_t smallest = 64, largest = 9000;
constexpr int receive_buffer = 64 << 20;

/// What every packet begins with. Both ends are on one machine: host byte order.
struct Head {
    std::uint32_t mark = magic;
    std::uint32_t kind = kind_data;
    std::uint64_t run = 0;       ///< Tells the packets of one run from late ones of another.
    std::uint64_t received = 0;  ///< In an answer: packets of this run.
    std::uint64_t overrun = 0;   ///< In an answer: what the receiver itself was too slow for.
};
static_assert(sizeof(Head) <= smallest);

[[noreturn]] void give_up(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

Fd udp_socket(int domain) {
    Fd made(::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!made) give_up("socket");
    return made;
}

/// The packets that the socket's full buffer cost since it was made.
std::uint64_t overrun_of(int socket) {
    std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
    socklen_t size = sizeof(memory);
    if (::getsockopt(socket, SOL_SOCKET, SO_MEMINFO, memory.data(), &size)) give_up("SO_MEMINFO");
    return memory[SK_MEMINFO_DROPS];
}

/// Room for many heads, in the form that recvmmsg and sendmmsg want.
struct Messages {
    explicit Messages(std::size_t count)
        : heads(count), sources(count), pieces(count), messages(count) {
        for (std::size_t i = 0; i < count; ++i) {
            pieces[i] = {&heads[i], sizeof(Head)};
            messages[i] = {};
            messages[i].msg_hdr.msg_iov = &pieces[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
    }
    void want_sources() {
        for (std::size_t i = 0; i < messages.size(); ++i) {
            messages[i].msg_hdr.msg_name = &sources[i];
            messages[i].msg_hdr.msg_namelen = sizeof(sources[i]);
        }
    }

    std::vector<Head> heads;
    std::vector<sockaddr_storage> sources;
    std::vector<iovec> pieces;
    std::vector<mmsghdr> messages;
};

[[noreturn]] void receive(std::uint16_t port) {
    const Fd socket = udp_socket(AF_INET6);  // with IPv4 as well
    // Beyond the machine's limit, which root may; else as much as it gives.
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof(int)) &&
        ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(int)))
        give_up("SO_RCVBUF");
    sockaddr_in6 here{};
    here.sin6_family = AF_INET6;
    here.sin6_port = htons(port);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof(here)))
        give_up("bind");
    std::puts("ready");
    std::fflush(stdout);

    Messages batch(drained_at_once);
    std::uint64_t run = 0, received = 0, overrun_before = 0;
    for (;;) {
        batch.want_sources();
        const int count =
            ::recvmmsg(socket.get(), batch.messages.data(), drained_at_once, MSG_DONTWAIT, nullptr);
        if (count < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED)
            give_up("recvmmsg");
        for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(count, 0)); ++i) {
            const Head& head = batch.heads[i];
            if (batch.messages[i].msg_len < sizeof(Head) || head.mark != magic) continue;
            if (head.run != run) {
                run = head.run;
                received = 0;
                overrun_before = overrun_of(socket.get());
            }
            if (head.kind == kind_data) ++received;
            if (head.kind != kind_finish) continue;
            const Head answer{.kind = kind_answer,
                              .run = run,
                              .received = received,
                              .overrun = overrun_of(socket.get()) - overrun_before};
            // A lost answer is asked for again.
            ::sendto(socket.get(), &answer, sizeof(answer), 0,
                     reinterpret_cast<const sockaddr*>(&batch.sources[i]),
                     batch.messages[i].msg_hdr.msg_namelen);
        }
        if (count < static_cast<int>(drained_at_once)) std::this_thread::sleep_for(500us);
    }
}

struct Sent {
    std::uint64_t packets = 0;
    double seconds = 0;
};

/// Sends for the given time, in bursts that keep the rate; what the kernel took.
Sent send_for(int socket, std::size_t size, double rate, std::chrono::milliseconds time,
              std::uint64_t run) {
    std::vector<std::byte> rest(size - sizeof(Head));
    Messages batch(burst);
    std::vector<std::array<iovec, 2>> pieces(burst);
    for (std::size_t i = 0; i < burst; ++i) {
        batch.heads[i] = Head{.run = run};
        pieces[i] = {iovec{&batch.heads[i], sizeof(Head)}, iovec{rest.data(), rest.size()}};
        batch.messages[i].msg_hdr.msg_iov = pieces[i].data();
        batch.messages[i].msg_hdr.msg_iovlen = rest.empty() ? 1 : 2;
    }

    const auto start = Clock::now();
    const std::chrono::duration<double> between(burst / rate);
    // Who was kept from sending may catch up for two milliseconds; more would be a flood.
    const std::chrono::duration<double> patience = std::max(between, decltype(between)(2ms));
    std::chrono::duration<double> due{};
    Sent sent;
    for (;;) {
        const std::chrono::duration<double> now = Clock::now() - start;
        if (now >= time) {
            sent.seconds = now.count();
            return sent;
        }
        if (due > now) {
            std::this_thread::sleep_for(due - now);
            continue;
        }
        due = std::max(due, now - patience) + between;
        const int count = ::sendmmsg(socket, batch.messages.data(), burst, 0);
        if (count > 0) sent.packets += static_cast<std::uint64_t>(count);
        if (count < 0 && errno != ENOBUFS && errno != EINTR && errno != ECONNREFUSED)
            give_up("sendmmsg");
    }
}

/// What the receiver counted; nothing when it does not answer.
std::optional<Head> ask(int socket, std::uint64_t run) {
    const timeval wait{.tv_sec = 0, .tv_usec = 100'000};
    if (::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait))) give_up("SO_RCVTIMEO");
    for (int attempt = 0; attempt < 30; ++attempt) {
        const Head question{.kind = kind_finish, .run = run};
        if (::send(socket, &question, sizeof(question), 0) < 0 && errno == ECONNREFUSED)
            std::this_thread::sleep_for(100ms);
        Head answer;
        const ssize_t size = ::recv(socket, &answer, sizeof(answer), 0);
        if (size == sizeof(answer) && answer.mark == magic && answer.kind == kind_answer &&
            answer.run == run)
            return answer;
    }
    return std::nullopt;
}

int send(const Endpoint& target, std::size_t size, double rate, std::chrono::milliseconds time) {
    // The default of 50 us would stretch every pause of a fast run.
    if (::prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL)) give_up("PR_SET_TIMERSLACK");
    const Fd socket = udp_socket(target.address.domain());
    sockaddr_storage there{};
    const socklen_t length = target.to_sockaddr(there);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&there), length))
        give_up("connect");

    const auto run = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
    const Sent sent = send_for(socket.get(), size, rate, time, run);
    std::this_thread::sleep_for(100ms);  // for what waits in queues
    const auto counted = ask(socket.get(), run);
    if (!counted) {
        std::fputs("packet_rate: the receiver does not answer\n", stderr);
        return 1;
    }
    std::printf("{\"sent\": %llu, \"seconds\": %.6f, \"received\": %llu, \"overrun\": %llu}\n",
                static_cast<unsigned long long>(sent.packets), sent.seconds,
                static_cast<unsigned long long>(counted->received),
                static_cast<unsigned long long>(counted->overrun));
    return 0;
}

int run(const std::vector<std::string_view>& words) {
    if (words.size() == 2 && words[0] == "receive")
        if (const auto port = parse_number<std::uint16_t>(words[1], 1, 65535)) receive(*port);
    if (words.size() == 5 && words[0] == "send") {
        const auto target = Endpoint::parse(words[1]);
        const auto size = parse_number<std::size_t>(words[2], smallest, largest);
        const auto rate = parse_number<std::uint32_t>(words[3], 100, 100'000'000);
        const auto time = parse_number<std::uint32_t>(words[4], 10, 600'000);
        if (target && size && rate && time)
            return send(*target, *size, *rate, std::chrono::milliseconds(*time));
    }
    std::fputs(
        "usage: packet_rate receive PORT\n"
        "       packet_rate send ADDRESS:PORT BYTES RATE MILLISECONDS\n"
        "BYTES of UDP payload, 64 to 9000; RATE in packets a second.\n",
        stderr);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::system_error& failure) {
        std::fprintf(stderr, "packet_rate: %s\n", failure.what());
        return 1;
    }
}
