#include "causeway/protocol/reason.h"

#include "causeway/protocol/http_reader.h"
#include "causeway/protocol/test_support.h"

#include <doctest/doctest.h>

namespace causeway::protocol {
namespace {

const Reason full{Vpn::serverDisconnected, "Every address of the pool is in use",
                  0x5f3a9c01d2e4b677};

HttpResponse read(std::string_view text) {
    HttpResponseReader reader;
    reader.feed(as_bytes(text));
    return **reader.next();
}

TEST_CASE("a refusal tells everyone in the place they look at") {
    CHECK(write_refusal({503, full}) ==
          "HTTP/1.1 503 Every address of the pool is in use\r\n"
          "Connection: close\r\n"
          "X-Transcend-Version: 1\r\n"
          "X-Reason: Every address of the pool is in use\r\n"
          "X-Causeway-Code: vpn/16/serverDisconnected\r\n"
          "X-Causeway-Incident: 5f3a9c01d2e4b677\r\n"
          "Content-Length: 0\r\n\r\n");
}

TEST_CASE("what a refusal says, our client reads back") {
    const auto response = read(write_refusal({503, full}));
    CHECK(read_reason(response.headers, response.reason) == full);
    CHECK(story(full.error()) == "serverDisconnected: Every address of the pool is in use");
    CHECK(full.error().fact("gateway_incident") == "5f3a9c01d2e4b677");
}

TEST_CASE("a code that the catalogue does not have is no reason") {
    for (const auto* code : {"vpn/99/serverDisconnected", "vpn/16/serverDead",
                             "tls/-9800/errSSLProtocol", "16", "", "vpn/x/y"}) {
        Headers headers;
        headers.add("X-Causeway-Code", code);
        CHECK_FALSE(read_reason(headers, "words"));
    }
}

TEST_CASE("a reason cannot smuggle a header") {
    const auto text = write_refusal({503, {Vpn::serverDisconnected, "a\r\nSet-Cookie: b=c"}});
    CHECK(text.find("\r\nSet-Cookie") == std::string::npos);
}

TEST_CASE("a DISCONNECT reads well to everyone, and exactly to our client") {
    const Bytes payload = write_disconnect(DisconnectByte::error, full);
    CHECK(as_text(payload) ==
          "\x70"
          "Every address of the pool is in use [vpn/16/serverDisconnected 5f3a9c01d2e4b677]");
    const auto notice = read_disconnect(payload);
    CHECK(notice.byte == 0x70);
    CHECK(notice.text == full.sentence);
    CHECK(notice.code == full.code);
    CHECK(notice.incident == full.incident);
    CHECK(story(notice.error()) == "serverDisconnected: Every address of the pool is in use");
}

TEST_CASE("a sentence too long is cut before its mark") {
    const auto notice = read_disconnect(
        write_disconnect(DisconnectByte::error, Reason{Vpn::serverDead, std::string(900, 'x'), 1}));
    CHECK(notice.code == Vpn::serverDead);
    CHECK(notice.incident == 1);
    CHECK(notice.text.size() > 400);
}

TEST_CASE("a DISCONNECT of a stock gateway is serverDisconnected with its words") {
    CHECK(story(read_disconnect({}).error()) ==
          "serverDisconnected: the gateway ended the session and gave no reason");
    const auto notice = read_disconnect(as_bytes("\xb0User [not a mark]"));
    CHECK(notice.text == "User [not a mark]");
    CHECK_FALSE(notice.code);
    CHECK(notice.error().fact("reason_byte") == "b0");
    CHECK(read_disconnect(as_bytes("\xb0x\x1b[31m")).text == "x\\x1b[31m");
}

}  // namespace
}  // namespace causeway::protocol
