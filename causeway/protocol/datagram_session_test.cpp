#include "causeway/protocol/datagram_session_test_support.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace causeway::protocol {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("the client takes the channel when both directions and the size are proven") {
    DatagramPair pair;
    CHECK_FALSE(pair.client.session.carries());
    pair.pass(milliseconds(60));
    CHECK(pair.client.story == Story{"up"});
    CHECK(pair.gateway.story == Story{"up"});
}

TEST_CASE("a channel in which only one direction works is never taken") {
    for (const bool up : {true, false}) {
        DatagramPair pair;
        (up ? pair.up_is_cut : pair.down_is_cut) = true;
        pair.pass(seconds(20));
        CHECK(pair.client.story == Story{"lost"});
        CHECK(pair.gateway.story == Story{});
    }
}

TEST_CASE("a channel that carries only small datagrams is taken with that size") {
    DatagramPair pair;
    pair.width = 1201;
    pair.pass(seconds(4));
    REQUIRE(pair.client.story == Story{"size 1200", "up"});
    CHECK(pair.client.session.packet_limit() == 1200);
    // The gateway finds its own direction out by itself.
    CHECK(pair.gateway.session.packet_limit() == 1200);
}

TEST_CASE("a channel in which no useful size gets through is left to TLS") {
    DatagramPair pair;
    pair.width = 500;
    pair.pass(seconds(5));
    CHECK(pair.client.story.back() == "lost");
    CHECK_FALSE(pair.client.session.carries());
    CHECK_FALSE(pair.gateway.session.carries());

    DatagramPair later;
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
                DatagramPair pair;
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
    DatagramPair pair;
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
            DatagramPair pair;
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
    DatagramPair pair;
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
        DatagramPair pair;
        DatagramEnd& hearing = up ? pair.client : pair.gateway;
        DatagramEnd& deaf = up ? pair.gateway : pair.client;
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
    DatagramPair pair;
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
        DatagramPair pair;
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
    DatagramPair pair;
    pair.client.has_data = true;
    pair.pass(seconds(3));
    pair.up_is_cut = pair.down_is_cut = true;
    pair.pass(seconds(12));
    CHECK(pair.client.story == Story{"up", "down: silence", "lost"});
    CHECK_FALSE(pair.client.session.deadline());
    CHECK(pair.client.session.messages().empty());
}

TEST_CASE("an idle channel between our own ends is asked by DPD only") {
    DatagramPair pair(true, seconds(10));
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
    DatagramPair pair;
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
        DatagramPair pair;
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

TEST_CASE("DATA that was under way through TLS at the change does not undo it") {
    DatagramPair pair;
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

TEST_CASE("KEEPALIVE leaves when nothing else did, and is not answered") {
    DatagramPair pair(true, seconds(300), seconds(5));
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
    DatagramPair pair;
    pair.pass(seconds(1));
    pair.client.session.data_sent(1400, pair.now);
    pair.client.session.advance(pair.now + milliseconds(301));
    REQUIRE(pair.client.session.messages().size() >= 1);
    CHECK(pair.client.session.messages().front().is_moving);

    DatagramPair stock(false, seconds(1));
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

TEST_CASE("a way that shrinks in silence changes the size, not the channel") {
    DatagramPair pair;
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
