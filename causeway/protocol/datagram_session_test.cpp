#include "causeway/protocol/datagram_session.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace causeway::protocol {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// "up", "down: silence", "size 1200" … one behind the other.
std::string words(const DatagramEvent& event) {
    struct Words {
        std::string operator()(const DatagramUp&) const { return "up"; }
        std::string operator()(const DatagramDown& down) const {
            if (down.why == DatagramDown::Why::narrow) return "down: narrow";
            if (down.why == DatagramDown::Why::unanswered) return "down: unanswered";
            if (down.why == DatagramDown::Why::renewed) return "down: renewed";
            return down.why == DatagramDown::Why::silence ? "down: silence" : "down: peer left";
        }
        std::string operator()(const DatagramLost&) const { return "lost"; }
        std::string operator()(const PathMtuChanged& changed) const {
            return "size " + std::to_string(changed.size);
        }
        std::string operator()(const DatagramDisconnect&) const { return "disconnect"; }
    };
    return std::visit(Words{}, event);
}

/// One end: what happened to it, and when it last fell back.
struct End {
    DatagramSession session;
    std::vector<std::string> story{};
    Instant down_at{};
    bool has_data = false;      ///< It sends DATA all the time,
    bool answers_data = false;  ///< or once for each DATA that came.
};

/// Both ends with a way between them that can be cut in each direction, and by size.
struct Pair {
    Instant now = Instant{} + seconds(1000);
    End client;
    End gateway;
    bool up_is_cut = false;
    bool down_is_cut = false;
    std::size_t width = 2000;  ///< Of payloads.
    milliseconds round_trip{10};
    std::size_t answer_size = 1400;  ///< Of packets that answer DATA.
    unsigned loses_every = 0;        ///< One of so many, by chance.
    std::minstd_rand chance{1};

    explicit Pair(bool own = true, seconds dpd = seconds(30), seconds keepalive = seconds(0))
        : client{DatagramSession(Role::client, {dpd, keepalive, own}, {.largest = 1434}, now)},
          gateway{DatagramSession(Role::gateway, {dpd, keepalive, own},
                                  {.largest = 1434, .is_echoed = own}, now)} {}

    struct Flight {
        Instant at;
        bool to_gateway;
        Bytes payload;
    };
    std::vector<Flight> flights{};

    bool is_lost() { return loses_every != 0 && chance() % loses_every == 0; }

    void send(End& from, bool to_gateway) {
        std::vector<Bytes> payloads;
        for (const auto& message : from.session.messages())
            payloads.push_back(copy(message.payload));
        from.session.sent();
        if (from.has_data) {
            if (from.session.carries()) {
                payloads.push_back({std::byte{0}, std::byte{0x45}});
                from.session.data_sent(1400, now);
            } else if (to_gateway) {
                gateway.session.data_by_tunnel(now);
            } else {
                client.session.data_by_tunnel(now);
            }
        }
        for (auto& payload : payloads)
            if (!(to_gateway ? up_is_cut : down_is_cut) && payload.size() <= width && !is_lost())
                flights.push_back({now + round_trip / 2, to_gateway, std::move(payload)});
    }

    void arrive(const Flight& flight) {
        auto& end = flight.to_gateway ? gateway : client;
        if (flight.payload.front() != std::byte{0}) return end.session.feed(flight.payload, now);
        end.session.data_heard(now);
        if (!end.answers_data || !end.session.carries()) return;
        end.session.data_sent(answer_size, now);
        if (!(flight.to_gateway ? down_is_cut : up_is_cut))
            flights.push_back({now + round_trip / 2, !flight.to_gateway, flight.payload});
    }

    void listen(End& end) {
        while (auto event = end.session.next()) {
            end.story.push_back(words(*event));
            if (std::holds_alternative<DatagramDown>(*event)) end.down_at = now;
        }
    }

