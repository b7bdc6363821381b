#include "causeway/protocol/connect_request.h"

#include "causeway/protocol/datagram_suites.h"
#include "causeway/protocol/test_support.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>

namespace causeway::protocol {
namespace {

HttpRequest request(std::string_view text) {
    HttpRequestReader reader;
    reader.feed(as_bytes(text));
    return **reader.next();
}

/// What a client makes of that answer: the story of the failure.
Error refusal(std::string_view text) {
    ConnectReply reply;
    reply.feed(as_bytes(text));
    const auto parameters = reply.next();
    REQUIRE_FALSE(parameters.has_value());
    return parameters.error();
}

TEST_CASE("the CONNECT of openconnect 9.01 is understood") {
    const auto read = read_connect_request(request(recorded("openconnect-connect.http")));
    REQUIRE(read.has_value());
    CHECK(read->cookie.reveal() == "AOVb+9kyVXNfdT1nG++PtQuWQc+EguJQmtGFxLmNJmY=");
    CHECK(read->host == "vpn.test");
    CHECK(read->hostname == "vm");
    CHECK(read->base_mtu == 1500);
    CHECK(read->mtu == 1390);
    CHECK(read->wants_v4);
    CHECK(read->wants_v6);
    CHECK(read->knows_v6_headers);
    CHECK(read->datagram_ciphers.starts_with("PSK-NEGOTIATE:"));
    CHECK(read->datagram12_ciphers.starts_with("ECDHE-RSA-AES256-GCM-SHA384:"));
    CHECK_FALSE(read->is_own_end);
    CHECK_FALSE(read->bundles);
}

TEST_CASE("what our client asks for, our gateway understands") {
    ConnectRequest written;
    written.cookie = Secret("abc+/=");
    written.host = "vpn.test:8443";
    written.user_agent = "OpenConnect VPN Agent (Causeway)";
    written.hostname = "laptop";
    written.base_mtu = 1500;
    written.mtu = 1400;
    written.wants_v6 = false;
    written.wished_addresses = {*IpAddress::parse("10.0.0.7")};
    const auto read = read_connect_request(request(write_connect_request(written).reveal()));
    REQUIRE(read.has_value());
    CHECK(read->cookie.reveal() == "abc+/=");
    CHECK(read->host == written.host);
    CHECK(read->user_agent == written.user_agent);
    CHECK(read->hostname == written.hostname);
    CHECK(read->base_mtu == 1500);
    CHECK(read->mtu == 1400);
    CHECK(read->wants_v4);
    CHECK_FALSE(read->wants_v6);
    CHECK(read->wished_addresses == written.wished_addresses);
}

TEST_CASE("what our client says about datagrams, our gateway understands") {
    ConnectRequest written;
    written.cookie = Secret("abc");
    written.host = "vpn.test";
    written.datagram_ciphers = psk_negotiate;
    written.datagram12_ciphers = resumed_suite_list();
    written.master_secret = Secret(std::string(master_secret_size, '\x80'));
    written.is_own_end = true;
    written.bundles = true;
    const auto text = write_connect_request(written);
    const auto read = read_connect_request(request(std::string(text.reveal())));
    REQUIRE(read.has_value());
    CHECK(read->datagram_ciphers == written.datagram_ciphers);
    CHECK(read->datagram12_ciphers == written.datagram12_ciphers);
    CHECK(read->master_secret.reveal() == written.master_secret.reveal());
    CHECK(read->is_own_end);
    CHECK(read->bundles);
}

TEST_CASE("a master secret of another size, or of other digits, is none") {
    for (const std::string& value :
         {std::string(94, 'a'), std::string(98, 'a'), std::string(96, 'x'), std::string()}) {
        const auto read = read_connect_request(
            request("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: a\r\nCookie: webvpn=abc\r\n"
                    "X-DTLS-Master-Secret: " +
                    value + "\r\n\r\n"));
        REQUIRE(read.has_value());
        CHECK(read->master_secret.empty());
    }
}

TEST_CASE("a CONNECT that cannot be served says why and how to answer") {
    const std::string cookie = "Cookie: webvpn=x\r\n";
    const std::initializer_list<std::pair<std::string, std::string>> cases = {
        {"CONNECT /x HTTP/1.1\r\n" + cookie, "404"},
        {"GET /CSCOSSLC/tunnel HTTP/1.1\r\n" + cookie, "404"},
        {"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\n", "401"},
        {"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nCookie: webvpn=\r\n", "401"},
        {"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nX-CSTP-MTU: x\r\n" + cookie, "400"},
        {"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nX-CSTP-Address-Type: IPX\r\n" + cookie, "400"},
    };
    for (const auto& [text, status] : cases) {
        const auto read = read_connect_request(request(text + "\r\n"));
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().fact("http_status") == status);
    }
}

TEST_CASE("an answer may be cut anywhere, and the tunnel begins right behind it") {
    SessionParameters granted;
    granted.address_v4 = Prefix::parse("10.0.0.7/24");
    granted.mtu = 1400;
    const std::string stream = write_connect_accepted(granted) + "STF";
    CHECK(stream.starts_with("HTTP/1.1 200 CONNECTED\r\nX-CSTP-Version: 1\r\n"));
    CHECK(stream.find("Content-Length") == std::string::npos);
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        ConnectReply reply;
        std::optional<SessionParameters> read;
        std::string rest;
        in_pieces(stream, step, [&](ByteView piece) {
            if (read) rest += as_text(piece);
            if (read) return;
            reply.feed(piece);
            const auto parameters = reply.next();
            REQUIRE(parameters.has_value());
            if (!*parameters) return;
            read = **parameters;
            rest += as_text(reply.take_rest());
        });
        REQUIRE(read);
        CHECK(read->address_v4 == granted.address_v4);
        CHECK(rest == "STF");
    }
}

