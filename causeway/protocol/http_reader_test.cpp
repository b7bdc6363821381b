#include "causeway/protocol/http_reader.h"

#include "causeway/protocol/http_writer.h"
#include "causeway/protocol/test_support.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace causeway::protocol {
namespace {

/// What a client makes of `stream` in pieces of `step` bytes: "status[body]" for each response.
std::string responses(std::string_view stream, std::size_t step,
                      HttpLimits limits = client_http_limits) {
    HttpResponseReader reader(limits);
    std::string told;
    std::optional<Error> failure;
    in_pieces(stream, step, [&](ByteView piece) {
        reader.feed(piece);
        while (!failure) {
            const auto response = reader.next();
            if (!response) failure = response.error();
            if (!response || !*response) break;
            told += std::to_string((*response)->status) + "[" + (*response)->body + "]";
        }
    });
    return failure ? told + story(*failure) : told;
}

std::string requests(std::string_view stream, std::size_t step,
                     HttpLimits limits = gateway_http_limits) {
    HttpRequestReader reader(limits);
    std::string told;
    std::optional<Error> failure;
    in_pieces(stream, step, [&](ByteView piece) {
        reader.feed(piece);
        while (!failure) {
            const auto request = reader.next();
            if (!request) failure = request.error();
            if (!request || !*request) break;
            told += (*request)->method + " " + (*request)->target + "[" + (*request)->body + "]";
        }
    });
    return failure ? told + story(*failure) : told;
}

TEST_CASE("requests may be cut anywhere and follow one another") {
    const std::string stream =
        "POST /auth HTTP/1.1\r\nHost: vpn.test\r\nContent-Length: 5\r\n\r\nhello"
        "GET / HTTP/1.1\r\nHost: vpn.test\r\n\r\n"
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: "
        "t\r\n\r\n"
        "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\n\r\n";
    for (std::size_t step = 1; step <= stream.size(); ++step)
        CHECK(requests(stream, step) ==
              "POST /auth[hello]GET /[]POST /[abcde]CONNECT /CSCOSSLC/tunnel[]");
}

TEST_CASE("responses may be cut anywhere and follow one another") {
    const std::string stream =
        "HTTP/1.1 100 Continue\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
        "HTTP/1.1 401\r\nContent-Length: 0\r\n\r\n"
        "HTTP/1.0 200 OK\nTransfer-Encoding: chunked\n\nA\n0123456789\n0\n\n";
    for (std::size_t step = 1; step <= stream.size(); ++step)
        CHECK(responses(stream, step) == "200[abc]401[]200[0123456789]");
}

TEST_CASE("a body without length ends with the connection") {
    HttpResponseReader reader;
    reader.feed(as_bytes("HTTP/1.1 404 Not Found\r\n\r\nno such page"));
    REQUIRE(reader.next().has_value());
    CHECK_FALSE(reader.next()->has_value());
    const auto response = reader.finish();
    REQUIRE(response.has_value());
    REQUIRE(response->has_value());
    CHECK((*response)->body == "no such page");
}

TEST_CASE("an end inside a message with a length is a failure") {
    HttpResponseReader reader;
    reader.feed(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"));
    const auto response = reader.finish();
    REQUIRE_FALSE(response.has_value());
    CHECK(story(response.error()) ==
          "errSSLDecodeError: the connection ended in the middle of an HTTP response");
}

TEST_CASE("what follows a 200 to CONNECT is the tunnel's") {
    HttpResponseReader reader;
    reader.expect_tunnel();
    reader.feed(as_bytes("HTTP/1.1 200 CONNECTED\r\nX-CSTP-MTU: 1400\r\n\r\nSTF\x01"));
    const auto response = reader.next();
    REQUIRE(response.has_value());
    REQUIRE(response->has_value());
    CHECK((*response)->headers.find("x-cstp-mtu") == "1400");
    CHECK(as_text(reader.take_rest()) == "STF\x01");
    CHECK(reader.is_idle());
}

TEST_CASE("a refused CONNECT has a body like any answer") {
    HttpResponseReader reader;
    reader.expect_tunnel();
    reader.feed(as_bytes("HTTP/1.1 404 Not found\r\nContent-Length: 2\r\n\r\nno"));
    const auto response = reader.next();
    REQUIRE(response.has_value());
    REQUIRE(response->has_value());
    CHECK((*response)->body == "no");
}

TEST_CASE("what is no HTTP is refused with its first bytes") {
    const std::initializer_list<std::pair<std::string_view, std::string_view>> cases = {
        {"hello", "errSSLDecodeError: not HTTP: “hello”"},
        {"SSH-2.0-OpenSSH_9.2\r\n",
         "errSSLDecodeError: not an HTTP response: “SSH-2.0-OpenSSH_9.2”"},
        {"HTTP/2 200\r\n", "errSSLDecodeError: not an HTTP response: “HTTP/2 200”"},
        {"HTTP/1.1 20x OK\r\n", "errSSLDecodeError: not an HTTP response: “HTTP/1.1 20x OK”"},
        {"HTTP/1.1 999 OK\r\n", "errSSLDecodeError: not an HTTP response: “HTTP/1.1 999 OK”"},
        {"HTTP/1.1 200 OK\r\nno colon\r\n", "errSSLDecodeError: not an HTTP header: “no colon”"},
        {"HTTP/1.1 200 OK\r\nA : b\r\n", "errSSLDecodeError: not an HTTP header: “A : b”"},
        {"HTTP/1.1 200 OK\r\n folded\r\n", "errSSLDecodeError: not an HTTP header: “ folded”"},
        {"HTTP/1.1 200 OK\r\nA: b\rc\r\n",
         "errSSLDecodeError: a line of the HTTP head holds CR or NUL: “A: b\\x0dc”"},
    };
    for (const auto& [stream, told] : cases) CHECK(responses(stream, stream.size()) == told);
}

TEST_CASE("a message that could be read in two ways is refused") {
    const std::string start = "POST / HTTP/1.1\r\n";
    CHECK(requests(start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 7) ==
          "errSSLDecodeError: the HTTP message has two different Content-Lengths");
    CHECK(requests(start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 7) ==
          "errSSLDecodeError: the HTTP message has Content-Length beside Transfer-Encoding");
    CHECK(requests(start + "Transfer-Encoding: gzip, chunked\r\n\r\n", 7) ==
          "errSSLDecodeError: unknown Transfer-Encoding: “gzip, chunked”");
    CHECK(requests(start + "Content-Length: +3\r\n\r\n", 7) ==
          "errSSLDecodeError: Content-Length is no number: “+3”");
    CHECK(requests(start + "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 7) ==
          "errSSLDecodeError: not the size of an HTTP chunk: “-1”");
    CHECK(requests(start + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 99) ==
          "errSSLDecodeError: an HTTP chunk is longer than its size says");
}

TEST_CASE("every limit is refused before the surplus is kept") {
    const HttpLimits small{64, 3, 10};
    const std::string start = "POST / HTTP/1.1\r\n";
    CHECK(requests(std::string(70, 'x'), 1, small) ==
          "errSSLBufferOverflow: the head of the HTTP message is longer than 64 bytes");
    CHECK(requests(start + std::string(80, 'x'), 1, small) ==
          "errSSLBufferOverflow: the head of the HTTP message is longer than 64 bytes");
    CHECK(requests(start + "a:1\r\nb:2\r\nc:3\r\nd:4\r\n", 5, small) ==
          "errSSLBufferOverflow: the HTTP message has more than 3 headers");
    CHECK(requests(start + "Content-Length: 10737418240\r\n\r\n", 5, small) ==
          "errSSLBufferOverflow: the HTTP body has 10737418240 bytes, limit 10");
    CHECK(requests(start + "Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n5\r\n", 5, small) ==
          "errSSLBufferOverflow: the HTTP body has more than 10 bytes");
    CHECK(requests(start + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 5, small) ==
          "errSSLBufferOverflow: the HTTP body has more than 10 bytes");
    CHECK(responses("HTTP/1.1 200 OK\r\n\r\n12345678901", 4, small) ==
          "errSSLBufferOverflow: the HTTP body has more than 10 bytes");
}

TEST_CASE("empty lines without end come to an end") {
    CHECK(requests(std::string(20000, '\n'), 1000).starts_with("errSSL"));
}

TEST_CASE("who runs ahead without reading is stopped") {
    HttpRequestReader reader({64, 3, 10});
    reader.feed(as_bytes(std::string(75, 'x')));
    const auto request = reader.next();
    REQUIRE_FALSE(request.has_value());
    CHECK(story(request.error()) ==
          "errSSLBufferOverflow: more than 74 bytes of HTTP wait to be read");
}

TEST_CASE("a reader that has failed stays failed") {
    HttpRequestReader reader;
    reader.feed(as_bytes("nonsense\r\n"));
    REQUIRE_FALSE(reader.next().has_value());
    reader.feed(as_bytes("GET / HTTP/1.1\r\n\r\n"));
    REQUIRE_FALSE(reader.next().has_value());
}

TEST_CASE("what the writer writes, the reader reads") {
    HttpRequest request;
    request.method = "POST";
    request.target = "/auth";
    request.headers.add("Host", "vpn.test");
    request.headers.add("X-Evil", "a\r\nInjected: yes");
    request.body = "body";
    HttpRequestReader reader;
    reader.feed(as_bytes(write_request(request)));
    const auto read = reader.next();
    REQUIRE(read.has_value());
    REQUIRE(read->has_value());
    CHECK((*read)->body == "body");
    CHECK((*read)->headers.find("Host") == "vpn.test");
    CHECK_FALSE((*read)->headers.find("Injected"));
}

TEST_CASE("a connection is kept unless somebody says otherwise") {
    const auto keeps = [](std::string_view stream) {
        HttpRequestReader reader;
        reader.feed(as_bytes(stream));
        return (*reader.next())->keeps_connection();
    };
    CHECK(keeps("GET / HTTP/1.1\r\n\r\n"));
    CHECK_FALSE(keeps("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n"));
    CHECK_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
    CHECK(keeps("GET / HTTP/1.0\r\nConnection: foo, keep-alive\r\n\r\n"));
}

}  // namespace
}  // namespace causeway::protocol
