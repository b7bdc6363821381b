#include "causeway/protocol/session_parameters.h"

#include "causeway/protocol/http_reader.h"
#include "causeway/protocol/test_support.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>

namespace causeway::protocol {
namespace {

using std::chrono::seconds;

Headers headers(std::initializer_list<Header> lines) {
    Headers headers;
    for (const auto& [name, value] : lines) headers.add(name, value);
    return headers;
}

/// The least a gateway must say, and `lines` besides.
Result<SessionParameters> read(std::initializer_list<Header> lines) {
    Headers all = headers({{"X-CSTP-Address", "10.99.0.50"}, {"X-CSTP-MTU", "1434"}});
    for (const auto& [name, value] : lines) all.add(name, value);
    return read_session_parameters(all);
}

std::string refusal(std::initializer_list<Header> lines) {
    const auto parameters = read(lines);
    return parameters ? "read" : story(parameters.error());
}

TEST_CASE("what ocserv 1.1.6 grants is understood") {
    HttpResponseReader reader;
    reader.expect_tunnel();
    reader.feed(as_bytes(recorded("ocserv-connect-200.http")));
    const auto response = reader.next();
    REQUIRE(response.has_value());
    REQUIRE(response->has_value());
    const auto read = read_session_parameters((*response)->headers);
    REQUIRE(read.has_value());

    CHECK(read->server_name == "ocserv 1.1.6");
    CHECK(read->address_v4 == Prefix::parse("10.99.0.50/24"));
    CHECK(read->address_v6 == Prefix::parse("fd99::9a7c:c09f:b76e:58ef/128"));
    CHECK(read->include == std::vector{*Prefix::parse("10.88.0.0/24")});
    CHECK(read->dns == std::vector{*IpAddress::parse("10.88.0.1")});
    CHECK(read->domains == std::vector<std::string>{"example.test"});
    CHECK(read->mtu == 1434);
    CHECK(read->base_mtu == 1500);
    CHECK(read->dpd == seconds(60));
    CHECK(read->keepalive == seconds(300));
    CHECK(read->idle_timeout == seconds(0));
    CHECK(read->session_timeout == seconds(0));
    CHECK(read->rekey_time == seconds(172795));
    CHECK(read->rekey_method == RekeyMethod::ssl);
    REQUIRE(read->datagram);
    CHECK(read->datagram->port == 443);
    CHECK(read->datagram->app_id.size() == 32);
    CHECK(read->datagram->cipher_suite == "PSK-NEGOTIATE");
}

TEST_CASE("what is written is read back") {
    SessionParameters written;
    written.server_name = "Causeway 0.1.0";
    written.hostname = "vm";
    written.address_v4 = Prefix::parse("10.1.2.3/16");
    written.address_v6 = Prefix::parse("fd00::7/64");
    written.include = {*Prefix::parse("10.0.0.0/8"), *Prefix::parse("fd00::/16")};
    written.exclude = {*Prefix::parse("10.5.0.0/16"), *Prefix::parse("fd00:5::/32")};
    written.excludes_local_network = true;
    written.dns = {*IpAddress::parse("10.0.0.1"), *IpAddress::parse("fd00::1")};
    written.nbns = {*IpAddress::parse("10.0.0.2")};
    written.domains = {"a.test", "b.test"};
    written.split_dns = {"c.test", "d.test"};
    written.tunnels_all_dns = true;
    written.mtu = 1400;
    written.base_mtu = 1500;
    written.dpd = seconds(30);
    written.keepalive = seconds(20);
    written.idle_timeout = seconds(600);
    written.session_timeout = seconds(3600);
    written.disconnected_timeout = seconds(300);
    written.rekey_time = seconds(7200);
    written.rekey_method = RekeyMethod::new_tunnel;
    written.banner = "100 % welcome,\nall";
    written.proxy_url = "http://proxy.test/pac";
    written.bypasses_other_family = true;
    written.has_dynamic_address = true;
    written.bundles = true;
    written.datagram = DatagramParameters{.port = 443,
                                          .app_id = Bytes(32, std::byte{7}),
                                          .cipher_suite = "PSK-NEGOTIATE",
                                          .connection_id = Bytes(8, std::byte{9}),
                                          .dpd = seconds(30),
                                          .keepalive = seconds(20),
                                          .rekey_time = seconds(7210),
                                          .rekey_method = RekeyMethod::ssl,
                                          .mtu = 1390};
    Headers headers;
    write_session_parameters(written, headers);
    const auto read = read_session_parameters(headers);
    REQUIRE(read.has_value());
    CHECK(*read == written);
}

TEST_CASE("our own gateway has an MTU for each channel, a stock one a single MTU for both") {
    SessionParameters written;
    written.address_v4 = Prefix::parse("10.0.0.2/32");
    written.mtu = 16376;
    written.base_mtu = 17000;
    written.datagram = DatagramParameters{.port = 443,
                                          .app_id = Bytes(32, std::byte{7}),
                                          .cipher_suite = "PSK-NEGOTIATE",
                                          .connection_id = Bytes(8, std::byte{9}),
                                          .mtu = 16383};
    Headers headers;
    write_session_parameters(written, headers);
    auto read = read_session_parameters(headers);
    REQUIRE(read.has_value());
    CHECK(*read == written);

    written.datagram->connection_id.clear();
    Headers stock;
    write_session_parameters(written, stock);
    read = read_session_parameters(stock);
    REQUIRE(read.has_value());
    CHECK(read->mtu == 16383);
}

TEST_CASE("the session to resume comes with its suite in the header for DTLS 1.2") {
    SessionParameters written;
    written.address_v4 = Prefix::parse("10.0.0.2/32");
    written.mtu = 1400;
    written.datagram = DatagramParameters{.port = 4433,
                                          .session_id = Bytes(32, std::byte{5}),
                                          .cipher_suite = "AES128-GCM-SHA256",
                                          .resumes = true};
    Headers headers;
    write_session_parameters(written, headers);
    CHECK(headers.find("X-DTLS12-CipherSuite") == "AES128-GCM-SHA256");
    CHECK_FALSE(headers.find("X-DTLS-CipherSuite"));
    const auto read = read_session_parameters(headers);
    REQUIRE(read.has_value());
    CHECK(*read == written);
    // The list for DTLS 1.2 overrides the plain one, in whichever order they come.
    headers.add("X-DTLS-CipherSuite", "PSK-NEGOTIATE");
    CHECK(read_session_parameters(headers)->datagram->cipher_suite == "AES128-GCM-SHA256");
}

TEST_CASE("a client without -IP6 headers gets IPv6 in the old ones, and no routes") {
    SessionParameters written;
    written.address_v4 = Prefix::parse("10.1.2.3/16");
    written.address_v6 = Prefix::parse("fd00::7/64");
    written.include = {*Prefix::parse("fd00::/16")};
    written.mtu = 1400;
    Headers headers;
    write_session_parameters(written, headers, false);
    CHECK_FALSE(headers.find("X-CSTP-Address-IP6"));
    CHECK_FALSE(headers.find("X-CSTP-Split-Include-IP6"));
    CHECK(headers.all("X-CSTP-Address").size() == 2);
    const auto read = read_session_parameters(headers);
    REQUIRE(read.has_value());
    CHECK(read->address_v6 == written.address_v6);
    CHECK(read->address_v4 == written.address_v4);
}

TEST_CASE("missing headers are no failure") {
    const auto parameters = read({});
    REQUIRE(parameters.has_value());
    CHECK(parameters->address_v4 == Prefix::parse("10.99.0.50/32"));
    CHECK_FALSE(parameters->datagram);
    CHECK(parameters->include.empty());
}

TEST_CASE("of several ends of the session the first counts") {
    const auto parameters = read({{"X-CSTP-Session-Timeout", "3600"},
                                  {"X-CSTP-Session-Timeout-Remaining", "1200"},
                                  {"X-CSTP-Lease-Duration", "none"}});
    REQUIRE(parameters.has_value());
    CHECK(parameters->session_timeout == seconds(1200));
}

TEST_CASE("the local network may be excluded as a whole") {
    for (const auto* value : {"0.0.0.0/255.255.255.255", "0.0.0.0/32", "0.0.0.0", "::/128"}) {
        const auto parameters = read({{"X-CSTP-Split-Exclude", value}});
        REQUIRE(parameters.has_value());
        CHECK(parameters->excludes_local_network);
        CHECK(parameters->exclude.empty());
    }
}

TEST_CASE("a value that cannot be used is named with its header") {
    const std::initializer_list<Header> cases = {
        {"X-CSTP-Address", "10.0.0"},
        {"X-CSTP-Address", "0.0.0.0"},
        {"X-CSTP-Address", "127.0.0.1"},
        {"X-CSTP-Netmask", "255.0.255.0"},
        {"X-CSTP-Address-IP6", "10.0.0.1"},
        {"X-CSTP-Address-IP6", "fd00::1/129"},
        {"X-CSTP-DNS", "dns.test"},
        {"X-CSTP-DNS", "0.0.0.0"},
        {"X-CSTP-Default-Domain", "a.test;rm"},
        {"X-CSTP-Split-DNS", "a\tb"},
        {"X-CSTP-Split-Include", "10.0.0.0/33"},
        {"X-CSTP-Split-Exclude", "everything"},
        {"X-CSTP-MTU", "100"},
        {"X-CSTP-MTU", "-1"},
        {"X-CSTP-DPD", "soon"},
        {"X-CSTP-Rekey-Method", "magic"},
        {"X-CSTP-Rekey-Time", "99999999999999999999"},
        {"X-CSTP-Content-Encoding", "lzs"},
        {"X-DTLS-Port", "70000"},
        {"X-DTLS-App-ID", "abc"},
        {"X-CSTP-Tunnel-All-DNS", "maybe"},
    };
    for (const Header& header : cases) {
        CAPTURE(header.name);
        const auto parameters = read({header});
        REQUIRE_FALSE(parameters.has_value());
        CHECK(parameters.error().code == Code(Vpn::negotiationFailed));
        CHECK(parameters.error().fact("header") == header.name);
        CHECK(parameters.error().detail.find(header.name) != std::string::npos);
    }
    CHECK(refusal({{"X-CSTP-DPD", "soon"}}) ==
          "negotiationFailed: the gateway's header X-CSTP-DPD cannot be used: “soon”");
}

TEST_CASE("a grant without address or MTU is refused") {
    const auto told = [](const Headers& headers) {
        return story(read_session_parameters(headers).error());
    };
    CHECK(told(headers({{"X-CSTP-MTU", "1400"}})) ==
          "negotiationFailed: the gateway gave no address for the tunnel");
    CHECK(told(headers({{"X-CSTP-Address", "10.0.0.1"}})) ==
          "negotiationFailed: the gateway named no MTU for the tunnel");
    CHECK(told(headers({{"X-CSTP-Address-IP6", "fd00::1/64"}, {"X-CSTP-MTU", "1200"}})) ==
          "negotiationFailed: the gateway gave only an IPv6 address, and its MTU of 1200 is below "
          "the 1280 that IPv6 needs");
}

}  // namespace
}  // namespace causeway::protocol
