#include "causeway/error/names.h"

#include "causeway/error/catalogue.h"
#include "causeway/error/raw_names.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <string>

using namespace causeway;

TEST_CASE("domains come back from their names") {
    for (int each = 0; each <= static_cast<int>(Domain::process); ++each) {
        const auto domain = static_cast<Domain>(each);
        CHECK(domain_named(domain_name(domain)) == domain);
    }
    CHECK(domain_name(Domain::x509) == "x509");
    CHECK_FALSE(domain_named("VPN"));
    CHECK_FALSE(domain_named(""));
}

TEST_CASE("every fact has the name its own vocabulary gives it") {
    struct Story {
        Code code;
        std::string_view name;
    };
    const Story stories[] = {
        {Vpn::serverDead, "serverDead"},
        {Tls::errSSLATSViolation, "errSSLATSViolation"},
        {Trust::errSecCertificateRevoked, "errSecCertificateRevoked"},
        {Service::VPN_CREATION_DENIED, "VPN_CREATION_DENIED"},
        {Code::raw(Domain::system, ECONNREFUSED), "ECONNREFUSED"},
        {Resolver::NXDOMAIN, "NXDOMAIN"},
        {Resolver::NO_RESOLVER, "NO_RESOLVER"},
        {Code::raw(Domain::http, 503), "Service Unavailable"},
        {Code::raw(Domain::alert, 40), "handshake_failure"},
        {Code::raw(Domain::alert, 116), "certificate_required"},
        {Code::raw(Domain::x509, 10), "X509_V_ERR_CERT_HAS_EXPIRED"},
        {Code::killed(SIGKILL), "SIGKILL"},
        {Code::exited(3), "exit_3"},
    };
    for (const auto& [code, name] : stories) CHECK(code_name(code) == name);
}

TEST_CASE("a number without a name is its own name") {
    CHECK(code_name(Code::raw(Domain::vpn, 77)) == "77");
    CHECK(code_name(Code::raw(Domain::system, 100000)) == "100000");
    CHECK(code_name(Code::raw(Domain::alert, 255)) == "255");
    CHECK(code_name(Code::raw(Domain::http, 299)) == "299");
    CHECK(code_name(Code::raw(Domain::x509, 9999)) == "9999");
    CHECK(code_name(Code::raw(Domain::resolver, 0)) == "0");
    CHECK(code_name(Code::raw(Domain::process, -1000)) == "-1000");
    CHECK(code_name(Code::raw(Domain::process, INT32_MIN)) == "-2147483648");
}

TEST_CASE("a code comes back from its text") {
    CHECK(code_text(Vpn::serverDisconnected) == "vpn/16/serverDisconnected");
    CHECK(code_text(Tls::errSSLCertExpired) == "tls/-9814/errSSLCertExpired");
    CHECK(code_text(Code::raw(Domain::http, 503)) == "http/503/Service_Unavailable");
    for (const Entry& row : catalogue()) CHECK(parse_code(code_text(row.code())) == row.code());
    for (const Code code : {Code::raw(Domain::http, 404), Code::killed(SIGSEGV),
                            Code::raw(Domain::system, EPERM), Code(Resolver::SERVFAIL)})
        CHECK(parse_code(code_text(code)) == code);
    CHECK(parse_code("vpn/16") == Code(Vpn::serverDisconnected));
}

TEST_CASE("text that is no code is refused") {
    for (const auto text :
         {"", "vpn", "vpn/", "vpn/16/", "vpn/16/serverDead", "vpn/20", "vpn/20/20", "VPN/16",
          "vpn/+16", "vpn/0x10", "vpn/16/serverDisconnected/", "vpn /16", "tls/9814",
          "service/99999999999/VPN", "vpn/16/serverDisconnected\r\nX: y", "made_up/1/x"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_code(text));
    }
}
