// A session in both roles, fed any bytes in any pieces while time passes: packets come out the same
// however the stream is cut, and every message it sends is one whole packet.

#include "causeway/protocol/cstp_session.h"
#include "tests/fuzz/input.h"

#include <string>

using namespace causeway;
using namespace causeway::protocol;

namespace {

const CstpTimes times{.dpd = std::chrono::seconds(3),
                      .keepalive = std::chrono::seconds(5),
                      .idle_timeout = std::chrono::seconds(60),
                      .session_timeout = std::chrono::seconds(90),
                      .rekey_time = std::chrono::seconds(40),
                      .rekey_method = RekeyMethod::ssl};

void check_output(CstpSession& session) {
    for (const ByteView message : session.messages()) {
        const auto packet = first_cstp_packet(message);
        fuzz::require(packet && *packet &&
                      (*packet)->payload.size() + cstp_header_size == message.size());
    }
    session.sent(session.messages().size());
}

/// All packets that came, one behind the other.
std::string read(Role role, ByteView bytes, std::size_t step) {
    Instant now{};
    CstpSession session(role, times, now);
    std::string packets;
    fuzz::in_pieces(bytes, step, [&](ByteView piece) {
        session.feed(piece, now);
        while (true) {
            const auto event = session.next();
            if (!event || !*event) break;
            if (const auto* batch = std::get_if<Packets>(&**event))
                for (const ByteView packet : batch->packets)
                    packets.append(as_text(packet)).push_back('\n');
        }
        now += std::chrono::milliseconds(100);
        session.advance(now);
        // Nothing may be due again at once: a driver would spin.
        const auto due = session.deadline();
        fuzz::require(!due || *due > now || session.next().has_value());
        check_output(session);
    });
    return packets;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const auto bytes = fuzz::view(data, size).subspan(1);
    for (const Role role : {Role::client, Role::gateway})
        fuzz::require(read(role, bytes, data[0]) == read(role, bytes, bytes.size()));
    return 0;
}
