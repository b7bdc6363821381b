#include "causeway/protocol/datagram_session_test_support.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace causeway::protocol {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("towards a stock gateway silence counts by its DPD, and a new handshake is asked for") {
    for (const bool sends : {true, false}) {
        DatagramPair pair(false, seconds(2));
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
    DatagramPair pair(false, seconds(1));
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
        DatagramPair pair(false, dpd);
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
        DatagramPair pair(own);
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
    DatagramPair pair(false, seconds(1));
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
    DatagramPair pair(false, seconds(1));
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

TEST_CASE("DATA of a stock client through TLS moves the gateway there, and a datagram back") {
    DatagramPair pair(false);
    pair.pass(seconds(1));
    REQUIRE(pair.gateway.session.carries());
    pair.gateway.session.data_by_tunnel(pair.now);
    CHECK_FALSE(pair.gateway.session.carries());
    pair.gateway.session.data_heard(pair.now);
    CHECK(pair.gateway.session.carries());
}

TEST_CASE("DATA of a stock gateway through TLS does not end the channel") {
    DatagramPair pair(false);
    pair.pass(seconds(3));
    pair.client.session.data_by_tunnel(pair.now);
    CHECK(pair.client.session.carries());
}

TEST_CASE("a stock client's answers, which are empty, keep the channel alive") {
    DatagramPair pair(false, seconds(2));
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

TEST_CASE("a stock client's DISCONNECT in a datagram reaches the gateway with its words") {
    const Instant now{};
    DatagramSession gateway(Role::gateway, {}, {}, now);
    gateway.feed(*from_hex("05b055736572"), now);
    const auto event = gateway.next();
    REQUIRE(event);
    REQUIRE(std::holds_alternative<DatagramDisconnect>(*event));
    CHECK(std::get<DatagramDisconnect>(*event).notice.byte == 0xb0);
}

}  // namespace
}  // namespace causeway::protocol
