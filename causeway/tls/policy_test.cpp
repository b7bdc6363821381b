#include "causeway/tls/policy.h"

#include "causeway/tls/alert.h"
#include "causeway/tls/verdict.h"

#include <doctest/doctest.h>

namespace causeway::tls {
namespace {

TEST_CASE("versions are read as people write them, and never guessed") {
    CHECK(parse_version("1.2") == Version::tls_1_2);
    CHECK(parse_version("TLS 1.3") == Version::tls_1_3);
    CHECK(parse_version("tlsv1.0") == Version::tls_1_0);
    CHECK_FALSE(parse_version("1.4").has_value());
    CHECK_FALSE(parse_version("TLS1,2").has_value());
    CHECK_FALSE(parse_version("").has_value());
    CHECK(name(Version::tls_1_2) == "TLS 1.2");
    CHECK(name(static_cast<Version>(0x0505)) == "version 0x0505");
}

TEST_CASE("thirteen suites keep the past secret") {
    int count = 0;
    for (int suite = 0; suite < 65536; ++suite)
        count += has_forward_secrecy(static_cast<std::uint16_t>(suite));
    CHECK(count == 13);
    CHECK(has_forward_secrecy(0x1301));
    CHECK(has_forward_secrecy(0xC02F));
    CHECK_FALSE(has_forward_secrecy(0x009C));  // Static RSA.
    CHECK_FALSE(has_forward_secrecy(0x009E));  // DHE.
}

TEST_CASE("alerts have their names") {
    CHECK(alert_name(40) == "handshake_failure");
    CHECK(alert_name(116) == "certificate_required");
    CHECK(alert_name(7) == "unassigned");
}

Vpn shown(Tls code, bool in_session = false, Facts facts = {}) {
    return vpn_code(Error{code, {}}, facts, in_session);
}

TEST_CASE("a failure of the channel is shown as what it is to the user") {
    CHECK(shown(Tls::errSSLCertExpired) == Vpn::serverCertificateExpired);
    CHECK(shown(Tls::errSSLCertNotYetValid) == Vpn::serverCertificateNotYetValid);
    CHECK(shown(Tls::errSSLHostNameMismatch) == Vpn::serverCertificateInvalid);
    CHECK(shown(Tls::errSSLATSCertificateTrustViolation) == Vpn::serverCertificateInvalid);
    CHECK(shown(Tls::errSSLATSCiphersuiteViolation) == Vpn::negotiationFailed);
    CHECK(shown(Tls::errSSLATSMinimumVersionViolation) == Vpn::negotiationFailed);
    CHECK(shown(Tls::errSSLProtocol) == Vpn::negotiationFailed);
    CHECK(shown(Tls::errSSLPeerProtocolVersion) == Vpn::negotiationFailed);
    CHECK(shown(Tls::errSSLConnectionRefused) == Vpn::serverNotResponding);
    CHECK(shown(Tls::errSSLNetworkTimeout) == Vpn::serverNotResponding);
    CHECK(shown(Tls::errSSLNetworkTimeout, true) == Vpn::serverDead);
    CHECK(shown(Tls::errSSLTransportReset, true) == Vpn::serverDead);
    CHECK(shown(Tls::errSSLClosedGraceful, true) == Vpn::serverDisconnected);
    CHECK(shown(Tls::errSSLPeerCertExpired) == Vpn::clientCertificateExpired);
    CHECK(shown(Tls::errSSLConfigurationFailed) == Vpn::configurationFailed);
}

TEST_CASE("an alert about certificates is about ours only where one was asked for") {
    Facts asked;
    asked.certificate_requested = true;
    Facts sent = asked;
    sent.certificate_sent = true;
    CHECK(shown(Tls::errSSLPeerUnknownCA) == Vpn::negotiationFailed);
    CHECK(shown(Tls::errSSLPeerUnknownCA, false, sent) == Vpn::clientCertificateInvalid);
    CHECK(shown(Tls::errSSLCertificateRequired, false, asked) == Vpn::clientCertificateInvalid);
    CHECK(shown(Tls::errSSLPeerHandshakeFail, false, asked) == Vpn::clientCertificateInvalid);
    CHECK(shown(Tls::errSSLPeerHandshakeFail, false, sent) == Vpn::negotiationFailed);
    CHECK(shown(Tls::errSSLPeerHandshakeFail) == Vpn::negotiationFailed);
}

}  // namespace
}  // namespace causeway::tls
