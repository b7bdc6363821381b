#include "causeway/protocol/cstp_session.h"

#include "causeway/protocol/test_support.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <string>
#include <vector>

namespace causeway::protocol {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant start{std::chrono::hours(1)};

std::string told(const CstpEvent& event) {
    struct Teller {
        std::string operator()(const Packets& batch) const {
            std::string text = "packets(";
            for (const ByteView packet : batch.packets) text += std::string(as_text(packet)) + ";";
            return text + ")";
        }
        std::string operator()(const PeerDead& dead) const {
            return fmt::format("dead({})", dead.silence.count());
        }
        std::string operator()(const ClientLeft& left) const {
            return fmt::format("left({},{})", left.notice.text, left.keeps_session);
        }
        std::string operator()(const RekeyDue&) const { return "rekey"; }
        std::string operator()(const IdleExpired&) const { return "idle"; }
        std::string operator()(const SessionExpired&) const { return "expired"; }
    };
    return std::visit(Teller{}, event);
}

/// Everything a session has to tell.
std::string events(CstpSession& session) {
    std::string text;
    while (true) {
        const auto event = session.next();
        if (!event) return text + story(event.error());
        if (!*event) return text;
        text += told(**event) + " ";
    }
}

/// The messages that wait, each in hexadecimal, taken away.
std::string output(CstpSession& session) {
    std::string text;
    for (const ByteView message : session.messages()) text += hex(message) + " ";
    session.sent(session.messages().size());
    return text;
}

Bytes message(PacketType type, std::string_view payload) {
    Bytes bytes = copy(cstp_header(type, payload.size()));
    append(bytes, as_bytes(payload));
    return bytes;
}

Bytes stream(std::initializer_list<Bytes> messages) {
    Bytes all;
    for (const Bytes& one : messages) append(all, one);
    return all;
}

CstpSession client(CstpTimes times = {}) { return CstpSession(Role::client, times, start); }
CstpSession gateway(CstpTimes times = {}) { return CstpSession(Role::gateway, times, start); }

TEST_CASE("a stream may be cut anywhere, and the packets come in batches") {
    const Bytes bytes =
        stream({message(PacketType::data, "one"), message(PacketType::data, "two"),
                message(PacketType::keepalive, ""), message(PacketType::data, "three")});
    CstpSession whole = client();
    whole.feed(bytes, start);
    CHECK(events(whole) == "packets(one;two;three;) ");

    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        CstpSession session = client();
        std::string all;
        in_pieces(as_text(bytes), step, [&](ByteView piece) {
            const Bytes arrived = copy(piece);  // Gone after next() has returned nothing.
            session.feed(arrived, start);
            all += events(session);
        });
        std::erase_if(all, [](char c) { return c == ' ' || c == '(' || c == ')'; });
        std::string::size_type at = 0;
        while ((at = all.find("packets")) != std::string::npos) all.erase(at, 7);
        CHECK(all == "one;two;three;");
    }
}

TEST_CASE("several pieces fed before next make one batch") {
    const Bytes bytes =
        stream({message(PacketType::data, "one"), message(PacketType::data, "two")});
    CstpSession session = client();
    session.feed(ByteView(bytes).first(13), start);
    session.feed(ByteView(bytes).subspan(13), start);
    CHECK(events(session) == "packets(one;two;) ");
    CHECK(session.counters().packets_in == 2);
    CHECK(session.counters().bytes_in == 6);
}

TEST_CASE("each packet leaves as a message of its own") {
    CstpSession session = client();
    const Bytes a = copy(as_bytes("ab"));
    const Bytes b = copy(as_bytes("c"));
    const std::vector<ByteView> packets{a, b};
    CHECK(session.send(packets, start) == 2);
    REQUIRE(session.messages().size() == 2);
    session.sent(1);
    CHECK(output(session) == "535446010001000063 ");
    CHECK_FALSE(session.has_output());
    CHECK(session.counters().packets_out == 2);
}

TEST_CASE("packets that find the output full are dropped and counted") {
    CstpSession session = client();
    session.set_output_limit(100);
    const Bytes packet(40);
    const std::vector<ByteView> packets{packet, packet, packet};
    CHECK(session.send(packets, start) == 2);
    CHECK(session.counters().dropped_out == 1);
    session.sent(2);
    CHECK(session.send(packets, start) == 2);
    session.sent(1);
    CHECK(session.send(packets, start) == 1);
    CHECK(session.counters().dropped_out == 4);
}

TEST_CASE("a packet that no TLS record holds with its header is dropped and counted") {
    CstpSession session = client();
    const Bytes largest(16376), larger(16377);
    const std::vector<ByteView> fitting{largest}, too_large{larger};
    CHECK(session.send(fitting, start) == 1);
    REQUIRE(session.messages().size() == 1);
    CHECK(session.messages().front().size() == 16384);
    session.sent(1);
    CHECK(session.send(too_large, start) == 0);
    CHECK(session.counters().dropped_out == 1);
    session.feed(message(PacketType::dpd_request, std::string(16377, 'x')), start);
    CHECK(events(session) == "");
    CHECK_FALSE(session.has_output());
}

