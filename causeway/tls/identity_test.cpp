#include "causeway/tls/identity.h"

#include "causeway/tls/verdict.h"
#include "tests/support/tls_world.h"

#include <doctest/doctest.h>

#include <string>

namespace causeway::tls {
namespace {

using namespace causeway::test;

TEST_CASE("a certificate and its key make an identity, in any order of the chain") {
    const auto middle = issue(authority_plan("Middle"), world().root);
    const auto leaf = issue(server_plan("vpn.example.com"), middle);
    const auto made =
        Identity::from_pem(world().root.pem() + middle.pem() + leaf.pem(), leaf.key_pem());
    REQUIRE(made.has_value());
    REQUIRE(made->chain().size() == 3);
    CHECK(made->certificate().subject == "CN=vpn.example.com");
    CHECK(made->chain()[1].subject == "CN=Middle");
    CHECK(made->chain()[2].subject == "CN=Test Root");
}

TEST_CASE("certificate and key may be in one text") {
    const auto text = world().client.pem() + std::string(world().client.key_pem().reveal());
    CHECK(Identity::from_pem(text, Secret(text)).has_value());
}

TEST_CASE("an encrypted key needs its password") {
    const auto& client = world().client;
    const auto key = client.encrypted_key_pem("open sesame");
    CHECK(Identity::from_pem(client.pem(), key, Secret("open sesame")).has_value());
    const auto wrong = Identity::from_pem(client.pem(), key, Secret("open barley"));
    REQUIRE_FALSE(wrong.has_value());
    CHECK(code_text(wrong.error()) == "-9854 <- -25293");
    CHECK(wrong.error().detail == "the password does not open the private key");
    CHECK(vpn_code_of_identity(wrong.error()) == Vpn::clientCertificateInvalid);
    const auto none = Identity::from_pem(client.pem(), key);
    REQUIRE_FALSE(none.has_value());
    CHECK(code_text(none.error()) == "-9854 <- -25293");
    CHECK(none.error().detail == "the private key is encrypted and no password for it was given");
}

TEST_CASE("a key of another certificate is refused by name") {
    const auto made = Identity::from_pem(world().client.pem(), world().server.key_pem());
    REQUIRE_FALSE(made.has_value());
    CHECK(code_text(made.error()) == "-9848");
    CHECK(made.error().fact("subject") == "CN=User anna,UID=anna,OU=staff");
    CHECK(vpn_code_of_identity(made.error()) == Vpn::clientCertificateInvalid);
}

TEST_CASE("what is no certificate or no key is told apart") {
    const auto& client = world().client;
    const auto no_certificate = Identity::from_pem("hello", client.key_pem());
    REQUIRE_FALSE(no_certificate.has_value());
    CHECK(code_text(no_certificate.error()) == "-9808 <- -26275");
    CHECK(no_certificate.error().detail == "the text holds no certificate");
    auto damaged = client.pem();
    damaged[100] = damaged[100] == 'A' ? 'B' : 'A';
    damaged.erase(160, 4);
    CHECK(code_text(Identity::from_pem(damaged, client.key_pem()).error()) == "-9808 <- -26275");
    const auto no_key = Identity::from_pem(client.pem(), Secret("hello"));
    REQUIRE_FALSE(no_key.has_value());
    CHECK(code_text(no_key.error()) == "-9808 <- -26275");
    CHECK(no_key.error().detail == "the text holds no private key that can be read");
}

TEST_CASE("dates are checked on request, and are the user's own") {
    auto plan = client_plan("old");
    plan.not_after = test_now - std::chrono::hours(36);
    const auto old = identity_of(issue(plan, world().root)).check_dates(test_now);
    REQUIRE_FALSE(old.has_value());
    CHECK(code_text(old.error()) == "-9814 <- -67818 <- 10");
    CHECK(vpn_code_of_identity(old.error()) == Vpn::clientCertificateExpired);
    CHECK(old.error().fact("clock_would_have_to_be_off") == "1 day 12 hours ahead");

    plan = client_plan("new");
    plan.not_before = test_now + std::chrono::hours(1);
    const auto young = identity_of(issue(plan, world().root)).check_dates(test_now);
    REQUIRE_FALSE(young.has_value());
    CHECK(vpn_code_of_identity(young.error()) == Vpn::clientCertificateNotYetValid);

    CHECK(identity_of(world().client).check_dates(test_now).has_value());
}

TEST_CASE("an identity knows whether a server that names issuers can accept it") {
    const auto own = identity_of(world().client);
    const std::string good[] = {"CN=Somebody", "CN=Test Root"};
    const std::string bad[] = {"CN=Somebody"};
    CHECK(own.is_issued_by_any(good));
    CHECK_FALSE(own.is_issued_by_any(bad));
    CHECK(own.is_issued_by_any({}));
}

}  // namespace
}  // namespace causeway::tls
