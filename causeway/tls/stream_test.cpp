#include "causeway/tls/stream.h"

#include "tests/support/tls_world.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

namespace causeway::tls {
namespace {

using namespace causeway::test;

TEST_CASE("two of our ends agree, in TLS 1.2 and 1.3, and may be cut anywhere") {
    for (const auto version : {Version::tls_1_2, Version::tls_1_3})
        for (const std::size_t step : {1, 7, 65536}) {
            auto client = client_stream(client_settings(version));
            auto server = server_stream(server_settings());
            Seen c, s;
            connect(client, c, server, s, step);
            CHECK(c.story == "completed");
            CHECK(s.story == "hello(vpn.example.com) completed");
            CHECK(client.summary().version == version);
            CHECK(client.summary().suite_name == (version == Version::tls_1_3
                                                      ? "TLS_AES_128_GCM_SHA256"
                                                      : "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
            CHECK(client.summary().group == "X25519");
            CHECK(server.summary().group == "X25519");
            REQUIRE(client.summary().peer_chain.size() == 1);
            CHECK(client.summary().peer_chain[0].subject == "CN=vpn.example.com");

            REQUIRE(client.write(as_bytes("ping")));
            REQUIRE(server.write(as_bytes("pong")));
            connect(client, c, server, s, step);
            CHECK(s.data == "ping");
            CHECK(c.data == "pong");
            CHECK(*client.export_keying_material("EXPORTER-test", 32) ==
                  *server.export_keying_material("EXPORTER-test", 32));

            client.close();
            connect(client, c, server, s, step);
            CHECK(s.story.ends_with("closed"));
            CHECK_FALSE(s.failure.has_value());
        }
}

/// A connected pair of ours.
struct Pair {
    Stream client;
    Stream server;
    Seen c, s;

    explicit Pair(ClientSettings client_side = client_settings(),
                  ServerSettings server_side = server_settings())
        : client(client_stream(std::move(client_side))),
          server(server_stream(std::move(server_side))) {
        run();
    }
    void run() { connect(client, c, server, s); }
};

TEST_CASE("a batch leaves as one record each and arrives as one piece of data") {
    Pair pair;
    const auto before = pair.client.facts().records_sent;
    const ByteView batch[] = {as_bytes("one "), as_bytes("two "), as_bytes("three")};
    REQUIRE(pair.client.write_many(batch));
    CHECK(pair.client.facts().records_sent == before + 3);
    pair.run();
    CHECK(pair.s.story == "hello(vpn.example.com) completed data:13");
    CHECK(pair.s.data == "one two three");
}

TEST_CASE("a record takes 16384 bytes and no more") {
    Pair pair;
    const Bytes largest(16384);
    CHECK(pair.client.write(largest).has_value());
    const Bytes more(16385);
    const auto refused = pair.client.write(more);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Code(Trust::errSecParam));
    pair.run();
    CHECK(pair.s.data.size() == 16384);
}

TEST_CASE("views of data stay while other events are taken") {
    Pair pair;
    REQUIRE(pair.client.write(as_bytes("first")));
    REQUIRE(pair.client.write(as_bytes("second")));
    pair.client.close();
    pair.server.feed(pair.client.pending(), test_start);
    const auto data = pair.server.next();
    REQUIRE((data && *data));
    REQUIRE(std::holds_alternative<Closed>(**pair.server.next()));
    CHECK(as_text(std::get<Data>(**data).bytes) == "firstsecond");
}

TEST_CASE("nothing is written before the handshake or after close") {
    auto client = client_stream(client_settings());
    CHECK(client.write(as_bytes("x")).error().code == Code(Trust::errSecBadReq));
    CHECK(client.export_keying_material("x", 8).error().code == Code(Trust::errSecBadReq));
    CHECK(client.rekey().error().code == Code(Trust::errSecBadReq));
    Pair pair;
    pair.client.close();
    CHECK(pair.client.write(as_bytes("x")).error().code == Code(Trust::errSecBadReq));
}

TEST_CASE("in TLS 1.3 either side changes the keys, and data go on") {
    Pair pair;
    REQUIRE(pair.client.rekey());
    REQUIRE(pair.client.write(as_bytes("behind")));
    pair.run();
    CHECK(pair.c.story == "completed rekeyed");
    CHECK(pair.s.has("rekeyed"));
    CHECK(pair.s.data == "behind");
    REQUIRE(pair.server.rekey());
    pair.run();
    REQUIRE(pair.server.write(as_bytes("and back")));
    pair.run();
    CHECK(pair.c.data == "and back");
    CHECK(pair.server.facts().key_changes == 2);
}

TEST_CASE("in TLS 1.2 the client renegotiates where the server allows it, and data go on") {
    auto settings = server_settings();
    settings.renegotiation_interval = std::chrono::seconds(0);
    Pair pair(client_settings(Version::tls_1_2), settings);
    REQUIRE(pair.server.write(as_bytes("crossing ")));  // On its way as the client begins.
    REQUIRE(pair.client.rekey());
    REQUIRE(pair.client.write(as_bytes("held")));
    pair.run();
    CHECK(pair.c.data == "crossing ");
    CHECK(pair.c.has("rekeyed"));
    CHECK(pair.s.has("rekeyed"));
    CHECK(pair.s.data == "held");
    REQUIRE(pair.server.write(as_bytes("done")));
    pair.run();
    CHECK(pair.c.data == "crossing done");
    CHECK(pair.server.rekey().error().code == Code(Trust::errSecBadReq));
}

TEST_CASE(
    "a renegotiation that comes too soon, or is not allowed, is refused and ends our client") {
    for (const auto interval : {std::optional<std::chrono::milliseconds>(std::chrono::hours(1)),
                                std::optional<std::chrono::milliseconds>()}) {
        auto settings = server_settings();
        settings.renegotiation_interval = interval;
        Pair pair(client_settings(Version::tls_1_2), settings);
        REQUIRE(pair.client.rekey());
        pair.run();
        CHECK(code_text(pair.c.failure) == "-9840 <- 100");
        CHECK_FALSE(pair.s.has("rekeyed"));
    }
}

ServerSettings asking(ClientCertificate client_certificate, Refusal refusal) {
    auto settings = server_settings();
    settings.client_certificate = client_certificate;
    settings.refusal = refusal;
    settings.trust.authorities = world().root.pem();
    return settings;
}

TEST_CASE("a client certificate is asked for, shown and known by its attributes") {
    for (const auto version : {Version::tls_1_2, Version::tls_1_3}) {
        auto client = client_settings(version);
        client.identity = identity_of(world().client);
        Pair pair(client, asking(ClientCertificate::required, Refusal::alert));
        CHECK(pair.c.story == "requested completed");
        CHECK(pair.client.facts().certificate_sent);
        CHECK(pair.client.facts().acceptable_issuers == std::vector<std::string>{"CN=Test Root"});
        CHECK(client.identity->is_issued_by_any(pair.client.facts().acceptable_issuers));
        const auto& chain = pair.server.summary().peer_chain;
        REQUIRE(chain.size() == 1);
        CHECK(chain[0].attribute("UID") == std::vector<std::string>{"anna"});
        CHECK(chain[0].attribute("OU") == std::vector<std::string>{"staff"});
        CHECK_FALSE(pair.server.summary().peer_fault.has_value());
    }
}

TEST_CASE("a client without a certificate hears of it by alert, or the server keeps the words") {
    for (const auto version : {Version::tls_1_2, Version::tls_1_3}) {
        const bool is_1_3 = version == Version::tls_1_3;
        Pair strict(client_settings(version), asking(ClientCertificate::required, Refusal::alert));
        CHECK(code_text(strict.s.failure) == "-9863");
        CHECK(code_text(strict.c.failure) == (is_1_3 ? "-9863 <- 116" : "-9824 <- 40"));
        CHECK(strict.client.facts().certificate_requested);
        CHECK_FALSE(strict.client.facts().certificate_sent);

        Pair mild(client_settings(version), asking(ClientCertificate::required, Refusal::words));
        CHECK(mild.c.story == "requested completed");
        CHECK(code_text(mild.server.summary().peer_fault) == "-9863");

        Pair open(client_settings(version), asking(ClientCertificate::optional, Refusal::alert));
        CHECK(open.s.has("completed"));
        CHECK_FALSE(open.server.summary().peer_fault.has_value());
    }
}

TEST_CASE("a bad client certificate ends in its alert, or in words at the server") {
    struct Case {
        Issued shown;
        std::string local, alert;
    };
    auto expired = client_plan("old");
    expired.not_after = test_now - std::chrono::days(1);
    auto future = client_plan("new");
    future.not_before = test_now + std::chrono::days(1);
    auto wrong_use = client_plan("web");
    wrong_use.extensions[1].second = "serverAuth";
    const auto revoked = issue(client_plan("gone"), world().root);
    const Case cases[] = {
        {issue(expired, world().root), "-9814 <- -67818 <- 10", "-9828 <- 45"},
        {issue(future, world().root), "-9815 <- -67819 <- 9", "-9825 <- 42"},
        {issue(wrong_use, world().root), "-9807 <- -67609 <- 26", "-9826 <- 43"},
        {self_signed(client_plan("self")), "-9812 <- -67843 <- 18", "-9831 <- 48"},
        {revoked, "-9807 <- -67820 <- 23", "-9827 <- 44"},
    };
    for (const auto& one : cases)
        for (const auto version : {Version::tls_1_2, Version::tls_1_3}) {
            auto client = client_settings(version);
            client.identity = identity_of(one.shown);
            auto settings = asking(ClientCertificate::required, Refusal::alert);
            settings.trust.revocation_lists = revocation_list(world().root, {&revoked});
            CAPTURE(one.local);
            Pair strict(client, settings);
            CHECK(code_text(strict.s.failure) == one.local);
            CHECK(code_text(strict.c.failure) == one.alert);
            CHECK(strict.client.facts().certificate_sent);

            settings.refusal = Refusal::words;
            Pair mild(client, settings);
            CHECK(mild.c.story == "requested completed");
            CHECK_FALSE(mild.c.failure.has_value());
            CHECK(code_text(mild.server.summary().peer_fault) == one.local);
        }
}

TEST_CASE("the certificate that fits the name asked for is shown") {
    auto settings = server_settings();
    settings.identities.push_back(
        identity_of(issue(server_plan("second.example.com"), world().root)));
    const auto context = Context::server(settings).value();
    for (const auto* name : {"vpn.example.com", "second.example.com"}) {
        auto client = client_stream(client_settings(), name);
        auto server = stream_of(context);
        Seen c, s;
        connect(client, c, server, s);
        CHECK(c.story == "completed");
        CHECK(server.summary().server_name == name);
        CHECK(client.summary().peer_chain[0].dns_names == std::vector<std::string>{name});
    }
}

TEST_CASE("application protocols are agreed on, or nothing is") {
    auto client = client_settings();
    client.protocols = {"h2", "http/1.1"};
    auto settings = server_settings();
    settings.protocols = {"http/1.1"};
    Pair pair(client, settings);
    CHECK(pair.client.summary().protocol == "http/1.1");
    CHECK(pair.server.summary().protocol == "http/1.1");
    settings.protocols = {"other"};
    Pair apart(client, settings);
    CHECK(code_text(apart.s.failure) == "-9801");
    CHECK(code_text(apart.c.failure) == "-9802 <- 120");
}

}  // namespace
}  // namespace causeway::tls
