// How a connection ends, and what is said when the other side does not speak TLS at all.

#include "causeway/tls/stream.h"
#include "tests/support/tls_checks.h"
#include "tests/support/tls_world.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

namespace causeway::tls {
namespace {

using namespace causeway::test;

struct Half {
    Stream client = client_stream(client_settings());
    tls::ContextPtr context = raw_server_context(world().server);
    RawPeer server{context.get(), true};
    Seen seen;
    Bytes answer;  ///< The server's first flight, not fed yet.

    Half() {
        take(client, seen);
        server.feed(client.pending());
        client.sent(client.pending().size());
        server.run();
        answer = server.output();
    }
    void feed(ByteView bytes) {
        client.feed(bytes, test_start);
        take(client, seen);
    }
    void end() {
        client.feed_end(test_start);
        take(client, seen);
    }
    void complete() {
        feed(answer);
        server.feed(client.pending());
        client.sent(client.pending().size());
        server.run();
        feed(server.output());
        REQUIRE(seen.story == "completed");
    }
};

TEST_CASE("FIN is told apart: before the first byte, on a boundary, inside a record") {
    Half before;
    before.end();
    check(before.seen, -9844);
    CHECK(before.seen.failure->fact("waited_for") == "the server's hello");

    Half boundary;
    boundary.feed(records_of(boundary.answer).front());
    boundary.end();
    check(boundary.seen, -9816);
    CHECK(boundary.seen.failure->fact("waited_for") == "the rest of the server's handshake");

    Half inside;
    inside.feed(ByteView(inside.answer).first(20));
    inside.end();
    check(inside.seen, -9806);

    Half header;
    header.feed(ByteView(header.answer).first(3));
    header.end();
    check(header.seen, -9806);

    Half later;
    later.complete();
    later.end();
    check(later.seen, -9816);
    CHECK(later.seen.failure->detail == "the server closed the connection without close_notify");

    Half cut;
    cut.complete();
    SSL_write(cut.server.ssl(), "hello", 5);
    const auto record = cut.server.output();
    cut.feed(ByteView(record).first(record.size() - 1));
    cut.end();
    check(cut.seen, -9806);
}

TEST_CASE("a reset is a reset at any time, after what came before it was read") {
    Half before;
    before.client.feed_reset(ECONNRESET, test_start);
    take(before.client, before.seen);
    CHECK(code_text(before.seen.failure) == "-9852 <- " + std::to_string(ECONNRESET));

    Half later;
    later.complete();
    SSL_write(later.server.ssl(), "last words", 10);
    later.client.feed(later.server.output(), test_start);
    later.client.feed_reset(EPIPE, test_start);
    take(later.client, later.seen);
    CHECK(later.seen.data == "last words");
    CHECK(code_text(later.seen.failure) == "-9852 <- " + std::to_string(EPIPE));

    Half silent;
    silent.complete();
    silent.client.feed_reset(ETIMEDOUT, test_start);
    take(silent.client, silent.seen);
    check(silent.seen, -9853);
}

TEST_CASE("after close_notify, FIN and RST say nothing more") {
    Half half;
    half.complete();
    SSL_shutdown(half.server.ssl());
    half.feed(half.server.output());
    CHECK(half.seen.story == "completed closed");
    half.end();
    half.client.feed_reset(ECONNRESET, test_start);
    take(half.client, half.seen);
    CHECK_FALSE(half.seen.failure.has_value());
}

TEST_CASE("a handshake has a limit, and what was waited for is named") {
    Half silent;
    REQUIRE(silent.client.deadline() == test_start + std::chrono::seconds(10));
    silent.client.advance(test_start + std::chrono::milliseconds(9999));
    take(silent.client, silent.seen);
    CHECK_FALSE(silent.seen.failure.has_value());
    silent.client.advance(test_start + std::chrono::seconds(10));
    take(silent.client, silent.seen);
    check(silent.seen, -9853);
    CHECK(silent.seen.failure->detail == "the server's hello did not come within 10 seconds");
    CHECK_FALSE(silent.client.deadline().has_value());

    Half complete;
    complete.complete();
    CHECK_FALSE(complete.client.deadline().has_value());
}

TEST_CASE("the first failure is repeated for ever") {
    Half half;
    half.end();
    check(half.seen, -9844);
    half.feed(half.answer);
    half.client.feed_reset(ECONNRESET, test_start);
    take(half.client, half.seen);
    check(half.seen, -9844);
    CHECK_FALSE(half.client.write(as_bytes("x")).has_value());
}

TEST_CASE("a peer that speaks something else is named") {
    struct Case {
        std::string sent, speaks, key, value;
    };
    const Case cases[] = {
        {"HTTP/1.1 302 Found\r\nServer: x\r\nLocation: http://portal.example/login\r\n\r\n", "HTTP",
         "location", "http://portal.example/login"},
        {"HTTP/1.0 400 Bad Request\r\n\r\n", "HTTP", "http_status", "400 Bad Request"},
        {"SSH-2.0-OpenSSH_9.2\r\n", "SSH", "banner", "SSH-2.0-OpenSSH_9.2"},
        {"220 mail.example ESMTP\r\n", "a mail or file protocol", "banner",
         "220 mail.example ESMTP"},
        {"hello there\n", "some text", "banner", "hello there"},
        {std::string("\x80\x0b\x04\x00\x01\x00\x02", 7), "SSL 2", "first_bytes", "800b0400010002"},
        {std::string("\x00\x01\x02\x03", 4), "something unknown", "first_bytes", "00010203"},
        {std::string("\x16\x05\x01", 3), "something unknown", "first_bytes", "160501"},
    };
    for (const auto& one : cases) {
        Half half;
        half.feed(as_bytes(one.sent));
        CAPTURE(one.sent);
        check(half.seen, -9800);
        CHECK(half.seen.failure->fact("peer_speaks") == one.speaks);
        CHECK(half.seen.failure->fact(one.key) == one.value);
    }
}

TEST_CASE("half a greeting is waited for, but not long, and not after FIN") {
    Half patient;
    patient.feed(as_bytes("HTTP/1.1 302 Fo"));
    CHECK_FALSE(patient.seen.failure.has_value());
    REQUIRE(patient.client.deadline() == test_start + std::chrono::seconds(1));
    patient.client.advance(test_start + std::chrono::seconds(1));
    take(patient.client, patient.seen);
    check(patient.seen, -9800);
    CHECK(patient.seen.failure->fact("peer_speaks") == "HTTP");

    Half ended;
    ended.feed(as_bytes("HTTP/1.1 "));
    ended.end();
    check(ended.seen, -9800);
}

TEST_CASE("a browser without TLS at our server is named") {
    auto server = server_stream(server_settings());
    Seen seen;
    server.feed(as_bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), test_start);
    take(server, seen);
    check(seen, -9800);
    CHECK(seen.failure->fact("peer_speaks") == "HTTP");
    CHECK(seen.failure->fact("request") == "GET / HTTP/1.1");
}

}  // namespace
}  // namespace causeway::tls