TEST_CASE("each refusal of a stock gateway has its code") {
    const std::initializer_list<std::pair<std::string, std::string>> cases = {
        {"401 Cookie is not acceptable",
         "authenticationFailed: the gateway does not accept the cookie of this session: “Cookie is "
         "not acceptable” <- Unauthorized: Cookie is not acceptable"},
        {"503 Service Unavailable",
         "authenticationFailed: the gateway does not accept the cookie of this session: “Service "
         "Unavailable” <- Service Unavailable: Service Unavailable"},
        {"503 Service Unavailable\r\nX-Reason: Server configuration error",
         "serverDisconnected: the gateway refused to open the tunnel: “Server configuration error” "
         "<- Service Unavailable: Service Unavailable"},
        {"404 Not found",
         "negotiationFailed: the gateway refused to open the tunnel: “Not found” <- Not Found: Not "
         "found"},
        {"302 Found\r\nLocation: https://x/",
         "negotiationFailed: the gateway refused to open the tunnel: “Found” <- Found: Found"},
    };
    for (const auto& [status, told] : cases)
        CHECK(story(refusal("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n")) == told);
}

TEST_CASE("a cookie that is not accepted asks for a new login, with the candidates") {
    const Error error =
        refusal("HTTP/1.1 401 Cookie is not acceptable\r\nContent-Length: 0\r\n\r\n");
    CHECK(error.fact("reauthenticate") == "yes");
    CHECK(error.fact("candidates") ==
          "cookie expired or unknown; too many sessions of this user; address pool empty");
    CHECK(error.fact("http_status") == "401");
}

TEST_CASE("the refusals of ocserv 1.1.6, which have no length, are understood at once") {
    CHECK(refusal(recorded("ocserv-connect-401.http")).fact("candidates") != "");
    CHECK(refusal(recorded("ocserv-connect-503.http")).fact("candidates") ==
          "cookie missing or unreadable; gateway misconfigured");
}

TEST_CASE("a gateway of ours is believed to the letter") {
    const Error error = refusal(
        write_refusal({503, {Vpn::serverDisconnected, "All addresses of the pool are in use", 7}}));
    CHECK(story(error) ==
          "serverDisconnected: All addresses of the pool are in use <- Service Unavailable: All "
          "addresses of the pool are in use");
    CHECK(error.fact("gateway_incident") == "0000000000000007");
    CHECK(error.fact("candidates") == "");
    CHECK(refusal(write_refusal({401, {Vpn::authenticationFailed, "The session has expired"}}))
              .fact("reauthenticate") == "yes");
}

TEST_CASE("an answer that is no HTTP is negotiationFailed") {
    CHECK(story(refusal("nonsense\r\n")) ==
          "negotiationFailed: the answer to CONNECT cannot be read <- errSSLDecodeError: not an "
          "HTTP response: “nonsense”");
}

}  // namespace
}  // namespace causeway::protocol