    void pass(milliseconds length) {
        const Instant end = now + length;
        while (now < end) {
            send(client, true);
            send(gateway, false);
            now += milliseconds(5);
            const auto due = std::exchange(flights, {});
            for (const auto& flight : due)
                flight.at <= now ? arrive(flight) : flights.push_back(flight);
            for (auto* one : {&client, &gateway}) {
                if (const auto deadline = one->session.deadline(); deadline && *deadline <= now)
                    one->session.advance(now);
                listen(*one);
            }
        }
    }
};

using Story = std::vector<std::string>;

TEST_CASE("the client takes the channel when both directions and the size are proven") {
    Pair pair;
    CHECK_FALSE(pair.client.session.carries());
    pair.pass(milliseconds(60));
    CHECK(pair.client.story == Story{"up"});
    CHECK(pair.gateway.story == Story{"up"});
}

TEST_CASE("a channel in which only one direction works is never taken") {
    for (const bool up : {true, false}) {
        Pair pair;
        (up ? pair.up_is_cut : pair.down_is_cut) = true;
        pair.pass(seconds(20));
        CHECK(pair.client.story == Story{"lost"});
        CHECK(pair.gateway.story == Story{});
    }
}

TEST_CASE("a channel that carries only small datagrams is taken with that size") {
    Pair pair;
    pair.width = 1201;
    pair.pass(seconds(4));
    REQUIRE(pair.client.story == Story{"size 1200", "up"});
    CHECK(pair.client.session.packet_limit() == 1200);
    // The gateway finds its own direction out by itself.
    CHECK(pair.gateway.session.packet_limit() == 1200);
}

TEST_CASE("a channel in which no useful size gets through is left to TLS") {
    Pair pair;
    pair.width = 500;
    pair.pass(seconds(5));
    CHECK(pair.client.story.back() == "lost");
    CHECK_FALSE(pair.client.session.carries());
    CHECK_FALSE(pair.gateway.session.carries());

    Pair later;
    later.client.has_data = later.gateway.has_data = true;
    later.pass(seconds(2));
    later.width = 500;
    later.pass(seconds(5));
    CHECK(later.client.story.back() == "lost");
    CHECK_FALSE(later.client.session.carries());
    CHECK_FALSE(later.gateway.session.carries());
}

TEST_CASE("between our own ends a cut in any direction is noticed within a second") {
    struct Cut {
        bool up, down;
    };
    for (const auto& cut : {Cut{true, true}, Cut{true, false}, Cut{false, true}}) {
        for (const bool client_sends : {true, false}) {
            for (const bool gateway_sends : {true, false}) {
                if (!client_sends && !gateway_sends) continue;
                Pair pair;
                pair.client.has_data = client_sends;
                pair.gateway.has_data = gateway_sends;
                pair.pass(seconds(5));
                REQUIRE(pair.client.session.carries());
                REQUIRE(pair.gateway.session.carries());
                pair.up_is_cut = cut.up;
                pair.down_is_cut = cut.down;
                const Instant cut_at = pair.now;
                pair.pass(seconds(4));
                CAPTURE(cut.up);
                CAPTURE(cut.down);
                CAPTURE(client_sends);
                CAPTURE(gateway_sends);
                // Who sends into the cut direction must leave it.
                if (cut.up && client_sends) {
                    CHECK_FALSE(pair.client.session.carries());
                    CHECK(pair.client.down_at - cut_at <= milliseconds(1000));
                }
                if (cut.down && gateway_sends) {
                    CHECK_FALSE(pair.gateway.session.carries());
                    CHECK(pair.gateway.down_at - cut_at <= milliseconds(1000));
                }
            }
        }
    }
}

