// The rows of the secure channel that concern certificates and keys, found on this side.

#include "causeway/error/catalogue_rows.h"

namespace causeway::rows {
namespace {

using enum Vpn;
using enum Move;
using enum Recovery;

// clang-format off
constexpr auto rows = std::to_array<Entry>({
    row<Tls::errSSLXCertChainInvalid>(
        serverCertificateInvalid, operator_, give_up,
        "The other side's certificate chain does not hold: a link of it breaks a rule, which the "
        "trust reason names.",
        "Have the certificate that the report names by depth and subject reissued according to "
        "the rule.",
        {{"It was issued for another purpose: a client's certificate used for a server, or the"
          " reverse.",
          "`openssl x509 -in CERTIFICATE -noout -purpose`."},
         {"A certificate that is no authority, or only for fewer levels, signed another one.",
          "`openssl x509 -in ISSUER -noout -ext basicConstraints`."},
         {"It was revoked by its issuer.",
          "Ask the issuer about the serial number in the report, or look in its revocation "
          "list."},
         {"A signature in the chain does not verify, for instance after an authority changed "
          "its key under the same name.",
          "`openssl verify -show_chain -untrusted CHAIN CERTIFICATE`."}}),
    row<Tls::errSSLBadCert>(
        serverCertificateInvalid, operator_, give_up,
        "A certificate cannot be read: its bytes are not a certificate that anybody can use.",
        "Install the certificate again from the file its issuer delivered.",
        {{"The file was cut or altered when it was copied.",
          "`openssl x509 -in CERTIFICATE -noout -text` fails at the same place."},
         {"The key in it is of a kind that is not supported.",
          "`openssl x509 -in CERTIFICATE -noout -text` names the public key algorithm."},
         {"Something on the way rewrites the handshake.",
          "Compare the fingerprint in the report with the operator's."}}),
    row<Tls::errSSLUnknownRootCert>(
        serverCertificateInvalid, you, ask_user,
        "The server's chain is complete, and the authority at its end is not trusted on this "
        "machine.",
        "Get the authority's certificate from the operator by a way you trust, and give it with "
        "`--ca FILE`.",
        {{"The gateway uses the organisation's own authority, or one made during installation.",
          "Compare the root's fingerprint in the report with the one the operator tells you."},
         {"The certificate is self-signed.",
          "In the report, subject and issuer are the same; `--pin` accepts exactly this one."},
         {"A firewall that inspects TLS, or a sign-in page, answers in the gateway's place.",
          "The issuer in the report is a product or company you did not expect; try from "
          "another network."},
         {"This machine's store of authorities is old.",
          "`dpkg -l ca-certificates`, then `update-ca-certificates`."}}),
    row<Tls::errSSLNoRootCert>(
        serverCertificateInvalid, operator_, give_up,
        "The server's chain stops short: the certificate of an issuer is neither sent nor known "
        "here.",
        "Have the operator send the whole chain, the intermediate certificates behind the "
        "server's own.",
        {{"The gateway was given the server's certificate without the intermediate ones.",
          "`openssl s_client -connect SERVER:PORT -showcerts` shows fewer certificates than "
          "the chain has."},
         {"The intermediate that is sent is not the one that signed.",
          "Compare issuer and subject, line by line, in that output."},
         {"The authority is the organisation's own, and this machine does not have it.",
          "Give it with `--ca FILE`."}}),
    row<Tls::errSSLCertExpired>(
        serverCertificateExpired, operator_, give_up,
        "A certificate of the other side's chain is past its last day.",
        "Check this machine's clock, then have the certificate that the report names renewed.",
        {{"It was not renewed in time.",
          "`openssl s_client -connect SERVER:PORT </dev/null | openssl x509 -noout -enddate`."},
         {"The renewed file was installed and not loaded.",
          "The serial number in the report is still that of the old certificate."},
         {"An intermediate or root certificate has run out behind a leaf that is still good.",
          "The report names the depth: 0 is the server's own."},
         {"This machine's clock is fast.",
          "`date -u` beside a clock you trust; the report says by how much it would have to be"
          " wrong."}}),
    row<Tls::errSSLCertNotYetValid>(
        serverCertificateNotYetValid, operator_, give_up,
        "A certificate of the other side's chain is before its first day.",
        "Set this machine's clock right; if it is, wait for that day or have the certificate "
        "reissued.",
        {{"This machine's clock is slow.",
          "`date -u` beside a clock you trust; the report says by how much it would have to be"
          " wrong."},
         {"The clock of the machine that issued the certificate was fast.",
          "`openssl x509 -in CERTIFICATE -noout -startdate`."},
         {"A certificate for later was installed early.",
          "Ask the operator when it was meant to be used."}}),
    row<Tls::errSSLClientCertRequested>(
        clientCertificateInvalid, you, ask_user,
        "The server asked for a client certificate, and the settings name none.",
        "Give a certificate and its key with `--certificate` and `--key`.",
        {{"The gateway, or this group of it, signs users in by certificate.",
          "The report lists the issuers that the server accepts; look for a certificate from "
          "one of them."},
         {"A certificate exists, and this profile does not name it.",
          "Compare with the settings of another machine that connects."}}),
    row<Tls::errSSLHostNameMismatch>(
        serverCertificateInvalid, operator_, give_up,
        "The certificate is sound and made out for another name than the one you connect to.",
        "Connect by one of the names that the report lists, if the operator confirms that it is "
        "the same gateway.",
        {{"You connect by address or by a nickname that the certificate does not carry.",
          "The report lists the names in the certificate."},
         {"The certificate carries its name only as the common name, which does not count.",
          "`openssl x509 -in CERTIFICATE -noout -ext subjectAltName` shows no such name."},
         {"The name leads to another server, by an outdated DNS entry or a hosts file.",
          "`getent ahosts NAME`, and `grep NAME /etc/hosts`."},
         {"The server shows a default certificate because it does not know the name.",
          "`openssl s_client -connect ADDRESS:PORT -servername NAME`."}}),
    row<Tls::errSSLBadConfiguration>(
        clientCertificateInvalid, you, give_up,
        "The certificate and key of this side do not serve: they do not belong together, or do "
        "not fit what was agreed.",
        "Give the key that was made with this certificate.",
        {{"The two files are of different pairs, often an old key with a renewed certificate.",
          "`openssl x509 -in CERTIFICATE -noout -pubkey` and `openssl pkey -in KEY -pubout` "
          "must print the same."},
         {"The file holds a chain whose first certificate is not the leaf.",
          "`openssl crl2pkcs7 -nocrl -certfile FILE | openssl pkcs7 -print_certs -noout` lists"
          " them in order."},
         {"The key cannot make a signature of a kind that the other side accepts.",
          "`openssl pkey -in KEY -noout -text | head -1` names its kind and size."}}),
    row<Tls::errSSLBadCertificateStatusResponse>(
        serverCertificateInvalid, operator_, give_up,
        "The proof that the certificate is not revoked (a stapled OCSP answer) is missing where "
        "it is required, out of date, or wrong.",
        "Have the operator refresh the gateway's OCSP answer.",
        {{"The gateway did not fetch a new answer before the old one ran out.",
          "`openssl s_client -connect SERVER:PORT -status </dev/null` shows \"Next Update\"."},
         {"The certificate demands a stapled answer, and the gateway sends none.",
          "`openssl x509 -in CERTIFICATE -noout -text | grep -A1 'TLS Feature'`."},
         {"The answer says the certificate is revoked, or is about another one.",
          "The status and serial number in the report."}}),
    row<Tls::errSSLCertificateRequired>(
        clientCertificateInvalid, administrator, give_up,
        "The server insists on a client certificate, and it was given none.",
        "Get a certificate for this gateway from its operator, and give it with `--certificate` "
        "and `--key`.",
        {{"The settings name no certificate.",
          "`causeway run --help` shows the two options."},
         {"A certificate is there and was not sent, because its issuer is not among those the "
          "server named.",
          "`openssl x509 -in CERTIFICATE -noout -issuer` beside the list in the report."}}),
});
// clang-format on

static_assert(all_differ(rows));

}  // namespace

std::span<const Entry, 11> tls_certificate() { return rows; }

}  // namespace causeway::rows
