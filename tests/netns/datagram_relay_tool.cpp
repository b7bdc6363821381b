// A network between two ends that loses, doubles, delays, overtakes and damages datagrams, and says
// of how many.
//
//     datagram_relay_tool LISTEN UPSTREAM FROM SEED
//
//     client --> LISTEN      one socket for each client, bound to FROM --> UPSTREAM
//            <--             <--
//
// Listens to commands on its standard input, a line each, and answers each with a line:
//
//     up|down|both HARM=N ...    from now on; what is not named is done no more
//     move ADDRESS               clients have a new source towards upstream, as behind a translator
//     count                      what was done to datagrams so far, as JSON
//
// HARM is one of lose, double, swap, late, flip, cut (of a thousand datagrams so many), delay
// (microseconds, of all), largest (bytes of UDP payload that pass). What becomes of a datagram
// depends on nothing but the seed and how many came before it in its direction.

#include "causeway/base/address.h"
#include "causeway/base/bytes.h"
#include "causeway/base/clock.h"
#include "causeway/base/fd.h"
#include "causeway/base/text.h"

#include <fmt/format.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using namespace causeway;
using std::chrono::microseconds;

constexpr int socket_buffer = 16 << 20;
constexpr std::size_t datagrams_at_once = 64, datagram_room = 16 * 1024;
// How much longer those stay that others overtake, and those that come too late for any use.
constexpr microseconds shortest_swap{500}, longest_swap{4'000}, lateness{400'000};
constexpr std::size_t head_size = 13;
// What is left of a datagram that was cut: less than a record has.
constexpr std::size_t cut_size = 20;