TEST_CASE("a flow of TCP through a cut channel goes on within two seconds") {
    Pair pair;
    pair.client.has_data = pair.gateway.has_data = true;
    pair.pass(seconds(5));
    pair.up_is_cut = pair.down_is_cut = true;
    const Instant cut_at = pair.now;
    pair.pass(seconds(2));
    for (const auto* end : {&pair.client, &pair.gateway}) {
        REQUIRE_FALSE(end->session.carries());
        const auto silence = end->down_at - cut_at;
        // It tries again after its timeout, then after twice as long each time (RFC 6298, 5.5); the
        // least timeout of Linux is 200 ms.
        for (milliseconds timeout{200}; timeout <= milliseconds(660); ++timeout) {
            auto pause = timeout;
            auto tried_at = pause;
            while (tried_at <= silence) tried_at += pause *= 2;
            CAPTURE(timeout.count());
            CHECK(tried_at < seconds(2));
        }
    }
}

TEST_CASE("who left a cut channel stays away from it, whatever arrives late") {
    for (const auto round_trip : {milliseconds(10), milliseconds(100)}) {
        for (const bool up : {true, false}) {
            Pair pair;
            pair.round_trip = round_trip;
            pair.client.has_data = pair.gateway.has_data = true;
            pair.pass(seconds(5));
            (up ? pair.up_is_cut : pair.down_is_cut) = true;
            const Instant cut_at = pair.now;
            pair.pass(seconds(4));
            CAPTURE(round_trip.count());
            CAPTURE(up);
            for (const auto* end : {&pair.client, &pair.gateway}) {
                CHECK(std::ranges::count(end->story, "up") == 1);
                CHECK(end->down_at - cut_at <= milliseconds(1000));
            }
        }
    }
}

TEST_CASE("a gateway's questions are no answers: who only gets these is not heard") {
    Pair pair;
    pair.client.has_data = pair.gateway.answers_data = true;
    pair.pass(seconds(5));
    REQUIRE(pair.client.session.carries());
    pair.up_is_cut = true;
    const Instant cut_at = pair.now;
    pair.pass(seconds(4));
    CHECK_FALSE(pair.client.session.carries());
    CHECK(pair.client.down_at - cut_at <= milliseconds(1000));
}

TEST_CASE("who notices that one direction is cut tells the other, who still hears something") {
    for (const bool up : {true, false}) {
        Pair pair;
        End& hearing = up ? pair.client : pair.gateway;
        End& deaf = up ? pair.gateway : pair.client;
        hearing.answers_data = deaf.has_data = true;
        pair.pass(seconds(5));
        REQUIRE(hearing.session.carries());
        REQUIRE(deaf.session.carries());
        (up ? pair.up_is_cut : pair.down_is_cut) = true;
        const Instant cut_at = pair.now;
        // A second from the first that has no answer. TCP repeats itself, ever more rarely, and
        // never has an answer.
        for (const auto pause : {milliseconds(200), milliseconds(400), milliseconds(800)}) {
            deaf.has_data = false;
            pair.pass(pause);
            deaf.has_data = true;
            pair.pass(milliseconds(5));
        }
        CAPTURE(up);
        CHECK_FALSE(hearing.session.carries());
        CHECK_FALSE(deaf.session.carries());
        CHECK(hearing.down_at - cut_at <= milliseconds(200 + 1000));
        CHECK(deaf.down_at - cut_at <= milliseconds(200 + 1000));
    }
}

TEST_CASE("a channel that comes back is taken again, by both") {
    Pair pair;
    pair.client.has_data = pair.gateway.has_data = true;
    pair.pass(seconds(3));
    pair.up_is_cut = pair.down_is_cut = true;
    pair.pass(seconds(4));
    CHECK_FALSE(pair.client.session.carries());
    CHECK_FALSE(pair.gateway.session.carries());
    pair.up_is_cut = pair.down_is_cut = false;
    pair.pass(milliseconds(1300));
    CHECK(pair.client.session.carries());
    CHECK(pair.gateway.session.carries());
    CHECK(pair.client.story.back() == "up");
}

