#include "causeway/tls/verdict.h"

#include "causeway/tls/alert.h"

namespace causeway::tls {
namespace {

bool is_about_our_certificate(Tls code) {
    switch (code) {
        case Tls::errSSLPeerBadCert:
        case Tls::errSSLPeerUnsupportedCert:
        case Tls::errSSLPeerCertRevoked:
        case Tls::errSSLPeerCertUnknown:
        case Tls::errSSLPeerUnknownCA:
        case Tls::errSSLPeerAccessDenied:
        case Tls::errSSLPeerDecryptError:
        case Tls::errSSLCertificateRequired: return true;
        default: return false;
    }
}

Vpn code_of_channel(Tls code, const Facts& facts, bool in_session) {
    const bool is_ours = facts.certificate_requested || facts.certificate_sent;
    switch (code) {
        case Tls::errSSLCertExpired: return Vpn::serverCertificateExpired;
        case Tls::errSSLCertNotYetValid: return Vpn::serverCertificateNotYetValid;
        case Tls::errSSLXCertChainInvalid:
        case Tls::errSSLBadCert:
        case Tls::errSSLUnknownRootCert:
        case Tls::errSSLNoRootCert:
        case Tls::errSSLHostNameMismatch:
        case Tls::errSSLBadCertificateStatusResponse:
        case Tls::errSSLATSMinimumKeySizeViolation:
        case Tls::errSSLATSLeafCertificateHashAlgorithmViolation:
        case Tls::errSSLATSCertificateHashAlgorithmViolation:
        case Tls::errSSLATSCertificateTrustViolation: return Vpn::serverCertificateInvalid;
        case Tls::errSSLPeerCertExpired: return Vpn::clientCertificateExpired;
        case Tls::errSSLConnectionRefused:
        case Tls::errSSLNetworkTimeout:
        case Tls::errSSLClosedAbort:
        case Tls::errSSLClosedNoNotify:
        case Tls::errSSLTransportReset:
            return in_session ? Vpn::serverDead : Vpn::serverNotResponding;
        case Tls::errSSLClosedGraceful:
            return in_session ? Vpn::serverDisconnected : Vpn::serverNotResponding;
        case Tls::errSSLBadConfiguration: return Vpn::clientCertificateInvalid;
        case Tls::errSSLConfigurationFailed: return Vpn::configurationFailed;
        default: break;
    }
    if (is_about_our_certificate(code) && is_ours) return Vpn::clientCertificateInvalid;
    // A server of TLS 1.2 has only alert 40 to say that it wanted a certificate.
    if (code == Tls::errSSLPeerHandshakeFail && facts.certificate_requested &&
        !facts.certificate_sent)
        return Vpn::clientCertificateInvalid;
    return in_session ? Vpn::serverDead : Vpn::negotiationFailed;
}

}  // namespace

Vpn vpn_code(const Error& failure, const Facts& facts, bool in_session) {
    const Error* channel = failure.find(Domain::tls);
    if (!channel) return in_session ? Vpn::serverDead : Vpn::negotiationFailed;
    return code_of_channel(static_cast<Tls>(channel->code.number()), facts, in_session);
}

Vpn vpn_code_of_identity(const Error& failure) {
    const Error* channel = failure.find(Domain::tls);
    if (!channel) return Vpn::configurationFailed;
    switch (static_cast<Tls>(channel->code.number())) {
        case Tls::errSSLCertExpired: return Vpn::clientCertificateExpired;
        case Tls::errSSLCertNotYetValid: return Vpn::clientCertificateNotYetValid;
        case Tls::errSSLBadCert:
        case Tls::errSSLBadConfiguration: return Vpn::clientCertificateInvalid;
        default: break;
    }
    return failure.find(Code(Trust::errSecAuthFailed)) ? Vpn::clientCertificateInvalid
                                                       : Vpn::configurationFailed;
}

}  // namespace causeway::tls
