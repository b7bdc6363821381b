// The codes: what happened to the connection, to its secure channel, to the machine's VPN service.
//
// A VPN code says what happened to the connection; it may rest on a TLS code, which says what
// happened to the channel (and that on a trust reason, which says what is wrong with a
// certificate), or on a service code, which says what this machine's VPN service refused. At the
// bottom lies a raw fact: an errno, an alert, an HTTP status.
//
// Names and numbers are those of the published vocabularies: NEVPNConnectionError
// (NetworkExtension), Secure Transport's result codes and the trust reasons beside them
// (SecBase.h), and the error codes of a system VPN service. The words to each are in the
// catalogue (catalogue.h); an enumerator without a row there does not compile.

#pragma once

#include <cstdint>
#include <utility>

namespace causeway {

enum class Domain : std::uint8_t {
    // Ours: each code has a row in the catalogue.
    vpn,
    tls,
    trust,
    service,
    // Raw facts; their numbers belong to others.
    system,
    resolver,
    http,
    alert,
    x509,
    process,
};

/// What the user asked for and did not get.
enum class Vpn : std::int32_t {
    overslept = 1,
    noNetworkAvailable = 2,
    unrecoverableNetworkChange = 3,
    configurationFailed = 4,
    serverAddressResolutionFailed = 5,
    serverNotResponding = 6,
    serverDead = 7,
    authenticationFailed = 8,
    clientCertificateInvalid = 9,
    clientCertificateNotYetValid = 10,
    clientCertificateExpired = 11,
    pluginFailed = 12,
    configurationNotFound = 13,
    pluginDisabled = 14,
    negotiationFailed = 15,
    serverDisconnected = 16,
    serverCertificateInvalid = 17,
    serverCertificateNotYetValid = 18,
    serverCertificateExpired = 19,
};

/// What the secure channel ran into. -9819..-9840 were reported by the other side.
enum class Tls : std::int32_t {
    errSSLProtocol = -9800,
    errSSLNegotiation = -9801,
    errSSLFatalAlert = -9802,
    errSSLWouldBlock = -9803,
    errSSLSessionNotFound = -9804,
    errSSLClosedGraceful = -9805,
    errSSLClosedAbort = -9806,
    errSSLXCertChainInvalid = -9807,
    errSSLBadCert = -9808,
    errSSLCrypto = -9809,
    errSSLInternal = -9810,
    errSSLModuleAttach = -9811,
    errSSLUnknownRootCert = -9812,
    errSSLNoRootCert = -9813,
    errSSLCertExpired = -9814,
    errSSLCertNotYetValid = -9815,
    errSSLClosedNoNotify = -9816,
    errSSLBufferOverflow = -9817,
    errSSLBadCipherSuite = -9818,
    errSSLPeerUnexpectedMsg = -9819,
    errSSLPeerBadRecordMac = -9820,
    errSSLPeerDecryptionFail = -9821,
    errSSLPeerRecordOverflow = -9822,
    errSSLPeerDecompressFail = -9823,
    errSSLPeerHandshakeFail = -9824,
    errSSLPeerBadCert = -9825,
    errSSLPeerUnsupportedCert = -9826,
    errSSLPeerCertRevoked = -9827,
    errSSLPeerCertExpired = -9828,
    errSSLPeerCertUnknown = -9829,
    errSSLIllegalParam = -9830,
    errSSLPeerUnknownCA = -9831,
    errSSLPeerAccessDenied = -9832,
    errSSLPeerDecodeError = -9833,
    errSSLPeerDecryptError = -9834,
    errSSLPeerExportRestriction = -9835,
    errSSLPeerProtocolVersion = -9836,
    errSSLPeerInsufficientSecurity = -9837,
    errSSLPeerInternalError = -9838,
    errSSLPeerUserCancelled = -9839,
    errSSLPeerNoRenegotiation = -9840,
    errSSLPeerAuthCompleted = -9841,
    errSSLClientCertRequested = -9842,
    errSSLHostNameMismatch = -9843,
    errSSLConnectionRefused = -9844,
    errSSLDecryptionFail = -9845,
    errSSLBadRecordMac = -9846,
    errSSLRecordOverflow = -9847,
    errSSLBadConfiguration = -9848,
    errSSLUnexpectedRecord = -9849,
    errSSLWeakPeerEphemeralDHKey = -9850,
    errSSLClientHelloReceived = -9851,
    errSSLTransportReset = -9852,
    errSSLNetworkTimeout = -9853,
    errSSLConfigurationFailed = -9854,
    errSSLUnsupportedExtension = -9855,
    errSSLUnexpectedMessage = -9856,
    errSSLDecompressFail = -9857,
    errSSLHandshakeFail = -9858,
    errSSLDecodeError = -9859,
    errSSLInappropriateFallback = -9860,
    errSSLMissingExtension = -9861,
    errSSLBadCertificateStatusResponse = -9862,
    errSSLCertificateRequired = -9863,
    errSSLUnknownPSKIdentity = -9864,
    errSSLUnrecognizedName = -9865,
    errSSLATSViolation = -9880,
    errSSLATSMinimumVersionViolation = -9881,
    errSSLATSCiphersuiteViolation = -9882,
    errSSLATSMinimumKeySizeViolation = -9883,
    errSSLATSLeafCertificateHashAlgorithmViolation = -9884,
    errSSLATSCertificateHashAlgorithmViolation = -9885,
    errSSLATSCertificateTrustViolation = -9886,
    errSSLEarlyDataRejected = -9890,
};

/// What exactly is wrong with a certificate, a key or a file of them.
enum class Trust : std::int32_t {
    errSecUnimplemented = -4,
    errSecDiskFull = -34,
    errSecIO = -36,
    errSecParam = -50,
    errSecAllocate = -108,
    errSecUserCanceled = -128,
    errSecBadReq = -909,
    errSecInternalComponent = -2070,
    errSecNotAvailable = -25291,
    errSecAuthFailed = -25293,
    errSecDuplicateItem = -25299,
    errSecItemNotFound = -25300,
    errSecBufferTooSmall = -25301,
    errSecCreateChainFailed = -25318,
    errSecDecode = -26275,
    errSecInternal = -26276,
    errSecMissingEntitlement = -34018,
    errSecHostNameMismatch = -67602,
    errSecUnknownCriticalExtensionFlag = -67603,
    errSecNoBasicConstraintsCA = -67605,
    errSecInvalidKeyUsageForPolicy = -67608,
    errSecInvalidExtendedKeyUsage = -67609,
    errSecInvalidIDLinkage = -67610,
    errSecPathLengthConstraintExceeded = -67611,
    errSecCRLExpired = -67613,
    errSecCRLNotFound = -67615,
    errSecOCSPBadResponse = -67630,
    errSecOCSPUnavailable = -67632,
    errSecIncompleteCertRevocationCheck = -67635,
    errSecUnsupportedKeySize = -67735,
    errSecInvalidDigestAlgorithm = -67815,
    errSecCertificateExpired = -67818,
    errSecCertificateNotValidYet = -67819,
    errSecCertificateRevoked = -67820,
    errSecNotTrusted = -67843,
    errSecCertificateNameNotAllowed = -67900,
    errSecCertificateValidityPeriodTooLong = -67901,
    errSecCertificateIsCA = -67902,
};

/// What the VPN service of this machine refused.
enum class Service : std::int32_t {
    VPN_CREATION_DENIED = 2203001,
    VPN_ALREADY_EXISTS = 2203002,
    INVALID_SOCKET_FD = 2203004,
    INVALID_PARAMETER_VALUE = 19900001,
    SYSTEM_INTERNAL_ERROR = 19900002,
    PERMISSION_DENIED = 201,
    NOT_SYSTEM_CALLER = 202,
    PROHIBITED_BY_POLICY = 203,
    PARAMETER_ERROR = 401,
    CAPABILITY_NOT_SUPPORTED = 801,
};

/// What the resolver said, or why nothing was said. Up to 99 the numbers are those of a DNS answer
/// (RCODE, RFC 1035 section 4.1.1); above, they are ours.
enum class Resolver : std::int32_t {
    FORMERR = 1,
    SERVFAIL = 2,
    NXDOMAIN = 3,
    NOTIMP = 4,
    REFUSED = 5,
    NODATA = 100,            ///< The name exists, without an address.
    TIMEOUT = 101,           ///< No resolver answered in time.
    UNREACHABLE = 102,       ///< The packet could not be sent, or nothing listens there.
    NO_RESOLVER = 103,       ///< This machine has none configured.
    BAD_ANSWER = 104,        ///< An answer that cannot be read, or to another question.
    NO_USABLE_FAMILY = 105,  ///< Only addresses of a family that this machine does not have.
    BAD_NAME = 106,          ///< Not a name that can be looked up.
};

/// What a failure is called: a code of the catalogue, or a raw fact under one.
///
///     const Code code = Tls::errSSLCertExpired;
///     const Code fact = Code::raw(Domain::system, ECONNREFUSED);
class Code {
public:
    constexpr Code(Vpn code) : Code(Domain::vpn, std::to_underlying(code)) {}
    constexpr Code(Tls code) : Code(Domain::tls, std::to_underlying(code)) {}
    constexpr Code(Trust code) : Code(Domain::trust, std::to_underlying(code)) {}
    constexpr Code(Service code) : Code(Domain::service, std::to_underlying(code)) {}

    constexpr Code(Resolver code) : Code(Domain::resolver, std::to_underlying(code)) {}

    /// A process that ended by itself with that status, or by that signal.
    static constexpr Code exited(int status) { return Code(Domain::process, status); }
    static constexpr Code killed(int signal) { return Code(Domain::process, -signal); }
    /// A fact of one of the raw domains; process: an exit status, or a signal as a negative number.
    static constexpr Code raw(Domain domain, std::int32_t number) { return Code(domain, number); }

    constexpr Domain domain() const { return domain_; }
    constexpr std::int32_t number() const { return number_; }
    constexpr bool operator==(const Code&) const = default;

private:
    constexpr Code(Domain domain, std::int32_t number) : domain_(domain), number_(number) {}

    Domain domain_;
    std::int32_t number_;
};

}  // namespace causeway
