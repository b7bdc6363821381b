// What our ends say when the other side, or the way between, changes what is said.

#include "causeway/tls/stream.h"
#include "tests/support/tls_checks.h"
#include "tests/support/tls_world.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace causeway::tls {
namespace {

using namespace causeway::test;

Bytes joined(const std::vector<Bytes>& records) {
    Bytes all;
    for (const auto& record : records) append(all, record);
    return all;
}

/// Changes the record with that number, counted over the whole connection.
Relay changing(std::size_t number, std::function<Bytes(Bytes)> change) {
    return [=, seen = std::size_t{0}](Bytes bytes) mutable {
        auto records = records_of(bytes);
        for (auto& record : records)
            if (seen++ == number) record = change(std::move(record));
        return joined(records);
    };
}

std::function<Bytes(Bytes)> putting(std::size_t at, std::vector<int> values) {
    return [=](Bytes record) {
        for (std::size_t i = 0; i < values.size(); ++i)
            record.at(at + i) = static_cast<std::byte>(values[i]);
        return record;
    };
}

/// In a server's hello: 0 is its suite, 2 its compression.
std::function<Bytes(Bytes)> putting_behind_session_id(std::size_t at, std::vector<int> values) {
    return [=](Bytes record) {
        const auto size = std::to_integer<std::size_t>(record.at(43));
        return putting(44 + size + at, values)(std::move(record));
    };
}

Bytes flipped(Bytes record) {
    record.back() ^= std::byte{1};
    return record;
}

Bytes swallowed(Bytes) { return {}; }

Bytes doubled(Bytes record) {
    const Bytes copy = record;
    append(record, copy);
    return record;
}

/// Replaces the first occurrence of some bytes.
std::function<Bytes(Bytes)> replacing(std::string_view hex_from, std::string_view hex_to) {
    return [from = *from_hex(hex_from), to = *from_hex(hex_to)](Bytes record) {
        const auto found = std::ranges::search(record, from).begin();
        REQUIRE(found != record.end());
        std::ranges::copy(to, found);
        return record;
    };
}

/// Of 1024 bits (RFC 5114, section 2.1) or 2048 (RFC 7919, appendix A.1).
EVP_PKEY* diffie_hellman_key(int bits) {
    char group_1024[] = "dh_1024_160";
    char group_2048[] = "ffdhe2048";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string("group", bits == 1024 ? group_1024 : group_2048, 0),
        OSSL_PARAM_construct_end()};
    EVP_PKEY* key = nullptr;
    EVP_PKEY_CTX* context =
        EVP_PKEY_CTX_new_from_name(nullptr, bits == 1024 ? "DHX" : "DH", nullptr);
    REQUIRE(EVP_PKEY_keygen_init(context) == 1);
    REQUIRE(EVP_PKEY_CTX_set_params(context, parameters) == 1);
    REQUIRE(EVP_PKEY_generate(context, &key) == 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

struct Server {
    int highest = TLS1_3_VERSION;
    std::string suites = "ALL:@SECLEVEL=0";
    std::string groups = "X25519:P-256";
    Issued identity = world().server;
    int diffie_hellman_bits = 0;
};

/// Our client against a plain server, with the server's records changed on the way.
Seen meet_server(const Server& server, const Relay& relay = {},
                 ClientSettings settings = client_settings()) {
    const auto context = raw_server_context(server.identity);
    SSL_CTX_set_max_proto_version(context.get(), server.highest);
    REQUIRE(SSL_CTX_set_cipher_list(context.get(), server.suites.c_str()) == 1);
    SSL_CTX_set1_groups_list(context.get(), server.groups.c_str());
    if (server.diffie_hellman_bits > 0)
        SSL_CTX_set0_tmp_dh_pkey(context.get(), diffie_hellman_key(server.diffie_hellman_bits));
    RawPeer peer(context.get(), true);
    auto client = client_stream(std::move(settings));
    Seen seen;
    connect(client, seen, peer, relay);
    return seen;
}

struct Client {
    int highest = TLS1_3_VERSION;
    std::string suites = "ALL:@SECLEVEL=0";
    std::string groups = "X25519:P-256";
    std::string name = "vpn.example.com";
    bool is_falling_back = false;
};

/// A plain client against our server, with the client's records changed on the way.
Seen meet_client(const Client& client, const Relay& relay = {},
                 ServerSettings settings = server_settings()) {
    const auto context = raw_client_context();
    SSL_CTX_set_max_proto_version(context.get(), client.highest);
    SSL_CTX_set_cipher_list(context.get(), client.suites.c_str());
    SSL_CTX_set1_groups_list(context.get(), client.groups.c_str());
    if (client.is_falling_back) SSL_CTX_set_mode(context.get(), SSL_MODE_SEND_FALLBACK_SCSV);
    RawPeer peer(context.get(), false);
    SSL_set_tlsext_host_name(peer.ssl(), client.name.c_str());
    auto server = server_stream(std::move(settings));
    Seen seen;
    connect(server, seen, peer, relay);
    return seen;
}

const Server& tls_1_2() {
    static const Server server{.highest = TLS1_2_VERSION};
    return server;
}
// RSA, so that suites which need an RSA key can be chosen.
const Server& rsa_1_2() {
    static const Server server = [] {
        auto plan = server_plan("vpn.example.com");
        plan.key = "RSA-2048";
        return Server{.highest = TLS1_2_VERSION, .identity = issue(plan, world().root)};
    }();
    return server;
}

TEST_CASE("a damaged record is not decrypted, or has a wrong checksum") {
    check(meet_server({}, changing(2, flipped)), -9845, "20");
    auto server = rsa_1_2();
    server.suites = "ECDHE-RSA-AES128-SHA:@SECLEVEL=0";
    // 0 hello, 1 certificate, 2 key, 3 done, 4 change of ciphers, 5 finished.
    check(meet_server(server, changing(5, flipped)), -9846, "20");
    server.suites = "ECDHE-RSA-AES128-GCM-SHA256";
    check(meet_server(server, changing(5, flipped)), -9845, "20");
}

TEST_CASE("a record of an unknown type and a record too long are told before they arrive") {
    const auto unknown = meet_server({}, changing(1, putting(0, {99})));
    check(unknown, -9849, "10");
    CHECK(unknown.failure->fact("record_type") == "99");
    const auto overlong = meet_server({}, changing(2, putting(3, {0x48, 0x01})));
    check(overlong, -9847, "22");
    CHECK(overlong.failure->fact("record_length") == "18433");
}

TEST_CASE("messages out of order are unexpected") {
    check(meet_server(tls_1_2(), changing(1, swallowed)), -9856, "10");
    check(meet_server(tls_1_2(), changing(0, doubled)), -9856, "10");
}

TEST_CASE("a message that cannot be read is a decode error") {
    // The length of the session id in the server's hello.
    check(meet_server(tls_1_2(), changing(0, putting(43, {0xff}))), -9859, "50");
}

TEST_CASE("a server that answers below what was offered breaks the policy") {
    const auto seen = meet_server(tls_1_2(), changing(0, putting(9, {3, 2})));
    check(seen, -9881, "70");
    CHECK(seen.failure->fact("found") == "TLS 1.1");
    CHECK(seen.failure->fact("wanted") == "TLS 1.2 or better");
    check(meet_server(tls_1_2(), changing(0, putting(9, {5, 5}))), -9801, "70");
}

TEST_CASE("a server that knows only older versions says so, and we add our rule") {
    const auto seen = meet_server({.highest = TLS1_1_VERSION});
    REQUIRE(seen.failure.has_value());
    CHECK(code_text(seen.failure) == "-9836 <- 70");
    CHECK(seen.failure->fact("policy") == "minimum TLS 1.2");
    CHECK(seen.failure->fact("offered") == "TLS 1.2 to TLS 1.3");
    CHECK(seen.failure->fact("alert_from") == "peer");
}

TEST_CASE("a suite that was never offered is a bad choice") {
    check(meet_server(tls_1_2(), changing(0, putting_behind_session_id(0, {0x00, 0x0a}))), -9818,
          "47");
}

TEST_CASE("compression that was never offered is refused") {
    check(meet_server(tls_1_2(), changing(0, putting_behind_session_id(2, {1}))), -9857, "47");
}

TEST_CASE("an extension that was never asked for is refused") {
    // ec_point_formats, which the server answers, becomes a protocol choice, which we did not
    // offer.
    check(meet_server(tls_1_2(), changing(0, replacing("000b0004", "00100004"))), -9855, "110");
}

TEST_CASE("suites without forward secrecy break the policy, unless it allows them") {
    auto server = rsa_1_2();
    server.suites = "AES128-GCM-SHA256";
    const auto seen = meet_server(server);
    check(seen, -9882);
    CHECK(seen.failure->fact("found") == "TLS_RSA_WITH_AES_128_GCM_SHA256");
    CHECK_FALSE(seen.has("completed"));
    auto settings = client_settings();
    settings.policy.forward_secrecy = false;
    CHECK(meet_server(server, {}, settings).story == "completed");
}

TEST_CASE("a Diffie-Hellman group that is too small has its own code") {
    auto server = rsa_1_2();
    server.suites = "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0";
    server.diffie_hellman_bits = 1024;
    const auto weak = meet_server(server);
    REQUIRE(weak.failure.has_value());
    CHECK(weak.failure->code.number() == -9850);
    CHECK(weak.failure->fact("wanted") == "2048 bits");
    server.diffie_hellman_bits = 2048;
    check(meet_server(server), -9882);
    auto settings = client_settings();
    settings.policy.forward_secrecy = false;
    CHECK(meet_server(server, {}, settings).story == "completed");
}

TEST_CASE("our server never agrees to a suite without forward secrecy") {
    auto settings = server_settings();
    settings.identities = {identity_of(rsa_1_2().identity)};
    check(meet_client(
              {.highest = TLS1_2_VERSION, .suites = "AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256"},
              {}, settings),
          -9801, "40");
}

TEST_CASE("nothing in common is negotiation, or a failed handshake for groups") {
    const auto versions = meet_client({.highest = TLS1_1_VERSION});
    check(versions, -9801, "70");
    CHECK(versions.failure->fact("client_offers") == "up to TLS 1.1");
    check(meet_client({.highest = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES128-GCM-SHA256"}), -9801,
          "40");
    check(meet_client({.groups = "ffdhe2048"}), -9858, "40");
}

TEST_CASE("a client that falls back although both sides know better is stopped") {
    check(meet_client({.highest = TLS1_2_VERSION, .is_falling_back = true}), -9860, "86");
}

TEST_CASE("a client hello without the extensions it needs is refused") {
    // signature_algorithms becomes an extension that nobody has defined.
    const Relay relay = changing(0, [](Bytes record) {
        const auto pattern = *from_hex("000d00");
        const auto found = std::ranges::search(record, pattern).begin();
        REQUIRE(found != record.end());
        *found = std::byte{0xfa};
        return record;
    });
    check(meet_client({}, relay), -9861, "109");
}

TEST_CASE("a name that is not served here is refused where the server wants that") {
    auto settings = server_settings();
    CHECK(meet_client({.name = "other.example.com"}, {}, settings).has("completed"));
    settings.refuse_unknown_names = true;
    const auto seen = meet_client({.name = "other.example.com"}, {}, settings);
    check(seen, -9865, "112");
    CHECK(seen.failure->fact("server_name") == "other.example.com");
    CHECK(meet_client({}, {}, settings).has("completed"));
}

}  // namespace
}  // namespace causeway::tls
