// The rows of the secure channel that the other side reported by an alert of TLS (RFC 8446 section
// 6, RFC 5246 section 7.2): -9802 and -9819..-9840.

#include "causeway/error/catalogue_rows.h"

namespace causeway::rows {
namespace {

using enum Vpn;
using enum Move;
using enum Recovery;

// clang-format off
constexpr auto rows = std::to_array<Entry>({
    row<Tls::errSSLFatalAlert>(
        negotiationFailed, operator_, give_up,
        "The other side ended the session with an alert that has no code of its own; the report "
        "gives its number.",
        "Look in the other side's log at the time in the report: it knows the reason.",
        {{"The other side wants an application protocol (ALPN) that was not offered.",
          "The alert in the report is 120, no_application_protocol."},
         {"The other side's software uses an alert of its own, or a very new one.",
          "Look the number up in the IANA list of TLS alerts."}}),
    row<Tls::errSSLPeerUnexpectedMsg>(
        negotiationFailed, operator_, give_up,
        "The other side says that a message of ours came at the wrong time.",
        "Send the report to the operator together with the other side's log of that moment.",
        {{"Something between the two sides drops, repeats or injects messages.",
          "Try from another network."},
         {"One of the two TLS implementations is faulty.",
          "See whether another client, or another gateway, works."}}),
    row<Tls::errSSLPeerBadRecordMac>(
        negotiationFailed, network, retry,
        "The other side received a record of ours that had been altered, or could not verify it.",
        "Connect again; if it happens again, try from another network.",
        {{"Something on the way damages or alters the traffic.",
          "See whether large uploads over this network also break."},
         {"Memory or a network card is faulty.",
          "`ethtool -S INTERFACE | grep -i err`; switch off its offloads for a try: `ethtool "
          "-K INTERFACE tx off`."},
         {"The two sides count records or derive keys differently: a defect in one of them.",
          "It happens always, and at the same point."}}),
    row<Tls::errSSLPeerDecryptionFail>(
        negotiationFailed, operator_, give_up,
        "The other side says it could not decrypt a record, in words that TLS abolished in 1999.",
        "Find out what answers on that port; no current TLS software sends this alert.",
        {{"The other side is very old, or made to look like it.",
          "Ask the operator for its name and version."},
         {"Something on the way damages the traffic.",
          "Try from another network."}}),
    row<Tls::errSSLPeerRecordOverflow>(
        negotiationFailed, operator_, give_up,
        "The other side says a record of ours was longer than allowed.",
        "Send the report to Causeway's maintainers and to the operator.",
        {{"A device on the way glues records together or alters their lengths.",
          "Try from another network."},
         {"The other side has a lower limit than the standard and did not announce it.",
          "Ask the operator for its name and version."}}),
    row<Tls::errSSLPeerDecompressFail>(
        negotiationFailed, operator_, give_up,
        "The other side says it could not decompress our data, although nothing was compressed.",
        "Find out what answers on that port; Causeway never compresses, so no correct peer sends "
        "this alert.",
        {{"The other side's TLS software is faulty or very old.",
          "Ask the operator for its name and version."},
         {"Something between the two sides rewrites the handshake.",
          "Try from another network."}}),
    row<Tls::errSSLPeerHandshakeFail>(
        negotiationFailed, operator_, give_up,
        "The other side found nothing in the handshake that it could agree to, and does not say "
        "what was missing.",
        "Look in the other side's log at the time in the report: it knows what was missing.",
        {{"There is no cipher suite, group or signature that both allow.",
          "`openssl s_client -connect SERVER:PORT`, and compare what it negotiates with what "
          "the report says was offered."},
         {"The server demands a client certificate and got none.",
          "Ask the operator; give one with `--certificate` and `--key`."},
         {"The server has no certificate of a kind that this side can use.",
          "Ask the operator whether it is RSA, ECDSA or something rarer."}}),
    row<Tls::errSSLPeerBadCert>(
        clientCertificateInvalid, administrator, give_up,
        "The other side cannot read our certificate, or its signature does not verify.",
        "Install the certificate again from the file its issuer delivered.",
        {{"The file was altered, or holds another certificate than the one meant.",
          "`openssl verify -CAfile ISSUER CERTIFICATE`."},
         {"The issuer has a new key under its old name, and the other side knows only one of "
          "the two.",
          "`openssl x509 -in CERTIFICATE -noout -ext authorityKeyIdentifier`; the operator "
          "compares."}}),
    row<Tls::errSSLPeerUnsupportedCert>(
        clientCertificateInvalid, administrator, give_up,
        "The other side does not accept a certificate of our kind.",
        "Have the certificate reissued as the operator says: usually ECDSA P-256 or RSA 2048, "
        "made for clients.",
        {{"It is not meant for this use.",
          "`openssl x509 -in CERTIFICATE -noout -ext extendedKeyUsage`; a client's needs \"TLS"
          " Web Client Authentication\"."},
         {"Its key is of a kind the other side does not know, such as Ed25519.",
          "`openssl x509 -in CERTIFICATE -noout -text | grep 'Public Key Algorithm'`."}}),
    row<Tls::errSSLPeerCertRevoked>(
        clientCertificateInvalid, administrator, give_up,
        "The other side says that our certificate has been revoked by its issuer.",
        "Ask the issuer for a new certificate, and why the old one was revoked.",
        {{"The device or account it was made for was reported lost, or closed.",
          "Ask whoever issues certificates about the serial number in the report."},
         {"It was replaced by a newer one, and the settings still name the old file.",
          "`openssl x509 -in CERTIFICATE -noout -serial -startdate`."}}),
    row<Tls::errSSLPeerCertExpired>(
        clientCertificateExpired, administrator, give_up,
        "The other side says that our certificate is outside its time.",
        "Have the certificate renewed, after a comparison of the clocks of both sides.",
        {{"It has run out.",
          "`openssl x509 -in CERTIFICATE -noout -dates`."},
         {"It is good, and the other side's clock is wrong.",
          "The dates above are right by this machine's clock; ask the operator to check the "
          "other one."}}),
    row<Tls::errSSLPeerCertUnknown>(
        clientCertificateInvalid, administrator, give_up,
        "The other side rejects our certificate and does not say why.",
        "Look in the other side's log at the time in the report: it knows the reason.",
        {{"Any fault of the certificate, from a side that uses one alert for all of them.",
          "`openssl x509 -in CERTIFICATE -noout -dates -issuer -purpose`, item by item with "
          "the operator."},
         {"At a gateway: the client does not trust the gateway's certificate.",
          "The client's own message; give it the authority's certificate."}}),
    row<Tls::errSSLIllegalParam>(
        negotiationFailed, operator_, give_up,
        "The other side says that a value of ours is out of range, or contradicts another one.",
        "Send the report to the operator together with the other side's log of that moment.",
        {{"Something between the two sides rewrites the handshake.",
          "Try from another network."},
         {"One of the two TLS implementations is faulty.",
          "See whether another client, or another gateway, works."}}),
    row<Tls::errSSLPeerUnknownCA>(
        clientCertificateInvalid, administrator, give_up,
        "The other side does not know the authority that issued our certificate.",
        "Use a certificate from an authority that this gateway accepts.",
        {{"The certificate belongs to another gateway or organisation.",
          "`openssl x509 -in CERTIFICATE -noout -issuer`; compare with the issuers in the "
          "report."},
         {"The intermediate certificate between it and the authority was not sent along.",
          "Append it to the certificate's file, behind the certificate itself."},
         {"At a gateway: the client does not have the gateway's own authority.",
          "Give the client that authority's certificate."}}),
    row<Tls::errSSLPeerAccessDenied>(
        clientCertificateInvalid, administrator, give_up,
        "Our certificate is valid, and the other side does not admit its owner.",
        "Ask the operator to admit the name in the certificate.",
        {{"The account was closed, or was never set up on this gateway.",
          "The operator looks for the certificate's subject: `causeway-gateway user list`."},
         {"The certificate carries the user's name in another field than the gateway reads.",
          "`openssl x509 -in CERTIFICATE -noout -subject -ext subjectAltName`."}}),
    row<Tls::errSSLPeerDecodeError>(
        negotiationFailed, operator_, give_up,
        "The other side could not read a message of ours.",
        "Send the report to the operator together with the other side's log of that moment.",
        {{"Something between the two sides alters the traffic.",
          "Try from another network."},
         {"One of the two TLS implementations is faulty, or confused by something new in the "
          "handshake.",
          "See whether another client works; `openssl s_client -connect SERVER:PORT -tls1_2`."}}),
    row<Tls::errSSLPeerDecryptError>(
        clientCertificateInvalid, you, give_up,
        "The other side could not verify a signature or a key confirmation of ours.",
        "Give the private key that belongs to the certificate.",
        {{"The key and the certificate are of different pairs.",
          "`openssl x509 -in CERTIFICATE -noout -pubkey` and `openssl pkey -in KEY -pubout` "
          "must print the same."},
         {"A handshake message was altered on the way.",
          "Try from another network."},
         {"A key that both should share differs.",
          "Connect again, so that a new one is agreed on."}}),
    row<Tls::errSSLPeerExportRestriction>(
        negotiationFailed, operator_, give_up,
        "The other side complains about an export restriction, in words that TLS abolished in "
        "2006.",
        "Find out what answers on that port; no current TLS software sends this alert.",
        {{"The other side is very old, or made to look like it.",
          "Ask the operator for its name and version."}}),
    row<Tls::errSSLPeerProtocolVersion>(
        negotiationFailed, operator_, give_up,
        "The other side does not allow any of the TLS versions that were offered.",
        "Have the version that the report says is missing enabled on one of the two sides.",
        {{"The server speaks only versions older than the policy here allows.",
          "`openssl s_client -connect SERVER:PORT -tls1_2`; the report names the rule."},
         {"The server demands TLS 1.3, and this side is restricted to 1.2.",
          "`openssl s_client -connect SERVER:PORT -tls1_3`."},
         {"The port belongs to another service.",
          "Compare it with what the operator gave you."}}),
    row<Tls::errSSLPeerInsufficientSecurity>(
        negotiationFailed, operator_, give_up,
        "The other side asks for stronger cryptography than was offered.",
        "Have the operator name a cipher suite and group that the gateway accepts, and allow it "
        "here.",
        {{"The gateway demands AES-256, or certain groups only.",
          "`openssl s_client -connect SERVER:PORT -cipher ECDHE-RSA-AES256-GCM-SHA384`."},
         {"The system-wide policy of this machine removes the stronger suites.",
          "`openssl ciphers -v -s`, and MinString and CipherString in /etc/ssl/openssl.cnf."}}),
    row<Tls::errSSLPeerInternalError>(
        negotiationFailed, operator_, retry,
        "The other side failed inside, for a reason of its own.",
        "Try again later, and tell the operator the time in the report.",
        {{"Its certificate or key cannot be used.",
          "The gateway's log from its last start."},
         {"It ran out of memory, or a process behind it is gone.",
          "The gateway's log at the time in the report."}}),
    row<Tls::errSSLPeerUserCancelled>(
        negotiationFailed, operator_, ask_user,
        "The other side called the handshake off; nothing was wrong with it.",
        "Connect again when the other side is ready.",
        {{"A person or program on the other side stopped the connection.",
          "Ask the operator; at a gateway, the client's user."},
         {"The other side was just shutting down.",
          "Try again in a minute."}}),
    row<Tls::errSSLPeerNoRenegotiation>(
        negotiationFailed, operator_, retry,
        "The other side will not change the keys of the running connection.",
        "Let the connection come back by itself with its session; set the rekey method to "
        "new-tunnel to be asked no more.",
        {{"The other side has renegotiation switched off, as most do today.",
          "`openssl s_client -connect SERVER:PORT -tls1_2`, then type R and Enter."},
         {"The gateway's rekey method is \"ssl\", and the client cannot do that.",
          "The X-CSTP-Rekey-Method that the gateway sends, in its configuration."}}),
});
// clang-format on

static_assert(all_differ(rows));

}  // namespace

std::span<const Entry, 23> tls_peer() { return rows; }

}  // namespace causeway::rows