TEST_CASE("while one direction stays cut, neither end goes back to the channel") {
    for (const bool up : {true, false}) {
        Pair pair;
        pair.client.has_data = pair.gateway.has_data = true;
        pair.pass(seconds(3));
        (up ? pair.up_is_cut : pair.down_is_cut) = true;
        pair.pass(seconds(15));
        CHECK(pair.client.story.back() == "lost");
        CHECK(std::ranges::count(pair.client.story, "up") == 1);
        CHECK(std::ranges::count(pair.gateway.story, "up") == 1);
    }
}

TEST_CASE("a channel that does not come back is lost, and then it is quiet") {
    Pair pair;
    pair.client.has_data = true;
    pair.pass(seconds(3));
    pair.up_is_cut = pair.down_is_cut = true;
    pair.pass(seconds(12));
    CHECK(pair.client.story == Story{"up", "down: silence", "lost"});
    CHECK_FALSE(pair.client.session.deadline());
    CHECK(pair.client.session.messages().empty());
}

TEST_CASE("an idle channel between our own ends is asked by DPD only") {
    Pair pair(true, seconds(10));
    pair.pass(seconds(1));
    const auto asked = [&] {
        return pair.client.session.counters().probes_sent +
               pair.gateway.session.counters().probes_sent;
    };
    const auto before = asked();
    pair.pass(seconds(60));
    CHECK(asked() - before <= 14);
    CHECK(asked() - before >= 5);
    CHECK(pair.client.story == Story{"up"});
}

TEST_CASE(
    "who sends asks twice a second whether the size still fits, and who only hears does not") {
    Pair pair;
    pair.client.has_data = true;
    pair.gateway.answers_data = true;
    pair.answer_size = 52;
    pair.pass(seconds(1));
    const auto asked = pair.client.session.counters().probes_sent;
    const auto asked_by_gateway = pair.gateway.session.counters().probes_sent;
    pair.pass(seconds(10));
    CHECK(pair.client.session.counters().probes_sent - asked >= 18);
    CHECK(pair.client.session.counters().probes_sent - asked <= 20);
    CHECK(pair.gateway.session.counters().probes_sent == asked_by_gateway);
    CHECK(pair.client.story == Story{"up"});
}

TEST_CASE("towards a stock gateway silence counts by its DPD, and a new handshake is asked for") {
    for (const bool sends : {true, false}) {
        Pair pair(false, seconds(2));
        pair.client.has_data = sends;
        pair.pass(seconds(5));
        REQUIRE(pair.client.story == Story{"up"});
        pair.down_is_cut = true;
        const Instant cut_at = pair.now;
        pair.pass(seconds(6));
        CAPTURE(sends);
        CHECK(pair.client.story == Story{"up", "down: silence", "lost"});
        CHECK(pair.client.down_at - cut_at >= milliseconds(sends ? 1000 : 2000));
        // An idle one is asked after a DPD.
        CHECK(pair.client.down_at - cut_at <= milliseconds(sends ? 1600 : 4100));
    }
}

TEST_CASE("a stock gateway that is still heard, and answers no more, is not reached any more") {
    Pair pair(false, seconds(1));
    pair.client.has_data = pair.gateway.has_data = true;
    pair.pass(seconds(5));
    REQUIRE(pair.client.story == Story{"up"});
    pair.up_is_cut = true;
    const Instant cut_at = pair.now;
    pair.pass(seconds(3));
    CHECK(pair.client.story == Story{"up", "down: unanswered", "lost"});
    CHECK(pair.client.down_at - cut_at <= milliseconds(1100));
}