TEST_CASE("a DPD request is answered with its own payload, a keepalive not at all") {
    CstpSession session = client();
    const Bytes bytes =
        stream({message(PacketType::dpd_request, "abcdef"), message(PacketType::keepalive, ""),
                message(PacketType::dpd_response, "")});
    session.feed(bytes, start);
    CHECK(events(session) == "");
    CHECK(output(session) == "5354460100060400616263646566 ");
}

TEST_CASE("echoes of a flood of DPD requests do not pile up") {
    CstpSession session = client();
    const Bytes request = message(PacketType::dpd_request, std::string(10000, 'x'));
    for (int i = 0; i < 1000; ++i) {
        session.feed(request, start);
        CHECK(events(session) == "");
    }
    std::size_t waiting = 0;
    for (const ByteView one : session.messages()) waiting += one.size();
    CHECK(waiting < 300 * 1024);
}

TEST_CASE("a silent peer is asked, asked again, and dead after twice the interval") {
    CstpSession session = client({.dpd = seconds(10)});
    CHECK(session.deadline() == start + seconds(10));
    session.advance(start + seconds(9));
    CHECK(output(session) == "");
    session.advance(start + seconds(10));
    CHECK(output(session) == "5354460100000300 ");
    CHECK(session.deadline() == start + seconds(15));
    session.advance(start + seconds(15));
    CHECK(output(session) == "5354460100000300 ");
    CHECK(session.deadline() == start + seconds(20));
    session.advance(start + seconds(20));
    CHECK(events(session) == "dead(20000) ");
    CHECK(events(session) == "");
}

TEST_CASE("any packet is a sign of life") {
    CstpSession session = client({.dpd = seconds(10)});
    session.advance(start + seconds(10));
    const Bytes bytes = message(PacketType::dpd_response, "");
    session.feed(bytes, start + seconds(19));
    session.advance(start + seconds(20));
    CHECK(events(session) == "");
    CHECK(session.deadline() == start + seconds(29));
}

TEST_CASE("an interval of one second does not spin") {
    CstpSession session = client({.dpd = seconds(1)});
    session.advance(start + seconds(1));
    CHECK(session.deadline() == start + milliseconds(1500));
}

TEST_CASE("keepalives leave when nothing else does") {
    CstpSession session = client({.dpd = seconds(0), .keepalive = seconds(5)});
    const Bytes packet(1);
    const std::vector<ByteView> packets{packet};
    session.send(packets, start + seconds(3));
    output(session);
    session.advance(start + seconds(5));
    CHECK(output(session) == "");
    CHECK(session.deadline() == start + seconds(8));
    session.advance(start + seconds(8));
    CHECK(output(session) == "5354460100000700 ");
}

TEST_CASE("the gateway notices idle sessions, and only DATA is work") {
    CstpSession session = gateway({.dpd = seconds(0), .idle_timeout = seconds(60)});
    const Bytes data = message(PacketType::data, "x");
    session.feed(data, start + seconds(30));
    CHECK(events(session) == "packets(x;) ");
    const Bytes alive = message(PacketType::keepalive, "");
    session.feed(alive, start + seconds(80));
    session.advance(start + seconds(89));
    CHECK(events(session) == "");
    session.advance(start + seconds(90));
    CHECK(events(session) == "idle ");
    session.advance(start + seconds(200));
    CHECK(events(session) == "");
}

TEST_CASE("the gateway notices the end of a session's time") {
    CstpSession session = gateway({.dpd = seconds(0), .session_timeout = seconds(100)});
    CHECK(session.deadline() == start + seconds(100));
    session.advance(start + seconds(100));
    CHECK(events(session) == "expired ");
    CHECK_FALSE(session.deadline());
}

TEST_CASE("a rekey is due once, and again a whole interval after it was done") {
    CstpSession session =
        client({.dpd = seconds(0), .rekey_time = seconds(50), .rekey_method = RekeyMethod::ssl});
    session.advance(start + seconds(50));
    session.advance(start + seconds(60));
    CHECK(events(session) == "rekey ");
    session.rekeyed(start + seconds(61));
    CHECK(session.deadline() == start + seconds(111));
}

TEST_CASE("the packets before a gateway's DISCONNECT arrive, then its words") {
    CstpSession session = client();
    Bytes bytes = message(PacketType::data, "last");
    append(bytes, message(PacketType::disconnect,
                          as_text(write_disconnect(
                              DisconnectByte::error,
                              Reason{Vpn::serverDisconnected, "Idle for 10 minutes", 9}))));
    session.feed(bytes, start);
    CHECK(events(session) == "packets(last;) serverDisconnected: Idle for 10 minutes");
    CHECK(events(session) == "serverDisconnected: Idle for 10 minutes");
    CHECK_FALSE(session.deadline());
}

