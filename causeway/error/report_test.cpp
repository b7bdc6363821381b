#include "causeway/error/report.h"

#include "causeway/base/text.h"
#include "causeway/error/paragraph.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

using namespace causeway;
using std::chrono::milliseconds;

namespace {

Incident refused() {
    auto error =
        Error{Vpn::serverNotResponding, "vpn.example.com refused the connection on port 443"}
            .with("server", "vpn.example.com")
            .because(Error{Tls::errSSLConnectionRefused, ""}
                         .with("address", "192.0.2.7")
                         .because(system_error(ECONNREFUSED, "connect")));
    const auto time = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20));
    return {0x5f3a9c01d2e4b677,
            time,
            "",
            "vpn.example.com:443",
            Phase::connect,
            std::move(error),
            {{Phase::resolve, milliseconds(3), "192.0.2.7"},
             {Phase::connect, milliseconds(12345), "refused"}}};
}

}  // namespace

TEST_CASE("a report says what, why, with which evidence, what was tried and what to do") {
    CHECK(report(refused()) ==
          "The server could not be reached, or stayed silent before a session existed.\n"
          "vpn.example.com refused the connection on port 443.\n"
          "\n"
          "Why\n"
          "  serverNotResponding (vpn 6)\n"
          "    <- errSSLConnectionRefused (tls -9844): Nobody answered for the server: the port is "
          "closed, or\n"
          "       the connection ended before the first byte came\n"
          "      <- ECONNREFUSED (system 111): connect: Connection refused\n"
          "\n"
          "Evidence\n"
          "  server   vpn.example.com\n"
          "  address  192.0.2.7\n"
          "  errno    ECONNREFUSED\n"
          "  call     connect\n"
          "\n"
          "What was tried\n"
          "  resolve           3 ms  192.0.2.7\n"
          "  connect         12.3 s  refused\n"
          "\n"
          "What to do\n"
          "  Check the port, then whether the gateway runs.\n"
          "  The next move is with the gateway's operator. Trying again later may be enough.\n"
          "  Usual causes, and how to check each: causeway explain errSSLConnectionRefused\n"
          "\n"
          "Incident 5f3a9c01d2e4b677 on 2026-11-20T00:00:00Z, server vpn.example.com:443, in phase "
          "connect\n");
}

TEST_CASE("a report for every code fits the page and says what to do") {
    for (const Entry& row : catalogue()) {
        const auto incident = make_incident("p", "s", Phase::tls,
                                            Error{row.code(), std::string(300, 'x') + " y"}.with(
                                                std::string(60, 'k'), std::string(500, 'v')));
        const auto text = report(incident);
        CHECK(text.contains(row.name));
        CHECK(text.contains("What to do\n"));
        for (const auto line : split(text, '\n')) CHECK(columns(line) <= page_width);
    }
}

TEST_CASE("text of the other side cannot write on the terminal") {
    auto incident = refused();
    const std::string foreign = "\x1b[2J\r\nlogin: \xe2\x80\xae\xff";
    incident.error.detail = incident.server = incident.profile = foreign;
    incident.error.with(foreign, foreign);
    incident.trail.push_back({Phase::tls, milliseconds(0), foreign});
    const auto text = report(incident);
    CHECK_FALSE(text.contains('\x1b'));
    CHECK_FALSE(text.contains('\r'));
    CHECK_FALSE(text.contains("\xe2\x80\xae"));
    CHECK_FALSE(text.contains('\xff'));
    CHECK_FALSE(text.contains("\nlogin"));
    CHECK(text.contains("\\x1b[2J\\x0d\\x0alogin: \\u202e"));
    CHECK_FALSE(sentence(incident.error).contains('\n'));
}

TEST_CASE("a step that only repeats the failure does not say it again") {
    auto incident = refused();
    incident.trail.back().result = incident.error.detail;
    CHECK(report(incident).contains("  connect         12.3 s  failed as said above\n"));
}

TEST_CASE("colour changes nothing but the colour") {
    const auto incident = refused();
    auto coloured = report(incident, true);
    CHECK(coloured.contains("\x1b["));
    for (auto at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b'))
        coloured.erase(at, coloured.find('m', at) - at + 1);
    CHECK(coloured == report(incident));
}

TEST_CASE("a chain as long as it may be is shown whole") {
    Error error = system_error(EPERM, "lowest");
    for (int depth = 0; depth < 20; ++depth)
        error =
            Error{Tls::errSSLProtocol, "link " + std::to_string(depth)}.because(std::move(error));
    const auto text = report(make_incident("", "", Phase::tls, error));
    for (int depth = 0; depth < 19; ++depth)
        CHECK(text.contains(": link " + std::to_string(depth) + "\n"));
    CHECK(text.contains("lowest"));
}

TEST_CASE("a raw fact alone makes a report too") {
    const auto text = report(make_incident("", "", Phase::profile, system_error(ENOENT, "open")));
    CHECK(text.starts_with("The connection failed: ENOENT (system 2).\n"));
}

TEST_CASE("the sentence of an error is its meaning and its detail") {
    CHECK(sentence(Error{Vpn::serverDisconnected, "idle for 30 minutes"}) ==
          "The server ended the session, or would not give it one: idle for 30 minutes");
    CHECK(sentence(Error{Vpn::serverCertificateExpired, ""}) ==
          "The server's certificate has expired");
    CHECK(sentence(Error{Code::raw(Domain::http, 503), ""}) == "Service Unavailable");
}

TEST_CASE("a paragraph breaks between words, cuts what is too long, and keeps its indent") {
    CHECK(paragraph("ab: ", "one two three", 11) == "ab: one two\n    three\n");
    CHECK(paragraph("", "abcdefgh", 3) == "abc\ndef\ngh\n");
    CHECK(paragraph("> ", "", 10) == ">\n");
    CHECK(paragraph("", "  many   blanks ", 80) == "many blanks\n");
    CHECK(paragraph("", "äöü äöü", 3) == "äöü\näöü\n");
    CHECK(paragraph("", "äöüß", 3) == "äöü\nß\n");
    CHECK(paragraph("longer than the page ", "x y", 4) ==
          "longer than the page x\n                     y\n");
}
