#include "causeway/tls/certificate.h"

#include "causeway/tls/trust.h"
#include "tests/support/tls_world.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace causeway::tls {
namespace {

using namespace causeway::test;
using Texts = std::vector<std::string>;

CertificateInfo info(const Issued& issued) {
    return CertificateInfo::from_pem(issued.pem()).value();
}

TEST_CASE("what a certificate says is read once") {
    auto plan = server_plan("vpn.example.com");
    plan.subject = {{"C", "DE"}, {"O", "Bäckerei, Müller"}, {"CN", "vpn.example.com"}};
    plan.extensions[2].second =
        "DNS:vpn.example.com,DNS:*.example.org,IP:192.0.2.1,IP:2001:db8::1,email:a@example.com";
    const auto read = info(issue(plan, world().root));
    CHECK(read.subject == "CN=vpn.example.com,O=Bäckerei\\, Müller,C=DE");
    CHECK(read.issuer == "CN=Test Root");
    CHECK(read.dns_names == Texts{"vpn.example.com", "*.example.org"});
    CHECK(read.names() == "vpn.example.com, *.example.org, 192.0.2.1, 2001:db8::1");
    CHECK(read.mail_names == Texts{"a@example.com"});
    CHECK(read.not_before == plan.not_before);
    CHECK(read.not_after == plan.not_after);
    CHECK(read.key_type == "EC");
    CHECK(read.key_bits == 256);
    CHECK(read.signature_hash == "SHA256");
    CHECK_FALSE(read.is_authority);
    CHECK_FALSE(read.is_self_issued);
    CHECK(read.fingerprint_sha256 == hex(sha256(read.der)));
}

TEST_CASE("an authority is known as one") {
    CHECK(info(world().root).is_authority);
    CHECK(info(world().root).is_self_issued);
}

TEST_CASE("attributes are found by short name, by number and in the alternative name") {
    auto plan = client_plan("anna");
    plan.subject = {{"OU", "staff"}, {"OU", "night shift"}, {"UID", "anna"}, {"CN", "Anna A."}};
    plan.extensions.emplace_back("subjectAltName",
                                 "email:anna@example.com,DNS:laptop.example.com,"
                                 "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:anna@corp.example");
    const auto read = info(issue(plan, world().root));
    CHECK(read.attribute("OU") == Texts{"staff", "night shift"});
    CHECK(read.attribute("CN") == Texts{"Anna A."});
    CHECK(read.attribute("2.5.4.3") == Texts{"Anna A."});
    CHECK(read.attribute("0.9.2342.19200300.100.1.1") == Texts{"anna"});
    CHECK(read.attribute("SAN:email") == Texts{"anna@example.com"});
    CHECK(read.attribute("san:dns") == Texts{"laptop.example.com"});
    CHECK(read.attribute("SAN:upn") == Texts{"anna@corp.example"});
    CHECK(read.attribute("O").empty());
    CHECK(read.attribute("nonsense").empty());
    CHECK(CertificateInfo::is_attribute("UID"));
    CHECK(CertificateInfo::is_attribute("SAN:upn"));
    CHECK_FALSE(CertificateInfo::is_attribute("nonsense"));
}

TEST_CASE("text in a name cannot break a line or steer a terminal") {
    auto plan = client_plan("x");
    plan.subject = {{"CN", "a\nb\x1b[31m"}};
    const auto read = info(issue(plan, world().root));
    CHECK(read.subject.find('\n') == std::string::npos);
    CHECK(read.subject.find('\x1b') == std::string::npos);
}

TEST_CASE("bytes that are no certificate, or more than one, are refused") {
    auto der = info(world().root).der;
    CHECK(CertificateInfo::from_der(der).has_value());
    der.push_back(std::byte{0});
    CHECK(code_text(CertificateInfo::from_der(der).error()) == "-9808 <- -26275");
    der.resize(der.size() / 2);
    CHECK(code_text(CertificateInfo::from_der(der).error()) == "-9808 <- -26275");
    CHECK(code_text(CertificateInfo::from_der({}).error()) == "-9808 <- -26275");
}

TEST_CASE("a text of several certificates is read whole or not at all") {
    const auto both = world().root.pem() + world().server.pem();
    CHECK(read_certificates(both)->size() == 2);
    const auto cut = world().root.pem() + world().server.pem().substr(0, 300);
    const auto failed = read_certificates(cut);
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().detail == "certificate 2 of the text cannot be read");
}

TEST_CASE("a pin is written in base64 or hexadecimal, and names the key") {
    const auto read = info(world().server);
    const auto pin = Pin::parse(read.pin).value();
    CHECK(pin.text() == read.pin);
    CHECK(pin.matches(read));
    CHECK_FALSE(pin.matches(info(world().client)));
    CHECK(Pin::parse("sha256:" + hex(pin.sha256))->matches(read));
    CHECK(Pin::parse(read.pin.substr(11))->matches(read));
    for (const auto* wrong : {"", "pin-sha256:", "pin-sha256:AAAA", "sha1:00", "pin-sha256:\n"}) {
        const auto refused = Pin::parse(wrong);
        REQUIRE_FALSE(refused.has_value());
        CHECK(code_text(refused.error()) == "-9854");
    }
}

}  // namespace
}  // namespace causeway::tls