TEST_CASE("a stock client that answers no more is not heard, or hears nothing: TLS within a DPD") {
    struct Way {
        bool up;
        seconds dpd;
        milliseconds noticed_after;
    };
    for (const auto& [up, dpd, noticed_after] : {Way{true, seconds(1), milliseconds(1100)},
                                                 {false, seconds(1), milliseconds(1100)},
                                                 {true, seconds(4), milliseconds(3100)},
                                                 {false, seconds(4), milliseconds(3100)}}) {
        Pair pair(false, dpd);
        pair.pass(seconds(1));
        pair.client.has_data = pair.gateway.has_data = true;
        pair.pass(seconds(5));
        REQUIRE(pair.gateway.story == Story{"up"});
        const Instant cut_at = pair.now;
        // A stock client notices later than ours, or never: it goes on sending.
        for (int i = 0; i < 400; ++i) {
            pair.now += milliseconds(10);
            if (!up) pair.gateway.session.data_heard(pair.now);
            pair.gateway.session.advance(pair.now);
            if (pair.gateway.session.carries()) pair.gateway.session.data_sent(1400, pair.now);
            pair.listen(pair.gateway);
        }
        CAPTURE(up);
        CAPTURE(dpd.count());
        CHECK(pair.gateway.story == Story{"up", up ? "down: silence" : "down: unanswered"});
        CHECK(pair.gateway.down_at - cut_at <= noticed_after);
        bool has_alert = false;
        for (const auto& message : pair.gateway.session.messages())
            if (message.kind == DatagramMessage::Kind::alert)
                has_alert = hex(message.payload) == "0250";
        CHECK(has_alert);
        pair.gateway.session.sent();
        // From then on only a new channel will do; a question shows that it has not heard.
        pair.gateway.session.data_heard(pair.now);
        pair.gateway.session.feed(*from_hex("04"), pair.now);
        CHECK_FALSE(pair.gateway.session.carries());
        CHECK(pair.gateway.session.messages().empty());
        pair.gateway.session.feed(*from_hex("03"), pair.now);
        pair.gateway.session.advance(pair.now + seconds(1));
        REQUIRE(pair.gateway.session.messages().size() == 1);
        CHECK(pair.gateway.session.messages()[0].kind == DatagramMessage::Kind::alert);
    }
}

TEST_CASE("when TLS has new keys a stock client is asked to begin anew, and an own one begins") {
    for (const bool own : {true, false}) {
        Pair pair(own);
        pair.pass(seconds(1));
        REQUIRE(pair.gateway.session.carries());
        pair.gateway.session.renew(pair.now);
        pair.gateway.session.data_heard(pair.now);
        CAPTURE(own);
        CHECK(pair.gateway.session.carries() == own);
        pair.gateway.session.advance(pair.now + milliseconds(30));
        const auto messages = pair.gateway.session.messages();
        CHECK(std::ranges::count(messages, DatagramMessage::Kind::alert, &DatagramMessage::kind) ==
              (own ? 0 : 1));
    }
}

TEST_CASE("a way to a stock peer that loses a fifth of the datagrams is not taken for cut") {
    Pair pair(false, seconds(1));
    pair.pass(seconds(1));
    pair.client.has_data = pair.gateway.has_data = true;
    pair.loses_every = 5;
    pair.pass(seconds(60));
    for (const auto* end : {&pair.client, &pair.gateway}) {
        CHECK(end->session.carries());
        CHECK(std::ranges::count(end->story, "up") == 1);  // Sizes may have been judged wrongly.
    }
}

TEST_CASE("a stock client that has never answered is judged by its silence alone") {
    Pair pair(false, seconds(1));
    const Instant start = pair.now;
    pair.gateway.session.data_heard(start);
    for (int i = 0; i < 500; ++i) {
        pair.now += milliseconds(10);
        pair.gateway.session.data_heard(pair.now);
        pair.gateway.session.data_sent(1400, pair.now);
        pair.gateway.session.advance(pair.now);
        pair.gateway.session.sent();
        pair.listen(pair.gateway);
    }
    CHECK(pair.gateway.story == Story{"up"});
}

