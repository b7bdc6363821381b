"""A server that ends the handshake with one alert: each has its own report (rows A0 to A255)."""

from lab.alert_server import AlertServer
from lab.client import Client
from rows import row

# Those with a code of their own, and three that share errSSLFatalAlert: without meaning here, with
# a name, and without a name.
CODES = {
    10: "errSSLPeerUnexpectedMsg", 20: "errSSLPeerBadRecordMac", 21: "errSSLPeerDecryptionFail",
    22: "errSSLPeerRecordOverflow", 30: "errSSLPeerDecompressFail", 40: "errSSLPeerHandshakeFail",
    42: "errSSLPeerBadCert", 43: "errSSLPeerUnsupportedCert", 44: "errSSLPeerCertRevoked",
    45: "errSSLPeerCertExpired", 46: "errSSLPeerCertUnknown", 47: "errSSLIllegalParam",
    48: "errSSLPeerUnknownCA", 49: "errSSLPeerAccessDenied", 50: "errSSLPeerDecodeError",
    51: "errSSLPeerDecryptError", 60: "errSSLPeerExportRestriction",
    70: "errSSLPeerProtocolVersion", 71: "errSSLPeerInsufficientSecurity",
    80: "errSSLPeerInternalError", 86: "errSSLInappropriateFallback",
    90: "errSSLPeerUserCancelled", 100: "errSSLPeerNoRenegotiation",
    109: "errSSLMissingExtension", 110: "errSSLUnsupportedExtension",
    112: "errSSLUnrecognizedName", 113: "errSSLBadCertificateStatusResponse",
    115: "errSSLUnknownPSKIdentity", 116: "errSSLCertificateRequired",
    0: "errSSLFatalAlert", 120: "errSSLFatalAlert", 200: "errSSLFatalAlert",
}
# These speak of a certificate: ours, or a staple to the server's.
OF_CERTIFICATES = {45: "clientCertificateExpired", 113: "serverCertificateInvalid",
                   116: "clientCertificateInvalid"}


def register(number, code):
    @row(f"A{number}", f"the handshake is answered with alert {number}",
         "|".join(["negotiationFailed", OF_CERTIFICATES.get(number, "negotiationFailed")]), code,
         family=f"alert {number}", having=[f'"{number}"|{number}'])
    def answered_with_alert(scene):
        client, server = scene.pair()
        scene.keep(AlertServer(server, 443, number))
        return Client(scene, client, "https://vpn.test/").report()


for one, its_code in CODES.items():
    register(one, its_code)
