// The rows of the secure channel that the transport policy refuses: -9880..-9886.

#include "causeway/error/catalogue_rows.h"

namespace causeway::rows {
namespace {

using enum Vpn;
using enum Move;
using enum Recovery;

// clang-format off
constexpr auto rows = std::to_array<Entry>({
    row<Tls::errSSLATSViolation>(
        negotiationFailed, operator_, give_up,
        "The connection breaks the transport policy in a way that has no number of its own.",
        "Have the server meet the rule that the report names, or make an exception for this one "
        "gateway.",
        {{"The policy demands proof that the certificate is publicly logged, and there is "
          "none.",
          "`openssl x509 -in CERTIFICATE -noout -ext ct_precert_scts`."},
         {"A connection without TLS was asked for.",
          "The address begins with http:// where https:// is required."}}),
    row<Tls::errSSLATSMinimumVersionViolation>(
        negotiationFailed, operator_, give_up,
        "The server speaks only a TLS version older than the policy allows.",
        "Have the operator enable TLS 1.2 or 1.3 on the gateway.",
        {{"The gateway's software or its configuration is from before TLS 1.2.",
          "`openssl s_client -connect SERVER:PORT -tls1_2` fails, and with `-tls1_1` it "
          "answers."},
         {"A proxy in front of the gateway speaks the older version.",
          "Compare with the gateway's own address, from its own network."},
         {"The policy here asks for more than usual.",
          "The report names the version found and the version wanted."}}),
    row<Tls::errSSLATSCiphersuiteViolation>(
        negotiationFailed, operator_, give_up,
        "The cipher suite has no forward secrecy or is obsolete: whoever gets the server's key "
        "later could read today's traffic.",
        "Have the operator enable the ECDHE suites on the gateway.",
        {{"The gateway is restricted to suites with plain RSA key exchange, 3DES or RC4.",
          "`openssl s_client -connect SERVER:PORT -tls1_2 -cipher ECDHE` fails."},
         {"An inspecting firewall on the way lowers the suite.",
          "Compare the suite in the report with the one seen from another network."}}),
    row<Tls::errSSLATSMinimumKeySizeViolation>(
        serverCertificateInvalid, operator_, give_up,
        "A key in the server's chain is too small: RSA below 2048 bits, or an elliptic curve "
        "below 256.",
        "Have the certificate that the report names reissued with a larger key.",
        {{"The certificate was made long ago, or by a script of long ago.",
          "`openssl x509 -in CERTIFICATE -noout -text | grep 'Public-Key'`."},
         {"The issuer's key, not the server's, is the small one.",
          "The report names the depth: 0 is the server's own."}}),
    row<Tls::errSSLATSLeafCertificateHashAlgorithmViolation>(
        serverCertificateInvalid, operator_, give_up,
        "The server's own certificate is signed by way of a hash that can be forged, such as "
        "SHA-1.",
        "Have the certificate reissued with SHA-256.",
        {{"The authority that issued it still signs with SHA-1 or MD5.",
          "`openssl x509 -in CERTIFICATE -noout -text | grep 'Signature Algorithm'`."},
         {"The certificate is an old one that was never replaced.",
          "`openssl x509 -in CERTIFICATE -noout -startdate`."}}),
    row<Tls::errSSLATSCertificateHashAlgorithmViolation>(
        serverCertificateInvalid, operator_, give_up,
        "An issuer's certificate in the server's chain is signed by way of a hash that can be "
        "forged, such as SHA-1.",
        "Have the operator send a chain through an intermediate certificate signed with SHA-256.",
        {{"The authority has a newer intermediate, and the gateway still sends the old one.",
          "`openssl s_client -connect SERVER:PORT -showcerts`, then look at each one's "
          "signature algorithm."},
         {"The organisation's own authority was made long ago.",
          "The report names the depth and the subject."}}),
    row<Tls::errSSLATSCertificateTrustViolation>(
        serverCertificateInvalid, operator_, give_up,
        "The server's key is not one of those that were pinned for it, or its issuer is not one "
        "that the policy trusts.",
        "Ask the operator for the present fingerprint, by a way you trust, before you change the "
        "pin.",
        {{"The gateway got a new key since the pin was taken.",
          "The report shows both pins; ask the operator which one is current."},
         {"Something between here and the gateway answers in its place.",
          "The issuer in the report is not the one you know; try from another network."},
         {"The pin was copied wrongly.",
          "`openssl x509 -in CERTIFICATE -noout -pubkey | openssl pkey -pubin -outform DER | "
          "openssl dgst -sha256 -binary | base64`."}}),
});
// clang-format on

static_assert(all_differ(rows));

}  // namespace

std::span<const Entry, 7> tls_policy() { return rows; }

}  // namespace causeway::rows