TEST_CASE("DATA that was under way by datagram when an own client left does not bring it back") {
    struct Leaving {
        std::string how;
        void (*leave)(DatagramSession&, Instant);
    };
    const Leaving ways[] = {
        // With the last DATA in front of it in the same train, which is told of at its end.
        {"it says so",
         [](DatagramSession& session, Instant now) { session.feed(*from_hex("04"), now); }},
        // A datagram may be overtaken by what was sent later through TLS.
        {"it sends through TLS",
         [](DatagramSession& session, Instant now) { session.data_by_tunnel(now); }},
    };
    for (const auto& [how, leave] : ways) {
        CAPTURE(how);
        Pair pair;
        pair.pass(seconds(2));
        auto& gateway = pair.gateway.session;
        REQUIRE(gateway.carries());
        leave(gateway, pair.now);
        gateway.data_heard(pair.now);
        CHECK_FALSE(gateway.carries());
        gateway.data_heard(pair.now + milliseconds(500));
        CHECK_FALSE(gateway.carries());

        auto later = gateway;  // Its KEEPALIVE was lost.
        later.data_heard(pair.now + seconds(1));
        CHECK(later.carries());

        auto elsewhere = gateway;  // The client is at another address, and has just said so.
        elsewhere.moved(pair.now + milliseconds(500));
        elsewhere.data_heard(pair.now + milliseconds(500));
        CHECK(elsewhere.carries());

        gateway.feed(*from_hex("07"), pair.now + milliseconds(500));
        CHECK(gateway.carries());
    }
}

TEST_CASE("DATA of a stock client through TLS moves the gateway there, and a datagram back") {
    Pair pair(false);
    pair.pass(seconds(1));
    REQUIRE(pair.gateway.session.carries());
    pair.gateway.session.data_by_tunnel(pair.now);
    CHECK_FALSE(pair.gateway.session.carries());
    pair.gateway.session.data_heard(pair.now);
    CHECK(pair.gateway.session.carries());
}

TEST_CASE("DATA of a stock gateway through TLS does not end the channel") {
    Pair pair(false);
    pair.pass(seconds(3));
    pair.client.session.data_by_tunnel(pair.now);
    CHECK(pair.client.session.carries());
}

TEST_CASE("DATA that was under way through TLS at the change does not undo it") {
    Pair pair;
    pair.pass(milliseconds(100));
    REQUIRE(pair.client.session.carries());
    pair.client.session.data_by_tunnel(pair.now);
    CHECK(pair.client.session.carries());
    pair.now += seconds(2);
    pair.client.session.data_by_tunnel(pair.now);
    CHECK_FALSE(pair.client.session.carries());
}

TEST_CASE("a DPD request is echoed byte for byte") {
    const Instant now{};
    DatagramSession gateway(Role::gateway, {}, {}, now);
    gateway.feed(*from_hex("03616263646566"), now);
    REQUIRE(gateway.messages().size() == 1);
    CHECK(hex(gateway.messages().front().payload) == "04616263646566");
}

