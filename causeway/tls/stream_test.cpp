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

}  // namespace
}  // namespace causeway::tls
