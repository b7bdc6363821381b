// The datagram channel in both roles, fed any payloads while time passes: it never spins, never
// answers with more than it was sent, and its sizes stay within what was agreed.

#include "causeway/protocol/datagram_session.h"
#include "causeway/protocol/moving_datagram.h"
#include "tests/fuzz/input.h"

using namespace causeway;
using namespace causeway::protocol;

namespace {

constexpr PathMtuLimits limits{.smallest = 576, .largest = 1434};

void check_output(DatagramSession& session) {
    for (const auto& message : session.messages()) {
        fuzz::require(!message.payload.empty());
        fuzz::require(message.payload.front() != std::byte{0});
    }
    session.sent();
    fuzz::require(session.messages().empty());
}

void run(Role role, bool is_own_end, ByteView bytes, std::size_t step) {
    Instant now = Instant{} + std::chrono::seconds(100);
    DatagramSession session(role,
                            {.dpd = std::chrono::seconds(3),
                             .keepalive = std::chrono::seconds(5),
                             .is_own_end = is_own_end},
                            limits, now);
    fuzz::in_pieces(bytes, step, [&](ByteView payload) {
        switch (std::to_integer<int>(payload.front()) % 16) {
            case 1: session.data_sent(1000, now); break;
            case 2: session.data_heard(now); break;
            case 6: session.data_by_tunnel(now); break;
            case 8: session.refused(payload.size() * 16, now); break;
            case 9: session.moved(now); break;
            default: session.feed(payload, now); break;
        }
        // What it has to say comes back to it now and then: the echoes of its own probes.
        if (std::to_integer<int>(payload.back()) % 4 == 0) {
            std::vector<Bytes> echoes;
            for (const auto& message : session.messages()) echoes.push_back(copy(message.payload));
            session.sent();
            for (auto& echo : echoes) {
                if (echo.front() == std::byte{3}) echo.front() = std::byte{4};
                session.feed(echo, now);
            }
        }
        now += std::chrono::milliseconds(std::to_integer<int>(payload.back()) * 4);
        for (int i = 0; i < 4; ++i) session.advance(now);
        const auto due = session.deadline();
        fuzz::require(!due || *due > now);
        fuzz::require(session.packet_limit() >= limits.smallest &&
                      session.packet_limit() <= limits.largest);
        while (session.next()) continue;
        check_output(session);
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto bytes = fuzz::view(data, size);
    for (const Role role : {Role::client, Role::gateway})
        for (const bool is_own_end : {true, false})
            run(role, is_own_end, bytes.subspan(1), data[0] % 64 + 1);
    if (const auto moving = read_moving_datagram(bytes))
        fuzz::require(moving->record.size() + moving_header_size == size &&
                      moving->connection_id.size() == connection_id_size);
    return 0;
}
