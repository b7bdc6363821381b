// Both ends of a DTLS channel under a network that the input commands: datagrams are lost, doubled,
// changed, swapped, cut and invented, time passes, ports are refused, keys are taken. So the ends
// see arbitrary datagrams and real flights that were changed. The first datagram also goes through
// what a gateway reads of it.
//
// What must hold: a channel that has failed stays failed with the same code; the time it asks for
// ends; the queue stays short; keys are given away once; where both sides are ready, they have the
// same keys.

#include "causeway/tls/client_hello.h"
#include "causeway/tls/datagram.h"
#include "causeway/tls/limits.h"
#include "tests/fuzz/input.h"
#include "tests/support/datagram_ends.h"
#include "tests/support/pki.h"
#include "tests/support/tls_ends.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace {

using namespace causeway;
using fuzz::require;

class Input {
public:
    explicit Input(ByteView bytes) : bytes_(bytes) {}
    bool is_empty() const { return bytes_.empty(); }
    std::uint8_t take() {
        if (bytes_.empty()) return 0;
        const auto first = std::to_integer<std::uint8_t>(bytes_[0]);
        bytes_ = bytes_.subspan(1);
        return first;
    }
    Bytes take(std::size_t count) {
        const auto taken = bytes_.first(std::min(count, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return copy(taken);
    }

private:
    ByteView bytes_;
};

void look(test::DatagramEnd& end) {
    const auto before = end.failure;
    end.take();
    if (before) require(end.failure && end.failure->code == before->code);
    if (end.failure) require(!end.channel.deadline());
    // Refused where the records are not the channel's; that is as good.
    if (end.is_ready()) static_cast<void>(end.channel.write(as_bytes("hello")));
}

void hand_on(test::DatagramEnd& from, test::DatagramEnd& to) {
    std::size_t count = 0;
    for (; !from.channel.pending().empty(); from.channel.sent(), ++count)
        if (to.coming.size() < 32) to.coming.push_back(copy(from.channel.pending()));
    require(count <= tls::datagram_queue_limit);
}

void receive(test::DatagramEnd& end, Instant now) {
    if (end.coming.empty()) return;
    const Bytes datagram = std::move(end.coming.front());
    end.coming.pop_front();
    if (const auto hello = tls::client_hello(datagram)) require(hello->app_id.size() <= 255);
    end.feed(datagram, now);
}

void pass_time(test::DatagramEnd& end, Instant now) {
    for (int i = 0; i < 64; ++i) {
        const auto due = end.channel.deadline();
        if (!due || *due > now) return;
        end.channel.advance(*due);
    }
    require(false);
}

void command(Input& input, test::DatagramEnd& end, Instant& now) {
    const auto what = input.take();
    const std::size_t amount = input.take();
    switch (what % 11) {
        case 0:
        case 1: receive(end, now); break;
        case 2:
            while (!end.coming.empty()) receive(end, now);
            break;
        case 3:
            if (!end.coming.empty() && !end.coming.front().empty())
                end.coming.front()[amount % end.coming.front().size()] ^=
                    static_cast<std::byte>(input.take());
            break;
        case 4:
            if (!end.coming.empty()) end.coming.pop_front();
            break;
        case 5:
            if (!end.coming.empty() && end.coming.size() < 32)
                end.coming.push_back(Bytes(end.coming.front()));
            break;
        case 6: end.coming.push_front(input.take(amount)); break;
        case 7:
            if (end.coming.size() > 1) std::swap(end.coming.front(), end.coming.back());
            break;
        case 8:
            if (!end.coming.empty())
                end.coming.front().resize(std::min(end.coming.front().size(), amount));
            break;
        case 9: now += std::chrono::milliseconds(50 * amount); break;
        default:
            if (amount == 0) end.channel.feed_reset(ECONNREFUSED, now);
            if (amount == 1) end.channel.confirm();
            if (amount == 2 && end.channel.take_traffic_keys())
                require(!end.channel.take_traffic_keys());
    }
}

tls::DatagramSettings settings(bool is_server, std::uint8_t mode) {
    if (mode & 1)
        return test::resumed_settings(
            is_server, tls::resumed_suites[(mode >> 1) % std::size(tls::resumed_suites)]);
    return test::psk_settings(is_server,
                              {tls::psk_suites[(mode >> 1) % std::size(tls::psk_suites)]});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(fuzz::view(data, size));
    const auto mode = input.take();
    test::DatagramEnd client(settings(false, mode));
    test::DatagramEnd server(settings(true, mode));
    Instant now = test::test_start;
    while (!input.is_empty()) {
        hand_on(client, server);
        hand_on(server, client);
        command(input, input.take() & 1 ? client : server, now);
        for (auto* end : {&client, &server}) {
            pass_time(*end, now);
            look(*end);
        }
    }
    if (client.is_ready() && server.is_ready()) {
        const auto one = client.channel.take_traffic_keys();
        const auto other = server.channel.take_traffic_keys();
        if (one && other) require(one->write_key.reveal() == other->read_key.reveal());
    }
    return 0;
}