[[noreturn]] void give_up(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

struct Harm {
    unsigned lose = 0, twice = 0, swap = 0, late = 0, flip = 0, cut = 0;  ///< Of a thousand.
    microseconds delay{};
    std::size_t largest = datagram_room;
};

/// Every datagram that came is in exactly one of `forwarded`, `lost`, `too_large`, `stale`,
/// `refused`, or is held; and so is every second one of those that were doubled.
struct Count {
    std::uint64_t received = 0, forwarded = 0, lost = 0, too_large = 0, stale = 0, refused = 0;
    std::uint64_t doubled = 0, swapped = 0, late = 0, flipped = 0, cut = 0;
};

/// A socket that datagrams come from.
struct Source {
    Fd socket;
    Endpoint client;        ///< Of an upstream socket.
    bool is_stale = false;  ///< An upstream socket of before a move.
};

Fd bound_socket(const Endpoint& at) {
    Fd made(::socket(at.address.domain(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!made) give_up("socket");
    sockaddr_storage storage;
    const auto size = at.to_sockaddr(storage);
    if (bind(made.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) give_up("bind");
    for (const int option : {SO_RCVBUFFORCE, SO_SNDBUFFORCE})
        if (setsockopt(made.get(), SOL_SOCKET, option, &socket_buffer, sizeof socket_buffer) != 0)
            give_up("setsockopt");
    // What is too large for the way is refused, not taken apart.
    const int probe = at.address.is_v4() ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE;
    const int level = at.address.is_v4() ? IPPROTO_IP : IPPROTO_IPV6;
    const int option = at.address.is_v4() ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER;
    if (setsockopt(made.get(), level, option, &probe, sizeof probe) != 0) give_up("setsockopt");
    return made;
}

/// Datagrams that the socket had no room for.
std::uint64_t overflow_of(const Fd& socket) {
    std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
    socklen_t size = sizeof memory;
    if (getsockopt(socket.get(), SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0)
        give_up("SO_MEMINFO");
    return memory[SK_MEMINFO_DROPS];
}

/// One of the two: what is done to its datagrams, and those that are held.
class Direction {
public:
    explicit Direction(std::uint64_t seed) : random_(seed) {}

    Harm harm;
    Count count;

    /// `socket` and `to`: where it goes, once it goes.
    void take(std::span<std::byte> datagram, const Fd& socket, const Endpoint& to, Instant now) {
        // As many numbers for every datagram, whatever is asked.
        std::array<std::uint64_t, 8> number;
        for (auto& one : number) one = random_();
        const auto falls = [&](std::size_t i, unsigned of_thousand) {
            return number[i] % 1000 < of_thousand;
        };
        ++count.received;
        if (falls(0, harm.lose)) return void(++count.lost);
        if (datagram.size() > harm.largest) return void(++count.too_large);
        if (falls(1, harm.flip) && !datagram.empty()) {
            ++count.flipped;
            // Half of them in the head, where every bit has a meaning of its own.
            const auto reach = number[7] % 2 == 0 ? datagram.size() : head_size;
            datagram[number[6] % std::min(reach, datagram.size())] ^= std::byte{1}
                                                                      << (number[7] / 2 % 8);
        } else if (falls(2, harm.cut) && datagram.size() > cut_size) {
            ++count.cut;
            datagram = datagram.first(number[6] % (cut_size + 1));
        }
        auto wait = harm.delay;
        if (falls(3, harm.late)) {
            ++count.late;
            wait += lateness;
        } else if (falls(4, harm.swap)) {
            ++count.swapped;
            wait +=
                shortest_swap + microseconds(number[6] % (longest_swap - shortest_swap).count());
        }
        const bool is_doubled = falls(5, harm.twice);
        if (is_doubled) ++count.doubled;
        for (int copies = is_doubled ? 2 : 1; copies > 0; --copies) {
            if (wait.count() == 0)
                send(datagram, socket, to);
            else
                held_.emplace(now + wait, Held{copy(datagram), &socket, to});
        }
    }

    std::optional<Instant> due() const {
        if (held_.empty()) return std::nullopt;
        return held_.begin()->first;
    }
    void release(Instant now) {
        while (!held_.empty() && held_.begin()->first <= now) {
            const auto& [bytes, socket, to] = held_.begin()->second;
            send(bytes, *socket, to);
            held_.erase(held_.begin());
        }
    }
    std::string json(std::uint64_t overflow) const {
        return fmt::format(
            R"({{"received":{},"forwarded":{},"lost":{},"too_large":{},"stale":{},"refused":{},)"
            R"("doubled":{},"swapped":{},"late":{},"flipped":{},"cut":{},"held":{},)"
            R"("overflowed":{}}})",
            count.received, count.forwarded, count.lost, count.too_large, count.stale,
            count.refused, count.doubled, count.swapped, count.late, count.flipped, count.cut,
            held_.size(), overflow);
    }

private:
    struct Held {
        Bytes bytes;
        const Fd* socket;
        Endpoint to;
    };

    void send(ByteView bytes, const Fd& socket, const Endpoint& to) {
        sockaddr_storage storage;
        const auto size = to.to_sockaddr(storage);
        while (sendto(socket.get(), bytes.data(), bytes.size(), 0,
                      reinterpret_cast<const sockaddr*>(&storage), size) < 0)
            if (errno != EINTR) return void(++count.refused);
        ++count.forwarded;
    }

    std::mt19937_64 random_;
    std::multimap<Instant, Held> held_;  ///< Those of one moment stay in order.
};

class Relay {
public:
    Relay(const Endpoint& listen, Endpoint upstream, IpAddress from, std::uint64_t seed)
        : upstream_(upstream), from_(from), up_(2 * seed), down_(2 * seed + 1) {
        front_.socket = bound_socket(listen);
        for (std::size_t i = 0; i < datagrams_at_once; ++i) {
            parts_[i] = {rooms_[i].data(), rooms_[i].size()};
            messages_[i] = {};
            messages_[i].msg_hdr.msg_iov = &parts_[i];
            messages_[i].msg_hdr.msg_iovlen = 1;
            messages_[i].msg_hdr.msg_name = &names_[i];
        }
    }

    void run() {
        std::vector<pollfd> waiting;
        while (true) {
            waiting.assign({{STDIN_FILENO, POLLIN, 0}, {front_.socket.get(), POLLIN, 0}});
            for (const auto& one : backs_) waiting.push_back({one->socket.get(), POLLIN, 0});
            const auto pause = time_left();
            if (ppoll(waiting.data(), waiting.size(), pause ? &*pause : nullptr, nullptr) < 0 &&
                errno != EINTR)
                give_up("ppoll");
            const auto now = Clock::now();
            up_.release(now);
            down_.release(now);
            if (waiting[1].revents != 0) receive(front_, now);
            // New clients are behind those that were waited for.
            for (std::size_t i = 2; i < waiting.size(); ++i)
                if (waiting[i].revents != 0) receive(*backs_[i - 2], now);
            if (waiting[0].revents != 0 && !listen_to_commands()) return;
        }
    }

private:
    std::optional<timespec> time_left() const {
        auto due = up_.due();
        if (const auto other = down_.due(); other && (!due || *other < *due)) due = other;
        if (!due) return std::nullopt;
        const auto left = std::max(*due - Clock::now(), Instant::duration::zero());
        const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
        return timespec{whole.count(), std::chrono::nanoseconds(left - whole).count()};
    }

    void receive(Source& source, Instant now) {
        for (std::size_t i = 0; i < datagrams_at_once; ++i)
            messages_[i].msg_hdr.msg_namelen = sizeof names_[i];
        const int count = recvmmsg(source.socket.get(), messages_.data(), datagrams_at_once,
                                   MSG_DONTWAIT, nullptr);
        for (int i = 0; i < count; ++i) {
            const auto& message = messages_[static_cast<std::size_t>(i)];
            if ((message.msg_hdr.msg_flags & MSG_TRUNC) != 0) give_up("a datagram is too large");
            const auto bytes =
                std::span(rooms_[static_cast<std::size_t>(i)]).first(message.msg_len);
            if (&source == &front_) {
                const auto from = Endpoint::from_sockaddr(names_[static_cast<std::size_t>(i)]);
                up_.take(bytes, back_of(*from).socket, upstream_, now);
            } else if (source.is_stale) {
                ++down_.count.received;
                ++down_.count.stale;
            } else {
                down_.take(bytes, front_.socket, source.client, now);
            }
        }
    }

    /// The socket that stands for a client.
    Source& back_of(const Endpoint& client) {
        auto& known = by_client_[client];
        if (known == nullptr) {
            known = backs_.emplace_back(std::make_unique<Source>()).get();
            known->socket = bound_socket({from_, 0});
            known->client = client;
        }
        return *known;
    }

    /// False at the end of the input.
    bool listen_to_commands() {
        std::array<char, 4096> room;
        const auto count = read(STDIN_FILENO, room.data(), room.size());
        if (count <= 0) return false;
        commands_.append(room.data(), static_cast<std::size_t>(count));
        for (auto end = commands_.find('\n'); end != std::string::npos;
             end = commands_.find('\n')) {
            std::puts(obey(std::string_view(commands_).substr(0, end)).c_str());
            std::fflush(stdout);
            commands_.erase(0, end + 1);
        }
        return true;
    }

    std::string obey(std::string_view command) {
        const auto words = split(command, ' ');
        if (words[0] == "count")
            return fmt::format(R"({{"up":{},"down":{}}})", up_.json(overflow_of(front_.socket)),
                               down_.json(overflow_of_backs()));
        if (words[0] == "move" && words.size() == 2) return move(words[1]);
        Harm harm;
        for (std::size_t i = 1; i < words.size(); ++i)
            if (!read_harm(words[i], harm)) return "\"wrong harm\"";
        if (words[0] == "up" || words[0] == "both") up_.harm = harm;
        if (words[0] == "down" || words[0] == "both") down_.harm = harm;
        return words[0] == "up" || words[0] == "down" || words[0] == "both" ? "\"done\""
                                                                            : "\"wrong command\"";
    }

    static bool read_harm(std::string_view text, Harm& harm) {
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) return false;
        const auto number = parse_number<unsigned>(text.substr(equals + 1), 0, 10'000'000);
        if (!number) return false;
        const auto name = text.substr(0, equals);
        if (name == "lose")
            harm.lose = *number;
        else if (name == "double")
            harm.twice = *number;
        else if (name == "swap")
            harm.swap = *number;
        else if (name == "late")
            harm.late = *number;
        else if (name == "flip")
            harm.flip = *number;
        else if (name == "cut")
            harm.cut = *number;
        else if (name == "delay")
            harm.delay = microseconds(*number);
        else if (name == "largest")
            harm.largest = *number;
        else
            return false;
        return true;
    }

    std::string move(std::string_view address) {
        const auto from = IpAddress::parse(address);
        if (!from) return "\"wrong address\"";
        from_ = *from;
        for (const auto& one : backs_) one->is_stale = true;
        by_client_.clear();
        return "\"done\"";
    }

    std::uint64_t overflow_of_backs() const {
        std::uint64_t sum = 0;
        for (const auto& one : backs_) sum += overflow_of(one->socket);
        return sum;
    }

    Endpoint upstream_;
    IpAddress from_;
    Direction up_, down_;
    Source front_;
    std::vector<std::unique_ptr<Source>> backs_;
    std::map<Endpoint, Source*> by_client_;
    std::string commands_;
    std::array<mmsghdr, datagrams_at_once> messages_;
    std::array<sockaddr_storage, datagrams_at_once> names_;
    std::array<iovec, datagrams_at_once> parts_;
    std::array<std::array<std::byte, datagram_room>, datagrams_at_once> rooms_;
};

int run(const std::vector<std::string_view>& words) {
    const auto listen = words.size() == 4 ? Endpoint::parse(words[0]) : std::nullopt;
    const auto upstream = listen ? Endpoint::parse(words[1]) : std::nullopt;
    const auto from = upstream ? IpAddress::parse(words[2]) : std::nullopt;
    const auto seed = from ? parse_number<std::uint32_t>(words[3], 0, ~0U) : std::nullopt;
    if (!seed) {
        std::fputs("usage: datagram_relay_tool LISTEN UPSTREAM FROM SEED\n", stderr);
        return 2;
    }
    const auto relay = std::make_unique<Relay>(*listen, *upstream, *from, *seed);
    std::puts("\"ready\"");
    std::fflush(stdout);
    relay->run();
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    try {
        return run({arguments + 1, arguments + count});
    } catch (const std::system_error& failure) {
        std::fprintf(stderr, "datagram_relay_tool: %s\n", failure.what());
        return 1;
    }
}
