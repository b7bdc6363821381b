#include "causeway/tls/chain.h"

#include "tests/support/tls_world.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace causeway::tls {
namespace {

using namespace causeway::test;
using std::chrono::days;

struct Shown {
    Issued leaf;
    std::vector<Issued> issuers;
};

/// What our client makes of a server that shows these certificates.
Seen meet(const Shown& shown, ClientSettings settings, std::string name = "vpn.example.com") {
    const auto context = raw_server_context(shown.leaf, shown.issuers);
    RawPeer peer(context.get(), true);
    auto client = client_stream(std::move(settings), std::move(name));
    Seen seen;
    connect(client, seen, peer);
    return seen;
}

CertificatePlan with(CertificatePlan plan, std::string key, std::string value) {
    std::erase_if(plan.extensions, [&](const auto& extension) { return extension.first == key; });
    plan.extensions.emplace_back(std::move(key), std::move(value));
    return plan;
}

CertificatePlan dated(CertificatePlan plan, WallTime from, WallTime to) {
    plan.not_before = from;
    plan.not_after = to;
    return plan;
}

CertificatePlan hashed(CertificatePlan plan, std::string hash) {
    plan.hash = std::move(hash);
    return plan;
}

CertificatePlan keyed(CertificatePlan plan, std::string key) {
    plan.key = std::move(key);
    return plan;
}

CertificatePlan spoiled(CertificatePlan plan) {
    plan.is_signature_wrong = true;
    return plan;
}

const auto past = std::pair{test_now - days(30), test_now - days(3)};
const auto future = std::pair{test_now + days(2), test_now + days(30)};

CertificatePlan site() { return server_plan("vpn.example.com"); }

Shown direct(const CertificatePlan& leaf) { return {issue(leaf, world().root), {}}; }

/// A leaf below an issuer that is below the world's root.
Shown below(const CertificatePlan& issuer_plan, const CertificatePlan& leaf_plan = site()) {
    const auto issuer = issue(issuer_plan, world().root);
    return {issue(leaf_plan, issuer), {issuer}};
}

TEST_CASE("each fault of a chain has its own code, reason and alert") {
    struct Case {
        std::string_view what;
        Shown shown;
        std::string codes;
        std::string_view alert;
        std::string_view depth = "0";
    };
    const auto middle = authority_plan("Middle");
    const auto foreign_root = self_signed(authority_plan("Foreign Root"));
    const auto absent = issue(authority_plan("Absent"), world().root);
    const auto second =
        issue(with(middle, "basicConstraints", "critical,CA:TRUE,pathlen:0"), world().root);
    const auto third = issue(authority_plan("Third"), second);
    const std::vector<Case> cases = {
        {"expired leaf", direct(dated(site(), past.first, past.second)), "-9814 <- -67818 <- 10",
         "45"},
        {"expired issuer", below(dated(middle, past.first, past.second)), "-9814 <- -67818 <- 10",
         "45", "1"},
        {"leaf not yet valid", direct(dated(site(), future.first, future.second)),
         "-9815 <- -67819 <- 9", "42"},
        {"issuer not yet valid", below(dated(middle, future.first, future.second)),
         "-9815 <- -67819 <- 9", "42", "1"},
        {"another name", direct(server_plan("other.example.com")), "-9843 <- -67602 <- 62", "46"},
        {"only a common name",
         direct({.subject = {{"CN", "vpn.example.com"}},
                 .extensions = {{"extendedKeyUsage", "serverAuth"}}}),
         "-9843 <- -67602 <- 62", "46"},
        {"foreign root sent along",
         {issue(site(), foreign_root), {foreign_root}},
         "-9812 <- -67843 <- 19",
         "48",
         "1"},
        {"signed by itself", {self_signed(site()), {}}, "-9812 <- -67843 <- 18", "48"},
        {"missing issuer", {issue(site(), absent), {}}, "-9813 <- -25318 <- 20", "48"},
        {"for clients only", direct(with(site(), "extendedKeyUsage", "clientAuth")),
         "-9807 <- -67609 <- 26", "43"},
        {"issued by one that is no authority",
         below(with(with(middle, "basicConstraints", "critical,CA:FALSE"), "keyUsage",
                    "digitalSignature")),
         "-9807 <- -67605 <- 79", "48", "1"},
        {"path too long",
         {issue(site(), third), {third, second}},
         "-9807 <- -67611 <- 25",
         "48",
         "2"},
        {"a name that the issuer may not certify",
         below(with(middle, "nameConstraints", "critical,permitted;DNS:example.org")),
         "-9807 <- -67900 <- 47", "46"},
        {"unknown critical extension", direct(with(site(), "1.2.3.4", "critical,ASN1:NULL")),
         "-9807 <- -67603 <- 34", "46"},
        {"wrong signature", direct(spoiled(site())), "-9807 <- 7", "51"},
        {"SHA-1 under the leaf", direct(hashed(site(), "SHA1")), "-9884 <- -67815 <- 68", "42"},
        {"SHA-1 under an issuer", below(hashed(middle, "SHA1")), "-9885 <- -67815 <- 68", "42",
         "1"},
        {"RSA of 1024 bits", direct(keyed(site(), "RSA-1024")), "-9883 <- -67735 <- 66", "42"},
        {"a curve of 224 bits above the leaf", below(keyed(middle, "P-224")),
         "-9883 <- -67735 <- 67", "42", "1"},
    };
    for (const auto& one : cases) {
        CAPTURE(one.what);
        auto settings = client_settings();
        settings.policy.maximum_version = Version::tls_1_2;  // Whose alerts all peers can read.
        const auto seen = meet(one.shown, settings);
        REQUIRE(seen.failure.has_value());
        CHECK(code_text(seen.failure) == one.codes);
        CHECK(seen.failure->fact("alert") == one.alert);
        CHECK(seen.failure->fact("alert_from") == "local");
        CHECK(seen.failure->fact("depth") == one.depth);
        CHECK_FALSE(seen.failure->fact("subject").empty());
        CHECK(seen.failure->fact("pin").starts_with("pin-sha256:"));
        CHECK_FALSE(seen.failure->detail.empty());
    }
}

TEST_CASE("a right chain passes, with and without issuers between") {
    CHECK_FALSE(meet(direct(site()), client_settings()).failure.has_value());
    CHECK_FALSE(meet(below(authority_plan("Middle")), client_settings()).failure.has_value());
}

TEST_CASE("an expired root counts, though it is trusted") {
    const auto root = self_signed(dated(authority_plan("Old Root"), past.first, past.second));
    auto settings = client_settings();
    settings.trust.authorities = root.pem();
    const auto seen = meet({issue(site(), root), {}}, settings);
    CHECK(code_text(seen.failure) == "-9814 <- -67818 <- 10");
    REQUIRE(seen.failure.has_value());
    CHECK(seen.failure->fact("depth") == "1");
    CHECK(seen.failure->fact("subject") == "CN=Old Root");
}

TEST_CASE("a date fault says both dates and how wrong the clock would have to be") {
    const auto seen = meet(direct(dated(site(), past.first, past.second)), client_settings());
    REQUIRE(seen.failure.has_value());
    CHECK(seen.failure->detail == "the certificate of vpn.example.com expired 3 days ago");
    CHECK(seen.failure->fact("not_after") == "2026-11-17T00:00:00Z");
    CHECK(seen.failure->fact("clock_would_have_to_be_off") == "3 days ahead");
}

TEST_CASE("of several faults the origin is told first, the others are listed") {
    auto plan = dated(server_plan("other.example.com"), past.first, past.second);
    const auto seen = meet({self_signed(plan), {}}, client_settings());
    REQUIRE(seen.failure.has_value());
    CHECK(code_text(seen.failure) == "-9812 <- -67843 <- 18");
    CHECK(seen.failure->fact("also") ==
          "the certificate of other.example.com expired 3 days ago; "
          "the certificate is for other.example.com, not for vpn.example.com");
}

TEST_CASE("an address is looked for among the addresses, not among the names") {
    const auto addressed = direct(with(site(), "subjectAltName", "DNS:a.example,IP:192.0.2.1"));
    CHECK_FALSE(meet(addressed, client_settings(), "192.0.2.1").failure.has_value());
    const auto seen = meet(direct(site()), client_settings(), "192.0.2.1");
    REQUIRE(seen.failure.has_value());
    CHECK(code_text(seen.failure) == "-9843 <- -67602 <- 64");
    CHECK(seen.failure->detail ==
          "the certificate is for vpn.example.com, not for the address 192.0.2.1");
    CHECK(meet(direct(with(site(), "subjectAltName", "DNS:192.0.2.1")), client_settings(),
               "192.0.2.1")
              .failure.has_value());
}

TEST_CASE("wildcards stand for one label") {
    const auto wild = direct(server_plan("*.example.com"));
    CHECK_FALSE(meet(wild, client_settings(), "vpn.example.com").failure.has_value());
    CHECK_FALSE(meet(wild, client_settings(), "VPN.EXAMPLE.COM.").failure.has_value());
    CHECK(meet(wild, client_settings(), "a.vpn.example.com").failure.has_value());
    CHECK(meet(wild, client_settings(), "example.com").failure.has_value());
}

TEST_CASE("a pin suffices for issuer and name, never for dates, and a wrong one fails all") {
    auto settings = client_settings();
    settings.trust.authorities.clear();
    settings.trust.system_store = false;
    const auto own = self_signed(server_plan("other.example.com"));
    const auto old = self_signed(dated(site(), past.first, past.second));
    const auto pin_of = [](const Issued& issued) {
        return Pin::parse(CertificateInfo::from_pem(issued.pem())->pin).value();
    };

    settings.trust.pins = {pin_of(world().root), pin_of(own)};
    CHECK(meet({own, {}}, settings).story == "completed");

    settings.trust.pins = {pin_of(old)};
    CHECK(code_text(meet({old, {}}, settings).failure) == "-9814 <- -67818 <- 10");

    const auto seen = meet({own, {}}, settings);
    REQUIRE(seen.failure.has_value());
    CHECK(code_text(seen.failure) == "-9886 <- -67843");
    CHECK(seen.failure->fact("wanted") == pin_of(old).text());
    CHECK(seen.failure->fact("found") == pin_of(own).text());
}

TEST_CASE("a trusted chain does not make up for a wrong pin") {
    auto settings = client_settings();
    settings.trust.pins = {Pin{sha256(as_bytes("another key"))}};
    CHECK(code_text(meet(direct(site()), settings).failure) == "-9886 <- -67843");
}

TEST_CASE("revocation lists revoke, and must cover the leaf and be current") {
    const auto leaf = issue(site(), world().root);
    auto settings = client_settings(Version::tls_1_2);
    settings.trust.revocation_lists = revocation_list(world().root, {});
    CHECK_FALSE(meet({leaf, {}}, settings).failure.has_value());

    settings.trust.revocation_lists = revocation_list(world().root, {&leaf});
    const auto revoked = meet({leaf, {}}, settings);
    CHECK(code_text(revoked.failure) == "-9807 <- -67820 <- 23");
    REQUIRE(revoked.failure.has_value());
    CHECK(revoked.failure->fact("alert") == "44");

    settings.trust.revocation_lists = revocation_list(world().root, {}, test_now - days(1));
    CHECK(code_text(meet({leaf, {}}, settings).failure) == "-9807 <- -67613 <- 12");

    const auto other = self_signed(authority_plan("Other"));
    settings.trust.revocation_lists = revocation_list(other, {});
    CHECK(code_text(meet({leaf, {}}, settings).failure) == "-9807 <- -67615 <- 3");
}

TEST_CASE("an exception of the policy lets exactly that pass") {
    auto settings = client_settings();
    settings.policy.leaf_hash_sha256 = false;
    CHECK_FALSE(meet(direct(hashed(site(), "SHA1")), settings).failure.has_value());
    CHECK(code_text(meet(below(hashed(authority_plan("Middle"), "SHA1")), settings).failure) ==
          "-9885 <- -67815 <- 68");
    settings = client_settings();
    settings.policy.rsa_bits = 1024;
    CHECK_FALSE(meet(direct(keyed(site(), "RSA-1024")), settings).failure.has_value());
}

TEST_CASE("the clock of a stream is the one it was given, moved on") {
    const auto context = raw_server_context(direct(site()).leaf);
    RawPeer peer(context.get(), true);
    Stream client(
        Context::client(client_settings()).value(),
        {.server_name = "vpn.example.com", .now = test_start - days(31), .wall_now = test_now});
    client.feed({}, test_start);
    Seen seen;
    connect(client, seen, peer);
    CHECK(code_text(seen.failure) == "-9814 <- -67818 <- 10");
}

}  // namespace
}  // namespace causeway::tls
