#include "causeway/tls/datagram.h"

#include "causeway/tls/client_hello.h"
#include "causeway/tls/datagram_keys.h"
#include "tests/support/datagram_ends.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace causeway::tls {
namespace {

using namespace causeway::test;
using namespace std::chrono_literals;

/// Both ends of every suite, by either way to a key.
struct Way {
    DatagramSettings client;
    DatagramSettings server;
    std::uint16_t suite;
};

std::vector<Way> ways() {
    std::vector<Way> all;
    for (const auto suite : psk_suites)
        all.push_back({psk_settings(false, {suite}), psk_settings(true), suite});
    for (const auto suite : resumed_suites)
        all.push_back({resumed_settings(false, suite), resumed_settings(true, suite), suite});
    return all;
}

bool is_mirrored(const TrafficKeys& one, const TrafficKeys& other) {
    return one.write_key.reveal() == other.read_key.reveal() &&
           one.write_iv.reveal() == other.read_iv.reveal() &&
           one.read_key.reveal() == other.write_key.reveal() &&
           one.read_iv.reveal() == other.write_iv.reveal();
}

TEST_CASE("two of our ends agree with every suite, by either way to a key") {
    for (const auto& way : ways()) {
        CAPTURE(way.suite);
        DatagramPair pair(way.client, way.server);
        pair.run();
        REQUIRE(pair.client.story == "ready");
        REQUIRE(pair.server.story == "ready");
        const auto& summary = pair.client.channel.summary();
        CHECK(summary.suite == way.suite);
        CHECK(pair.server.channel.summary().suite == way.suite);
        CHECK(summary.suite_name.starts_with("TLS_"));
        CHECK(summary.is_aead == is_aead_suite(way.suite));
        CHECK(summary.spoke_last != pair.server.channel.summary().spoke_last);
        CHECK(summary.spoke_last == std::holds_alternative<ResumedKey>(way.client.key));
        CHECK_FALSE(pair.client.channel.deadline().has_value());
        CHECK_FALSE(pair.server.channel.deadline().has_value());
        if (!summary.is_aead) continue;
        const auto client = pair.client.channel.take_traffic_keys();
        const auto server = pair.server.channel.take_traffic_keys();
        REQUIRE((client && server));
        CHECK(is_mirrored(*client, *server));
        CHECK(client->write_key.reveal() != client->read_key.reveal());
        const bool is_gcm = way.suite != 0xCCAB;
        CHECK(client->write_key.reveal().size() ==
              (way.suite == 0x00A8 || way.suite == 0x009C ? 16 : 32));
        CHECK(client->write_iv.reveal().size() == (is_gcm ? 4 : 12));
        CHECK(client->first_explicit_nonce.has_value() == is_gcm);
        CHECK(client->epoch == 1);
        CHECK(pair.client.channel.take_traffic_keys().error().code == Code(Trust::errSecBadReq));
        CHECK(pair.client.channel.write(as_bytes("x")).error().code == Code(Trust::errSecBadReq));
    }
}

TEST_CASE("with CBC suites the channel carries the data itself") {
    for (const auto suite : {std::uint16_t{0x002F}, std::uint16_t{0x0035}}) {
        DatagramPair pair(resumed_settings(false, suite), resumed_settings(true, suite));
        pair.run();
        CHECK(pair.client.channel.take_traffic_keys().error().code == Code(Trust::errSecBadReq));
        REQUIRE(pair.client.channel.write(as_bytes("ping")));
        REQUIRE(pair.server.channel.write(as_bytes("pong!")));
        pair.run();
        CHECK(pair.server.story == "ready data:4");
        CHECK(pair.server.data == "ping");
        CHECK(pair.client.story == "ready data:5");
        CHECK(pair.client.data == "pong!");
        CHECK(pair.client.channel.write({}).error().code == Code(Trust::errSecParam));
        CHECK(pair.client.channel.write(Bytes(16385)).error().code == Code(Trust::errSecParam));
        REQUIRE(pair.client.channel.write(Bytes(16384)));
        pair.run();
        CHECK(pair.server.data.size() == 4 + 16384);
    }
}

TEST_CASE("a record of a CBC suite counts once, and not when it was changed") {
    DatagramPair pair(resumed_settings(false, 0x002F), resumed_settings(true, 0x002F));
    pair.run();
    pair.to_server = [](std::size_t, const Bytes& datagram) {
        Bytes changed = datagram;
        changed.back() ^= std::byte{1};
        return std::vector<Bytes>{changed, datagram, datagram};
    };
    const auto before = pair.server.channel.facts().datagrams_ignored;
    REQUIRE(pair.client.channel.write(as_bytes("once")));
    pair.run();
    CHECK(pair.server.story == "ready data:4");
    CHECK(pair.server.channel.facts().datagrams_ignored == before + 2);
}

TEST_CASE("the server's order of suites decides, and it may have fewer") {
    DatagramPair pair(psk_settings(false), psk_settings(true, {0xCCAB, 0x00A9}));
    pair.run();
    CHECK(pair.client.channel.summary().suite == 0xCCAB);
    CHECK(pair.server.channel.summary().suite_name == "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256");
}

TEST_CASE("the hello carries the name of the session and the gateway finds it") {
    const auto name = session_name();
    DatagramEnd client(psk_settings(false));
    const auto hello = client_hello(client.channel.pending());
    REQUIRE(hello);
    CHECK(std::ranges::equal(hello->app_id, name));
    CHECK(std::ranges::equal(hello->session_id, name));
    CHECK(hello->random.size() == 32);
    CHECK(hello->cookie.empty());
    DatagramEnd resumed(resumed_settings(false, 0x009C));
    REQUIRE(client_hello(resumed.channel.pending()));
    CHECK(std::ranges::equal(client_hello(resumed.channel.pending())->session_id, name));
}

TEST_CASE("our numbers lie above those of the handshake, however often it was resent") {
    for (const bool is_resumed : {false, true}) {
        CAPTURE(is_resumed);
        DatagramPair pair(is_resumed ? resumed_settings(false, 0x009C) : psk_settings(false),
                          is_resumed ? resumed_settings(true, 0x009C) : psk_settings(true));
        std::vector<SealedNumber> by_client, by_server;
        const auto note = [](std::vector<SealedNumber>& to, ByteView datagram) {
            std::ranges::copy(sealed_numbers(datagram), std::back_inserter(to));
        };
        // The first two finishes of each side that speaks them are lost.
        pair.to_server = [&](std::size_t, Bytes datagram) -> std::vector<Bytes> {
            const auto before = by_client.size();
            note(by_client, datagram);
            if (by_client.size() > before && before < 2) return {};
            return {std::move(datagram)};
        };
        pair.to_client = [&](std::size_t, Bytes datagram) -> std::vector<Bytes> {
            const auto before = by_server.size();
            note(by_server, datagram);
            if (by_server.size() > before && before < 2) return {};
            return {std::move(datagram)};
        };
        pair.run_through();
        REQUIRE(pair.client.is_ready());
        REQUIRE(pair.server.is_ready());
        for (auto* end : {&pair.client, &pair.server}) {
            const auto keys = end->channel.take_traffic_keys();
            REQUIRE(keys);
            const auto& used = end == &pair.client ? by_client : by_server;
            CHECK(used.size() >= 3);
            for (const auto& number : used) {
                CHECK(keys->first_write_sequence > number.sequence);
                CHECK(keys->first_write_sequence - number.sequence < 64);
                const auto ahead = *keys->first_explicit_nonce - number.explicit_nonce;
                CHECK(ahead > 0);
                CHECK(ahead < 64);
            }
        }
    }
}

TEST_CASE("whoever spoke last answers a late retransmission with the same bytes") {
    // The server's last flight is lost once. By then it is ready, and OpenSSL is gone.
    DatagramPair pair(psk_settings(false), psk_settings(true));
    std::vector<Bytes> finishes;
    pair.to_client = [&](std::size_t, Bytes datagram) -> std::vector<Bytes> {
        if (sealed_numbers(datagram).empty()) return {std::move(datagram)};
        finishes.push_back(datagram);
        if (finishes.size() == 1) return {};
        return {std::move(datagram)};
    };
    pair.run();
    CHECK(pair.server.is_ready());
    CHECK_FALSE(pair.client.is_ready());
    const auto keys = pair.server.channel.take_traffic_keys();
    pair.run_through();
    CHECK(pair.client.is_ready());
    CHECK(pair.client.channel.facts().flights_resent == 1);
    CHECK(pair.server.channel.facts().late_answers == 1);
    REQUIRE(finishes.size() == 2);
    CHECK(finishes[0] == finishes[1]);
    REQUIRE(keys);
    CHECK(is_mirrored(*keys, *pair.client.channel.take_traffic_keys()));
}

TEST_CASE("in a resumed session it is the client who answers late") {
    for (const auto suite : {std::uint16_t{0x009D}, std::uint16_t{0x002F}}) {
        CAPTURE(suite);
        DatagramPair pair(resumed_settings(false, suite), resumed_settings(true, suite));
        int finishes = 0;
        pair.to_server = [&](std::size_t, Bytes datagram) -> std::vector<Bytes> {
            if (!sealed_numbers(datagram).empty() && ++finishes <= 2) return {};
            return {std::move(datagram)};
        };
        pair.run();
        CHECK(pair.client.is_ready());
        CHECK_FALSE(pair.server.is_ready());
        pair.run_through();
        CHECK(pair.server.is_ready());
        CHECK(pair.client.channel.facts().late_answers == 2);
    }
}

TEST_CASE("late answers are few, spaced, and end with the peer's first data") {
    DatagramPair pair(psk_settings(false), psk_settings(true));
    std::vector<Bytes> to_server;
    pair.to_server = [&](std::size_t, Bytes datagram) -> std::vector<Bytes> {
        to_server.push_back(datagram);
        return {std::move(datagram)};
    };
    pair.run();
    const Bytes asking = to_server.back();
    const auto& facts = pair.server.channel.facts();
    auto& server = pair.server;
    auto now = test_start;
    server.feed(asking, now);
    server.feed(asking, now + 10ms);
    CHECK(facts.late_answers == 1);
    // A hello that was duplicated on the way asks for nothing.
    server.feed(to_server.front(), now + 1s);
    CHECK(facts.late_answers == 1);
    for (unsigned i = 0; i < late_answer_limit + 10; ++i) {
        now += 1s;
        server.feed(asking, now);
        while (!server.channel.pending().empty()) server.channel.sent();
    }
    CHECK(facts.late_answers == late_answer_limit);

    DatagramPair other(psk_settings(false), psk_settings(true));
    other.run();
    other.server.channel.confirm();
    other.server.feed(asking, test_start + 1s);
    CHECK(other.server.channel.facts().late_answers == 0);
    CHECK(other.server.channel.pending().empty());
}

TEST_CASE("a hostile network delays the handshake and does not break it") {
    struct Case {
        std::string name;
        Network network;
    };
    const Bytes noise(40, std::byte{22});
    std::optional<Bytes> held;
    const Case cases[] = {
        {"every second datagram is lost",
         [](std::size_t index, Bytes datagram) -> std::vector<Bytes> {
             if (index % 2 == 0) return {};
             return {std::move(datagram)};
         }},
        {"the first three are lost",
         [](std::size_t index, Bytes datagram) -> std::vector<Bytes> {
             if (index < 3) return {};
             return {std::move(datagram)};
         }},
        {"every datagram comes twice",
         [](std::size_t, Bytes datagram) -> std::vector<Bytes> { return {datagram, datagram}; }},
        {"noise comes before every datagram",
         [&](std::size_t, Bytes datagram) -> std::vector<Bytes> {
             return {noise, Bytes{}, Bytes{std::byte{22}},
                     Bytes(datagram.begin(), datagram.begin() + 20), std::move(datagram)};
         }},
        {"neighbours change places",
         [&](std::size_t, Bytes datagram) -> std::vector<Bytes> {
             if (!held) {
                 held = std::move(datagram);
                 return {};
             }
             auto first = std::move(*held);
             held.reset();
             return {std::move(datagram), std::move(first)};
         }},
    };
    for (const auto& one : cases)
        for (const auto& way : ways()) {
            CAPTURE(one.name);
            CAPTURE(way.suite);
            held.reset();
            DatagramPair pair(way.client, way.server);
            pair.to_server = one.network;
            pair.to_client = [&](std::size_t index, Bytes datagram) -> std::vector<Bytes> {
                if (one.name.starts_with("neighbours")) return {std::move(datagram)};
                return one.network(index, std::move(datagram));
            };
            pair.run_through();
            CAPTURE(code_text(pair.client.failure));
            CAPTURE(code_text(pair.server.failure));
            CHECK(pair.client.is_ready());
            CHECK(pair.server.is_ready());
        }
}

TEST_CASE("flights fit into the datagrams that are allowed") {
    auto client = psk_settings(false);
    auto server = psk_settings(true);
    client.datagram_limit = server.datagram_limit = datagram_smallest;
    DatagramPair pair(client, server);
    std::size_t largest = 0;
    pair.to_server = pair.to_client = [&](std::size_t, Bytes datagram) -> std::vector<Bytes> {
        largest = std::max(largest, datagram.size());
        return {std::move(datagram)};
    };
    pair.run();
    CHECK(pair.client.is_ready());
    CHECK(largest <= datagram_smallest);
}

}  // namespace
}  // namespace causeway::tls
