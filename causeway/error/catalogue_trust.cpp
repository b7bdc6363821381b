// The rows of the trust reasons: what exactly is wrong with a certificate, a key, a file of them,
// or with the machinery that judges them.

#include "causeway/error/catalogue_rows.h"

namespace causeway::rows {
namespace {

using enum Vpn;
using enum Move;
using enum Recovery;

// clang-format off
constexpr auto rows = std::to_array<Entry>({

    // The machinery

    row<Trust::errSecUnimplemented>(
        configurationFailed, machine, give_up,
        "What was asked for does not exist in this version.",
        "Do without it, or use a version that has it.",
        {{"A program calls a function that is kept for its name only.",
          "The report names the function."}}),
    row<Trust::errSecDiskFull>(
        configurationFailed, administrator, give_up,
        "There was no room on the disk to store the file that the report names.",
        "Make room on that disk.",
        {{"The disk is full.",
          "`df -h DIRECTORY`."},
         {"The user's quota, or the number of files, is used up.",
          "`quota`, and `df -i DIRECTORY`."}}),
    row<Trust::errSecIO>(
        configurationFailed, administrator, give_up,
        "A file, or the transport below the channel, failed with an input or output error.",
        "Look at the system's reason in the report.",
        {{"The file's disk or network share fails.",
          "`dmesg | tail`, and `cat FILE >/dev/null`."},
         {"A program's own transport reported an error it could not name.",
          "That program's log."}}),
    row<Trust::errSecParam>(
        configurationFailed, machine, give_up,
        "A program called the secure channel with an argument that makes no sense.",
        "Correct the argument that the report names.",
        {{"An option, number or length is out of range.",
          "The report quotes it."},
         {"A call for datagrams was made on a stream, or the reverse.",
          "The kind of channel it was created as."}}),
    row<Trust::errSecAllocate>(
        configurationFailed, machine, retry,
        "There was not enough memory.",
        "Free memory or allow the program more of it, then try again.",
        {{"The machine's memory is used up.",
          "`free -m`, and `journalctl -k -g 'Out of memory'`."},
         {"A limit on this program is too low.",
          "`cat /proc/PID/limits`, and the memory.max of its control group."}}),
    row<Trust::errSecUserCanceled>(
        authenticationFailed, you, ask_user,
        "The user stopped it.",
        "Start again when you are ready to answer.",
        {{"Somebody pressed Ctrl-C, or closed the prompt.",
          "Nothing else needs to be looked at."},
         {"A program ended the connection while it was being built.",
          "`journalctl` at the time in the report."}}),
    row<Trust::errSecBadReq>(
        configurationFailed, machine, give_up,
        "A program made a call that the channel's present state does not allow.",
        "Correct the order of calls in that program.",
        {{"A setting was changed after the handshake had begun.",
          "The report names the call and the state."},
         {"Data were written before the handshake.",
          "The report names the call and the state."}}),
    row<Trust::errSecInternalComponent>(
        configurationFailed, machine, give_up,
        "A library below the secure channel failed for a reason that has no translation.",
        "Send the library's own words, in the report, to whoever maintains this installation.",
        {{"The cryptographic library is damaged or half upgraded.",
          "`openssl version -a`, and `dpkg -V libssl3`."}}),
    row<Trust::errSecInternal>(
        configurationFailed, machine, give_up,
        "The part that judges certificates came into a state that its own rules exclude.",
        "Send the report to Causeway's maintainers; no setting causes this.",
        {{"A defect in Causeway.",
          "See whether a newer version exists: `causeway --version`."}}),
    row<Trust::errSecMissingEntitlement>(
        configurationFailed, administrator, give_up,
        "A token or key store does not let this process use its keys.",
        "Give the user or service that runs Causeway the right to use it.",
        {{"The device belongs to another user or group.",
          "`ls -l` on the device the report names, and `id`."},
         {"A desktop's key store is locked.",
          "Unlock it, then try again."}}),

    // Files and keys

    row<Trust::errSecNotAvailable>(
        configurationFailed, administrator, give_up,
        "There is no store of trusted authorities, so no server can be trusted.",
        "Install the package ca-certificates, or give the gateway's authority with `--ca FILE`.",
        {{"The package is not installed, as in many small containers.",
          "`ls /etc/ssl/certs | head`."},
         {"The file or directory that the settings name does not exist or is empty.",
          "`ls -l` on the path in the report."}}),
    row<Trust::errSecAuthFailed>(
        clientCertificateInvalid, you, ask_user,
        "The password for the private key, or the PIN of the token, is wrong.",
        "Enter the key's own password, which is seldom the one of the account.",
        {{"It is mistyped, or the file of the password ends in something that belongs to it.",
          "`openssl pkey -in KEY -noout`, and `od -c FILE | tail -2`."},
         {"The password was changed on another copy of the key.",
          "Try the newest copy."}}),
    row<Trust::errSecDuplicateItem>(
        configurationFailed, you, ask_user,
        "It exists already, and was not added a second time.",
        "Use the one that exists, or remove it first.",
        {{"The same certificate, pin or profile was added before.",
          "The report names the one that exists."}}),
    row<Trust::errSecItemNotFound>(
        configurationFailed, you, give_up,
        "The certificate, key or identity that the settings name does not exist.",
        "Correct the path or name that the report quotes.",
        {{"The file was moved, renamed or misspelt.",
          "`ls -l FILE`."},
         {"The token that holds it is not plugged in.",
          "`p11tool --list-tokens`."}}),
    row<Trust::errSecBufferTooSmall>(
        configurationFailed, machine, give_up,
        "A packet or answer is larger than the buffer that was offered for it.",
        "Raise the size that the report names, or lower the MTU.",
        {{"The MTU is larger than the datagram the channel may send.",
          "`ip link show`, and the MTU in the report."},
         {"A program offers too small a buffer.",
          "The report says how much is needed."}}),
    row<Trust::errSecDecode>(
        clientCertificateInvalid, you, give_up,
        "A file is not what its name promises: it cannot be read as a certificate, key or "
        "revocation list.",
        "Replace the file that the report names by a good copy in PEM or DER form.",
        {{"It is in another format, such as PKCS#12.",
          "`file FILE`; `openssl pkcs12 -in FILE -out NEW.pem` converts it."},
         {"It was cut or altered when it was copied.",
          "`openssl x509 -in FILE -noout`, or `openssl pkey -in FILE -noout`."},
         {"Certificate and key were exchanged.",
          "`head -1 FILE` says which one it is."}}),

    // What is wrong with a certificate

    row<Trust::errSecCreateChainFailed>(
        serverCertificateInvalid, operator_, give_up,
        "The certificate of an issuer is missing, so the chain does not reach an authority.",
        "Have the missing intermediate certificate sent behind the server's own.",
        {{"The server was given its own certificate only.",
          "`openssl s_client -connect SERVER:PORT -showcerts`."},
         {"A wrong or outdated intermediate is sent.",
          "Compare issuer and subject, line by line, in that output."}}),
    row<Trust::errSecHostNameMismatch>(
        serverCertificateInvalid, operator_, give_up,
        "None of the names in the certificate is the one that was asked for.",
        "Connect by one of the certificate's names, if the operator confirms that it is the same "
        "gateway.",
        {{"The gateway is reached by an address or alias that the certificate does not carry.",
          "`openssl x509 -in CERTIFICATE -noout -ext subjectAltName`."},
         {"The name leads to another server.",
          "`getent ahosts NAME`."}}),
    row<Trust::errSecUnknownCriticalExtensionFlag>(
        serverCertificateInvalid, operator_, give_up,
        "The certificate says: refuse me unless you understand this extension, and it is not "
        "understood here.",
        "Have the certificate reissued without that extension, or with it not marked critical.",
        {{"The issuing authority adds an extension of its own.",
          "`openssl x509 -in CERTIFICATE -noout -text | grep -A1 critical`."}}),
    row<Trust::errSecNoBasicConstraintsCA>(
        serverCertificateInvalid, operator_, give_up,
        "A certificate signed another one without being an authority itself.",
        "Have the certificate issued by a real authority.",
        {{"Somebody signed with an ordinary server or user certificate.",
          "`openssl x509 -in ISSUER -noout -ext basicConstraints` does not say CA:TRUE."},
         {"A home-made authority was created without that mark.",
          "The same; create it again with CA:TRUE."}}),
    row<Trust::errSecInvalidKeyUsageForPolicy>(
        serverCertificateInvalid, operator_, give_up,
        "The key usage in the certificate does not permit what it was used for.",
        "Have the certificate reissued with the key usage digitalSignature (an issuer's: "
        "keyCertSign).",
        {{"It was made from a template for another purpose.",
          "`openssl x509 -in CERTIFICATE -noout -ext keyUsage`."}}),
    row<Trust::errSecInvalidExtendedKeyUsage>(
        serverCertificateInvalid, operator_, give_up,
        "The certificate was issued for another purpose than the one it is used for.",
        "Have the certificate reissued: a gateway's for server authentication, a user's for "
        "client authentication.",
        {{"A user's certificate was installed on the server, or the reverse.",
          "`openssl x509 -in CERTIFICATE -noout -ext extendedKeyUsage`."},
         {"An issuer in the chain is limited to another purpose.",
          "The same for each certificate of the chain."}}),
    row<Trust::errSecInvalidIDLinkage>(
        serverCertificateInvalid, operator_, give_up,
        "A certificate names another issuer, or another key of it, than the one that stands above"
        " it in the chain.",
        "Have the operator send the issuer's certificate that fits.",
        {{"The authority has renewed its key, and the older or newer certificate of it is "
          "sent.",
          "`openssl x509 -noout -ext subjectKeyIdentifier,authorityKeyIdentifier -in "
          "CERTIFICATE`, for both."}}),
    row<Trust::errSecPathLengthConstraintExceeded>(
        serverCertificateInvalid, operator_, give_up,
        "More authorities stand below one in the chain than it is allowed to have.",
        "Have the certificate issued by an authority at a level that may do so.",
        {{"A department's authority made another one, which its own certificate forbids.",
          "`openssl x509 -in ISSUER -noout -ext basicConstraints` shows pathlen."}}),
    row<Trust::errSecCRLExpired>(
        serverCertificateInvalid, administrator, retry,
        "The list of revoked certificates is out of date, so nothing can be said about this one.",
        "Fetch the newest list from the authority.",
        {{"The job that fetches the list has stopped working.",
          "`openssl crl -in FILE -noout -nextupdate`."},
         {"The authority publishes no new one.",
          "Ask the authority."},
         {"This machine's clock is fast.",
          "`date -u` beside a clock you trust."}}),
    row<Trust::errSecCRLNotFound>(
        serverCertificateInvalid, administrator, give_up,
        "A list of revoked certificates is required, and there is none for this issuer.",
        "Add the list of that issuer to the configured file.",
        {{"The file holds the lists of other authorities only.",
          "`openssl crl -in FILE -noout -issuer` beside the issuer in the report."}}),
    row<Trust::errSecOCSPBadResponse>(
        serverCertificateInvalid, operator_, give_up,
        "The answer about the certificate's revocation that the server sent along cannot be used.",
        "Have the operator fetch a new OCSP answer for the gateway.",
        {{"It is out of date.",
          "`openssl s_client -connect SERVER:PORT -status </dev/null` shows \"Next Update\"."},
         {"It is about another certificate, or signed by somebody who may not.",
          "The serial number and the signer in the same output."}}),
    row<Trust::errSecOCSPUnavailable>(
        serverCertificateInvalid, operator_, retry,
        "Proof that the certificate is not revoked is required, and it could not be had.",
        "Have the operator staple an OCSP answer, which spares every client the question.",
        {{"The server sends no answer along.",
          "`openssl s_client -connect SERVER:PORT -status </dev/null` says \"no response "
          "sent\"."},
         {"The authority's responder cannot be reached.",
          "`openssl x509 -in CERTIFICATE -noout -ocsp_uri`, then `curl` that address."}}),
    row<Trust::errSecIncompleteCertRevocationCheck>(
        serverCertificateInvalid, administrator, give_up,
        "Whether the certificate is revoked could not be decided, and the settings demand that it"
        " is.",
        "Provide a revocation list for every issuer of the chain, or a stapled answer.",
        {{"There is a list for the server's issuer and none for the intermediate's.",
          "The report names the depth that is not covered."},
         {"Neither a list nor an answer exists.",
          "Ask the authority how it publishes revocations."}}),
    row<Trust::errSecUnsupportedKeySize>(
        serverCertificateInvalid, operator_, give_up,
        "The key in the certificate is too small to be safe.",
        "Have the certificate reissued with RSA 2048, ECDSA P-256 or larger.",
        {{"It was made long ago, or by an old script.",
          "`openssl x509 -in CERTIFICATE -noout -text | grep 'Public-Key'`."}}),
    row<Trust::errSecInvalidDigestAlgorithm>(
        serverCertificateInvalid, operator_, give_up,
        "The certificate is signed by way of a hash for which forgeries can be made.",
        "Have the certificate reissued with SHA-256 or better.",
        {{"The authority still signs with SHA-1 or MD5.",
          "`openssl x509 -in CERTIFICATE -noout -text | grep 'Signature Algorithm'`."}}),
    row<Trust::errSecCertificateExpired>(
        serverCertificateExpired, operator_, give_up,
        "The last day of the certificate has passed.",
        "Check this machine's clock, then ask the gateway's operator to renew the certificate.",
        {{"It was not renewed in time.",
          "`openssl x509 -in CERTIFICATE -noout -enddate`."},
         {"The clock that judges it is fast.",
          "`date -u` beside a clock you trust."}}),
    row<Trust::errSecCertificateNotValidYet>(
        serverCertificateNotYetValid, operator_, give_up,
        "The first day of the certificate has not come.",
        "Set this machine's clock right; if it is right, tell the gateway's operator.",
        {{"The clock that judges it is slow.",
          "`date -u` beside a clock you trust."},
         {"The certificate is for later.",
          "`openssl x509 -in CERTIFICATE -noout -startdate`."}}),
    row<Trust::errSecCertificateRevoked>(
        serverCertificateInvalid, operator_, give_up,
        "The authority has revoked the certificate.",
        "Do not enter a password; tell the gateway's operator that the certificate has to be "
        "replaced.",
        {{"Its key was lost or stolen, or its owner has left.",
          "Ask the authority about the serial number in the report."},
         {"It was replaced, and the old one is still in use.",
          "`openssl x509 -in CERTIFICATE -noout -serial -startdate`."}}),
    row<Trust::errSecNotTrusted>(
        serverCertificateInvalid, you, ask_user,
        "The chain ends in an authority that is not trusted here.",
        "Give the authority's certificate with `--ca FILE`, after comparing its fingerprint with "
        "the operator's.",
        {{"The authority is the organisation's own.",
          "`openssl s_client -connect SERVER:PORT -showcerts` shows its name."},
         {"Something between here and the server answers in its place.",
          "The issuer in the report is one you did not expect."}}),
    row<Trust::errSecCertificateNameNotAllowed>(
        serverCertificateInvalid, operator_, give_up,
        "An authority in the chain may issue certificates for certain names only, and this name "
        "is not among them.",
        "Have the certificate issued by an authority that may use this name.",
        {{"The gateway moved to a new domain, and the authority is bound to the old one.",
          "`openssl x509 -in ISSUER -noout -ext nameConstraints`."}}),
    row<Trust::errSecCertificateValidityPeriodTooLong>(
        serverCertificateInvalid, operator_, give_up,
        "The certificate is made out for a longer time than the policy allows.",
        "Have the certificate reissued for a shorter time.",
        {{"It was issued for many years, as home-made ones often are.",
          "`openssl x509 -in CERTIFICATE -noout -dates`."}}),
    row<Trust::errSecCertificateIsCA>(
        serverCertificateInvalid, operator_, give_up,
        "The certificate of an authority is used as the server's own.",
        "Have a certificate of its own issued for the server.",
        {{"A self-made authority was installed on the gateway for want of another certificate.",
          "`openssl x509 -in CERTIFICATE -noout -ext basicConstraints` says CA:TRUE."}}),
});
// clang-format on

static_assert(all_differ(rows));
static_assert(rows.size() ==
              enumerators_from<Trust, -299, 300>() + enumerators_from<Trust, -999, 100>() +
                  enumerators_from<Trust, -2099, 100>() + enumerators_from<Trust, -25399, 200>() +
                  enumerators_from<Trust, -26299, 100>() + enumerators_from<Trust, -34099, 100>() +
                  enumerators_from<Trust, -67999, 400>());

}  // namespace

std::span<const Entry, 38> trust() { return rows; }

}  // namespace causeway::rows