TEST_CASE("echoes of a flood do not pile up, and are counted") {
    const Instant now{};
    DatagramSession gateway(Role::gateway, {}, {}, now);
    Bytes request(16'000, std::byte{3});
    for (int i = 0; i < 100; ++i) gateway.feed(request, now);
    std::size_t size = 0;
    for (const auto& message : gateway.messages()) size += message.payload.size();
    CHECK(size <= 64 * 1024);
    CHECK(gateway.counters().dropped_out == 96);
    gateway.sent();
    CHECK(gateway.messages().empty());
}

TEST_CASE("an answer of another size or to somebody else's question proves no size") {
    Instant now = Instant{} + seconds(10);
    DatagramSession client(Role::client, {.is_own_end = true}, {.largest = 1434}, now);
    REQUIRE(client.messages().size() == 1);
    Bytes question = copy(client.messages().front().payload);
    client.sent();
    question[0] = std::byte{4};
    client.feed(question, now);  // life is proven
    REQUIRE(client.messages().size() == 2);
    Bytes probe = copy(client.messages().front().payload);
    CHECK(probe.size() == 1435);
    client.sent();

    Bytes cut_off(probe.begin(), probe.begin() + 100);
    cut_off[0] = std::byte{4};
    client.feed(cut_off, now);
    CHECK_FALSE(client.carries());
    Bytes foreign = probe;
    foreign[0] = std::byte{4};
    foreign[1] ^= std::byte{1};
    client.feed(foreign, now);
    CHECK_FALSE(client.carries());
    probe[0] = std::byte{4};
    client.feed(probe, now);
    CHECK(client.carries());
}

TEST_CASE("a stock client's answers, which are empty, keep the channel alive") {
    Pair pair(false, seconds(2));
    pair.pass(seconds(1));
    REQUIRE(pair.gateway.session.carries());
    for (int i = 0; i < 10; ++i) {
        pair.gateway.session.advance(pair.now);
        for ([[maybe_unused]] const auto& message : pair.gateway.session.messages())
            pair.gateway.session.feed(*from_hex("04"), pair.now);
        pair.gateway.session.sent();
        pair.now += seconds(1);
    }
    CHECK(pair.gateway.session.carries());
}

TEST_CASE("KEEPALIVE leaves when nothing else did, and is not answered") {
    Pair pair(true, seconds(300), seconds(5));
    pair.pass(seconds(1));
    pair.client.session.advance(pair.now + seconds(6));
    bool has_keepalive = false;
    for (const auto& message : pair.client.session.messages())
        has_keepalive |= hex(message.payload) == "07";
    CHECK(has_keepalive);
    pair.client.session.sent();
    pair.client.session.feed(*from_hex("07"), pair.now + seconds(6));
    CHECK(pair.client.session.messages().empty());
}

TEST_CASE("questions of our own client name the session once the channel was in use") {
    Pair pair;
    pair.pass(seconds(1));
    pair.client.session.data_sent(1400, pair.now);
    pair.client.session.advance(pair.now + milliseconds(301));
    REQUIRE(pair.client.session.messages().size() >= 1);
    CHECK(pair.client.session.messages().front().is_moving);

    Pair stock(false, seconds(1));
    stock.pass(milliseconds(500));
    stock.client.session.advance(stock.now + milliseconds(1001));
    REQUIRE(stock.client.session.messages().size() >= 1);
    CHECK_FALSE(stock.client.session.messages().front().is_moving);
}

TEST_CASE("payloads of types nobody defined are dropped and counted") {
    const Instant now{};
    DatagramSession client(Role::client, {}, {}, now);
    client.sent();
    client.feed(*from_hex("ff00"), now);
    client.feed(*from_hex("08"), now);
    client.feed({}, now);
    CHECK(client.counters().unknown_in == 2);
    CHECK(client.messages().empty());
    CHECK_FALSE(client.next());
}

TEST_CASE("a stock client's DISCONNECT in a datagram reaches the gateway with its words") {
    const Instant now{};
    DatagramSession gateway(Role::gateway, {}, {}, now);
    gateway.feed(*from_hex("05b055736572"), now);
    const auto event = gateway.next();
    REQUIRE(event);
    REQUIRE(std::holds_alternative<DatagramDisconnect>(*event));
    CHECK(std::get<DatagramDisconnect>(*event).notice.byte == 0xb0);
}

TEST_CASE("a way that shrinks in silence changes the size, not the channel") {
    Pair pair;
    pair.client.has_data = pair.gateway.has_data = true;
    pair.pass(seconds(3));
    pair.width = 1001;
    pair.pass(seconds(4));
    CHECK(pair.client.session.carries());
    CHECK(pair.client.session.packet_limit() == 1000);
    CHECK(pair.gateway.session.packet_limit() == 1000);
    pair.width = 1500;
    pair.pass(seconds(40));
    CHECK(pair.client.session.packet_limit() == 1434);
}

}  // namespace
}  // namespace causeway::protocol
