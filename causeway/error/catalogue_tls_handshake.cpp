// The rows of the secure channel that concern the handshake and its messages, found on this side.

#include "causeway/error/catalogue_rows.h"

namespace causeway::rows {
namespace {

using enum Vpn;
using enum Move;
using enum Recovery;

// clang-format off
constexpr auto rows = std::to_array<Entry>({
    row<Tls::errSSLProtocol>(
        negotiationFailed, operator_, give_up,
        "The other side sent something that breaks the rules of the protocol, or belongs to "
        "another one.",
        "Check that address and port lead to the VPN gateway; if they do, send the bytes in the "
        "report to its operator.",
        {{"Another service answers on that port: a plain web server, SSH, a mail server.",
          "The report names what was recognised; `curl -v http://SERVER:PORT/` or `nc SERVER "
          "PORT` shows it."},
         {"A sign-in page of the local network answers in the gateway's place.",
          "Open any http:// page in a browser; the report quotes where the answer points."},
         {"A firewall or accelerator on the way alters the traffic.",
          "Try from another network."},
         {"The software of the other side is faulty or very old.",
          "Ask the operator for its name and version."}}),
    row<Tls::errSSLNegotiation>(
        negotiationFailed, operator_, give_up,
        "The two sides have no TLS version or no cipher suite in common.",
        "Compare the lists in the report, and allow on one side what the other one has.",
        {{"One side was restricted, by a policy or a priority string, to what the other does "
          "not have.",
          "The report lists what was offered and what is allowed here."},
         {"One side is too old for TLS 1.2.",
          "`openssl s_client -connect SERVER:PORT -tls1_2`."},
         {"The server's certificate is of a kind (RSA or ECDSA) for which no offered suite is "
          "made.",
          "`openssl s_client -connect SERVER:PORT -cipher ECDHE-RSA-AES256-GCM-SHA384`, then "
          "with ECDHE-ECDSA."}}),
    row<Tls::errSSLSessionNotFound>(
        negotiationFailed, you, retry,
        "The session that was to be resumed is no longer known; a full handshake takes its place.",
        "Sign in again if the connection did not go on by itself.",
        {{"The session is older than the gateway keeps it, or the gateway was restarted.",
          "Compare the time since the last connection with the gateway's timeouts."},
         {"The version or suite of the old session is no longer allowed.",
          "See whether TLS settings were changed since."}}),
    row<Tls::errSSLCrypto>(
        negotiationFailed, machine, retry,
        "A cryptographic operation failed: the library refused a value or could not compute with "
        "it.",
        "Try again; if it happens again, send the report with the library's words to whoever "
        "maintains that side.",
        {{"The other side sent a key share that is not a valid point or number.",
          "It happens with one server only, every time."},
         {"The private key of this side cannot sign.",
          "`openssl dgst -sha256 -sign KEY -out /dev/null /etc/hostname`."},
         {"The library was built or configured without an algorithm that was agreed on.",
          "`openssl list -disabled`, and `openssl version -a`."}}),
    row<Tls::errSSLInternal>(
        negotiationFailed, machine, retry,
        "Causeway's secure channel came into a state that its own rules exclude.",
        "Send the report to Causeway's maintainers; no setting causes this.",
        {{"A defect in Causeway.",
          "See whether a newer version exists: `causeway --version`."},
         {"The TLS library on this machine was replaced while the program ran.",
          "Restart it; `openssl version` shows the library's version."}}),
    row<Tls::errSSLModuleAttach>(
        configurationFailed, administrator, give_up,
        "A cryptographic module that this session needs could not be loaded.",
        "Install or repair the module that the report names.",
        {{"The OpenSSL configuration names a provider that is not installed.",
          "`openssl list -providers`, and the file that `openssl version -d` leads to."},
         {"The module's self-test failed.",
          "`openssl list -providers -verbose` shows its status."}}),
    row<Tls::errSSLBadCipherSuite>(
        negotiationFailed, operator_, give_up,
        "The server chose a cipher suite that was never offered to it.",
        "Tell the operator; a correct server cannot do this.",
        {{"Something between the two sides rewrites the handshake.",
          "Try from another network."},
         {"The server's TLS software is faulty.",
          "Ask the operator for its name and version; the report gives the suite's number."},
         {"A program that uses the C interface enabled a list without a single suite that "
          "exists.",
          "The report then says that nothing was sent."}}),
    row<Tls::errSSLWeakPeerEphemeralDHKey>(
        negotiationFailed, operator_, give_up,
        "The server proposed a Diffie-Hellman group so small that the traffic could be read by "
        "others.",
        "Have the operator switch to elliptic curves, or to a group of 2048 bits or more.",
        {{"The server uses a parameter file of former times.",
          "`openssl s_client -connect SERVER:PORT -cipher DHE </dev/null | grep 'Server Temp "
          "Key'`."},
         {"The server's software has a fixed small group.",
          "Ask the operator for its version; current ones prefer ECDHE."}}),
    row<Tls::errSSLConfigurationFailed>(
        configurationFailed, you, give_up,
        "The TLS settings could not be applied, so no handshake was begun.",
        "Correct the setting or file that the report names.",
        {{"A file of authorities is empty, or holds no certificate that can be read.",
          "`openssl crl2pkcs7 -nocrl -certfile FILE | openssl pkcs7 -print_certs -noout`."},
         {"The private key is encrypted, and no password was given for it.",
          "`head -1 KEY`; give it with `--key-password-file`."},
         {"The lowest version allowed is above the highest, or a name of a suite or group is "
          "misspelt.",
          "The report quotes the value; `openssl ciphers -v` and `openssl ecparam "
          "-list_curves` list the names."}}),
    row<Tls::errSSLUnsupportedExtension>(
        negotiationFailed, operator_, give_up,
        "The handshake carried an extension that was not asked for, or not allowed in that "
        "message.",
        "Tell the operator; the report gives the extension's number.",
        {{"Something between the two sides rewrites the handshake.",
          "Try from another network."},
         {"The TLS software of the side that sent it is faulty.",
          "Ask for its name and version."}}),
    row<Tls::errSSLUnexpectedMessage>(
        negotiationFailed, operator_, give_up,
        "A message of the handshake arrived out of its order.",
        "Tell the operator; the report names the message and what was due instead.",
        {{"The TLS software of the other side is faulty.",
          "Ask for its name and version, and whether other clients connect."},
         {"Something between the two sides drops or injects messages.",
          "Try from another network."}}),
    row<Tls::errSSLDecompressFail>(
        negotiationFailed, operator_, give_up,
        "The other side chose compression, which was not offered, or sent compressed data that do"
        " not expand.",
        "Have compression switched off on the other side; TLS does not use it any more.",
        {{"The other side's TLS software is from before 2012 and compresses.",
          "`openssl s_client -connect SERVER:PORT </dev/null | grep Compression`."},
         {"Something between the two sides rewrites the handshake.",
          "Try from another network."}}),
    row<Tls::errSSLHandshakeFail>(
        negotiationFailed, operator_, give_up,
        "Version and suite were agreed on, and then a further thing both must have in common was "
        "missing: a key exchange group or a kind of signature.",
        "Compare the groups and signatures in the report, and allow on one side what the other "
        "one has.",
        {{"One side allows only groups that the other does not have.",
          "`openssl s_client -connect SERVER:PORT -groups X25519:P-256:P-384`."},
         {"The other side's certificate can only sign in a way that is no longer accepted, "
          "such as with SHA-1.",
          "`openssl s_client -connect SERVER:PORT </dev/null | grep 'signing digest'`."}}),
    row<Tls::errSSLDecodeError>(
        negotiationFailed, operator_, give_up,
        "A message of the other side cannot be read: it is not built as its protocol prescribes.",
        "Check that the server is the VPN gateway you mean; if it is, send the bytes in the "
        "report to its operator.",
        {{"Another kind of server answers, and speaks another protocol inside TLS.",
          "`openssl s_client -quiet -connect SERVER:PORT`, and see what it says."},
         {"The software of the other side is faulty.",
          "Ask for its name and version, and whether other clients connect."},
         {"Something between the two sides alters the traffic.",
          "Try from another network."},
         {"It is an attempt to make the program fail.",
          "See whether the address in the report belongs to anybody you know."}}),
    row<Tls::errSSLInappropriateFallback>(
        negotiationFailed, network, retry,
        "A connection was tried with an older TLS version than both sides have, which looks like "
        "somebody forcing the older one.",
        "Connect again from another network; if it stays, tell the operator.",
        {{"A first attempt failed for a passing reason, and the client then tried an older "
          "version.",
          "Try once more; it is then gone."},
         {"Something between the two sides lowers the version on purpose.",
          "Try from another network."},
         {"A load balancer in front of the gateway speaks an older version than the gateway "
          "itself.",
          "`openssl s_client -connect SERVER:PORT` beside the same on the gateway's own "
          "address."}}),
    row<Tls::errSSLMissingExtension>(
        negotiationFailed, operator_, give_up,
        "The handshake lacks an extension that this version of TLS requires.",
        "Tell the operator; the report names the extension.",
        {{"The TLS software of the side that left it out is faulty.",
          "Ask for its name and version."},
         {"Something between the two sides strips extensions it does not know.",
          "Try from another network."}}),
    row<Tls::errSSLUnknownPSKIdentity>(
        negotiationFailed, operator_, retry,
        "The gateway does not know the key by which the second (UDP) channel was to be opened.",
        "Connect again, so that both sides agree on a new key.",
        {{"The gateway was restarted, and the session's key went with it.",
          "Ask the operator; `causeway-gateway sessions` shows since when each one stands."},
         {"The UDP packets reach another machine than the TLS connection, behind a load "
          "balancer.",
          "Ask the operator whether UDP and TCP of the port go to the same gateway."}}),
    row<Tls::errSSLUnrecognizedName>(
        negotiationFailed, operator_, give_up,
        "The server does not serve the name that was asked for.",
        "Check the name; if it is right, have the operator add it to the server.",
        {{"The name is misspelt, or an old one.",
          "`openssl s_client -connect SERVER:PORT -servername NAME`."},
         {"The name leads to a shared front end that was not told about this gateway.",
          "Ask the operator which names the front end knows."}}),
});
// clang-format on

static_assert(all_differ(rows));

}  // namespace

std::span<const Entry, 18> tls_handshake() { return rows; }

}  // namespace causeway::rows
