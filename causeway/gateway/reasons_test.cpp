#include "causeway/gateway/reasons.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

namespace causeway::gateway {
namespace {

TEST_CASE("every reason has a name and a sentence of its own") {
    std::set<std::string_view> names;
    std::set<std::string_view> sentences;
    for (const ReasonRow& each : reasons()) {
        CAPTURE(each.name);
        CHECK(names.insert(each.name).second);
        CHECK(sentences.insert(each.sentence).second);
        CHECK(each.sentence.find_first_of(".\r\n") == std::string_view::npos);
        CHECK(&row(each.reason) == &each);
    }
}

TEST_CASE("whoever is answered over HTTP gets a status that the protocol knows") {
    const std::set<int> known{0, 200, 400, 401, 403, 503};
    for (const ReasonRow& each : reasons()) {
        CAPTURE(each.name);
        CHECK(known.contains(each.login_status));
        CHECK(known.contains(each.connect_status));
        // Stock clients print X-Reason with 503 alone.
        if (each.shown_in == ShownIn::x_reason) CHECK(each.connect_status == 503);
        if (each.shown_in == ShownIn::form) CHECK(each.login_status == 200);
    }
}

TEST_CASE("a refusal carries code, sentence, particulars and the name of its reason") {
    const Error error =
        refusal(Reason::sessions_of_user, "alice may have 2 at once", {{"user", "alice"}});
    CHECK(error.code == Code(Vpn::serverDisconnected));
    CHECK(error.detail == "This user has as many sessions as allowed: alice may have 2 at once");
    CHECK(error.fact("reason") == "sessions-of-user");
    CHECK(error.fact("user") == "alice");
    REQUIRE(reason_of(error));
    CHECK(reason_of(error)->reason == Reason::sessions_of_user);
    CHECK_FALSE(reason_of(Error{Vpn::serverDead, "silence"}));
}

TEST_CASE("name and password are never told apart, and a lock has words of its own") {
    const std::string wrong(row(Reason::wrong_password).sentence);
    CHECK(wrong.find("name or password") != std::string::npos);
    CHECK(row(Reason::user_locked).code == row(Reason::wrong_password).code);
    CHECK(row(Reason::user_locked).sentence.find("locked") != std::string_view::npos);
    CHECK_FALSE(row(Reason::user_locked).counts_for_ban);
    CHECK(row(Reason::wrong_password).counts_for_ban);
}

TEST_CASE("what TLS found in a client certificate decides the reason and stays its cause") {
    const auto reason_for = [](Error fault) {
        const Error error = certificate_refusal(std::move(fault));
        REQUIRE(error.cause);
        return reason_of(error)->name;
    };
    CHECK(reason_for(Error{Tls::errSSLCertExpired, "expired 3 days ago"}) == "certificate-expired");
    CHECK(reason_for(Error{Tls::errSSLCertNotYetValid, ""}) == "certificate-not-yet-valid");
    CHECK(reason_for(Error{Tls::errSSLXCertChainInvalid, ""}.because(
              Error{Trust::errSecCertificateRevoked, "serial 7"})) == "certificate-revoked");
    CHECK(reason_for(Error{Tls::errSSLUnknownRootCert, ""}) == "certificate-untrusted");
    CHECK(reason_for(Error{Tls::errSSLNoRootCert, ""}) == "certificate-untrusted");
    CHECK(reason_for(Error{Tls::errSSLXCertChainInvalid, ""}) == "certificate-unusable");
    CHECK(reason_for(Error{Tls::errSSLCertificateRequired, ""}) == "certificate-missing");

    const Error expired = certificate_refusal(Error{Tls::errSSLCertExpired, "3 days ago"});
    CHECK(expired.code == Code(Vpn::clientCertificateExpired));
    CHECK(expired.detail == "The client certificate has expired: 3 days ago");
}

TEST_CASE("the client is sent the VPN code of the chain and the same sentence") {
    const auto sent = told(refusal(Reason::administrator), 0x5f3a);
    CHECK(sent.code == Vpn::serverDisconnected);
    CHECK(sent.sentence == "An administrator ended the session");
    CHECK(sent.incident == 0x5f3aU);
    CHECK(told(refusal(Reason::user_ended), std::nullopt).code == Vpn::serverDisconnected);
    CHECK(told(refusal(Reason::certificate_expired), 1).code == Vpn::clientCertificateExpired);
}

}  // namespace
}  // namespace causeway::gateway