TEST_CASE("every end that a gateway can send has its story") {
    const auto end = [](PacketType type, std::string_view payload) {
        CstpSession session = client();
        const Bytes bytes = message(type, payload);
        session.feed(bytes, start);
        return events(session);
    };
    CHECK(end(PacketType::disconnect, "") ==
          "serverDisconnected: the gateway ended the session and gave no reason");
    CHECK(end(PacketType::disconnect, "\x70kicked") == "serverDisconnected: kicked");
    CHECK(end(PacketType::terminate, "") == "serverDisconnected: the gateway is shutting down");
    CHECK(end(PacketType::compressed, "x")
              .starts_with("negotiationFailed: the gateway broke the rules of the tunnel <- "
                           "errSSLProtocol: "));
}

TEST_CASE("a client's goodbye says whether it comes back") {
    const auto goodbye = [](std::string_view payload) {
        CstpSession session = gateway();
        const Bytes bytes = message(PacketType::disconnect, payload);
        session.feed(bytes, start);
        return events(session);
    };
    CHECK(goodbye("\xb0User") == "left(User,false) ");
    CHECK(goodbye("\x70oops") == "left(oops,false) ");
    CHECK(goodbye("\xd1") == "left(,true) ");
    CHECK(goodbye("\x91roam") == "left(roam,true) ");
    CHECK(goodbye("") == "left(,true) ");
}

TEST_CASE("after disconnect nothing follows it out") {
    CstpSession session = gateway();
    session.disconnect(DisconnectByte::user, "bye");
    const Bytes packet(1);
    const std::vector<ByteView> packets{packet};
    CHECK(session.send(packets, start) == 0);
    const Bytes request = message(PacketType::dpd_request, "");
    session.feed(request, start);
    CHECK(output(session) == "5354460100040500b0627965 ");
}

TEST_CASE("a stream that is no CSTP ends the session for good") {
    CstpSession session = gateway();
    session.feed(as_bytes("GET / HTTP/1.1\r\n"), start);
    CHECK(events(session) ==
          "negotiationFailed: the client broke the rules of the tunnel <- errSSLDecodeError: not a "
          "CSTP header: 474554202f204854");
    const Bytes fine = message(PacketType::data, "x");
    session.feed(fine, start);
    CHECK(events(session).starts_with("negotiationFailed"));
}

TEST_CASE("both sides joined by a pipe that cuts understand each other") {
    CstpSession left = client({.dpd = seconds(10)});
    CstpSession right = gateway({.dpd = seconds(10)});
    std::uint64_t arrived = 0;
    const Bytes packet(1400, std::byte{0x45});
    const std::vector<ByteView> packets(40, packet);
    for (std::size_t step = 1; step < 4000; step += 97) {
        left.send(packets, start);
        Bytes wire;
        for (const ByteView one : left.messages()) append(wire, one);
        left.sent(left.messages().size());
        in_pieces(as_text(wire), step, [&](ByteView piece) {
            right.feed(piece, start);
            while (true) {
                const auto event = right.next();
                REQUIRE(event.has_value());
                if (!*event) break;
                for (const ByteView one : std::get<Packets>(**event).packets) {
                    CHECK(std::ranges::equal(one, packet));
                    ++arrived;
                }
            }
        });
    }
    CHECK(arrived == right.counters().packets_in);
    CHECK(arrived == left.counters().packets_out);
}

TEST_CASE("between our own ends packets share a message, as many as a record holds") {
    const Instant now{};
    CstpSession sender(Role::client, {}, now);
    CstpSession receiver(Role::gateway, {}, now);
    sender.set_bundles(true);
    const Bytes packet(1400, std::byte{0x45});
    const std::vector<ByteView> packets(30, packet);
    CHECK(sender.send(packets, now) == 30);
    const auto messages = sender.messages();
    CHECK(messages.size() == 3);  // eleven packets with their headers in each
    for (const ByteView message : messages) CHECK(message.size() <= bundle_limit);
    std::size_t arrived = 0;
    for (const ByteView message : messages) {
        receiver.feed(message, now);
        const auto event = receiver.next();
        REQUIRE((event && *event));
        arrived += std::get<Packets>(**event).packets.size();
        REQUIRE_FALSE(*receiver.next());
    }
    CHECK(arrived == 30);
    sender.sent(2);
    CHECK(sender.send(packets, now) == 30);  // behind one that has not left
    for (const ByteView message : sender.messages()) CHECK(message.size() <= bundle_limit);
    sender.sent(sender.messages().size());
    CHECK_FALSE(sender.has_output());
}

}  // namespace
}  // namespace causeway::protocol
