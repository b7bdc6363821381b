#include "causeway/provider/handshake_failure.h"

#include <doctest/doctest.h>

namespace causeway::provider {
namespace {

const Settings settings;

Error closed() { return {Tls::errSSLClosedNoNotify, "the gateway closed the connection"}; }

}  // namespace

TEST_CASE("a gateway that asks for a certificate and hangs up wanted one") {
    tls::Facts facts;
    facts.peer_spoke = facts.certificate_requested = true;
    facts.acceptable_issuers = {"CN=Staff"};
    const auto error = handshake_failure(settings, "vpn.example.com", facts, closed());
    CHECK(error.code == Code(Vpn::clientCertificateInvalid));
    CHECK(error.find(Code(Tls::errSSLClientCertRequested)) != nullptr);
    CHECK(error.find(Code(Tls::errSSLClosedNoNotify)) != nullptr);
    CHECK(error.fact("acceptable_issuers") == "CN=Staff");
}

TEST_CASE("a gateway that hangs up before its first byte may have several reasons, all listed") {
    const auto error =
        handshake_failure(settings, "vpn.example.com", {},
                          {Tls::errSSLConnectionRefused, "closed before the first byte"});
    CHECK(error.code == Code(Vpn::serverNotResponding));
    CHECK(error.fact("candidates").find("no TLS version") != std::string_view::npos);
}

TEST_CASE("an alert speaks for itself, whether a certificate was asked for or not") {
    tls::Facts facts;
    facts.peer_spoke = facts.certificate_requested = true;
    const auto alert = Error{Tls::errSSLPeerHandshakeFail, "handshake_failure"}.because(
        {Code::raw(Domain::alert, 40), ""});
    CHECK_FALSE(is_silent_end(alert));
    const auto error = handshake_failure(settings, "vpn.example.com", facts, alert);
    CHECK(error.fact("candidates").empty());
    CHECK(error.find(Code(Tls::errSSLPeerHandshakeFail)) != nullptr);
}

}  // namespace causeway::provider
