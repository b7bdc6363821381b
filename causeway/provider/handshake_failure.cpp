#include "causeway/provider/handshake_failure.h"

#include "causeway/base/text.h"
#include "causeway/tls/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace causeway::provider {
namespace {

Error certificate_disliked(const Settings& settings, const std::string& host,
                           const tls::Facts& facts, Error failure) {
    const auto& own = settings.identity->certificate();
    Error error{Vpn::clientCertificateInvalid,
                fmt::format("{} closed the connection without a word when it saw our certificate",
                            printable(host))};
    error.with("subject", own.subject).with("issuer", own.issuer);
    if (settings.identity->is_issued_by_any(facts.acceptable_issuers)) {
        error.with("candidates",
                   "the certificate is revoked; the gateway does not know its issuer; the "
                   "gateway's clock is outside its dates; its user is not allowed");
    } else {
        error.detail = fmt::format(
            "{} asks for a certificate of {}, ours is issued by {}, and it closed the connection",
            printable(host), printable(join(facts.acceptable_issuers, " or ")),
            printable(own.issuer));
        error.with("acceptable_issuers", join(facts.acceptable_issuers, "; "));
    }
    return std::move(error).because(std::move(failure));
}

Error certificate_missed(const std::string& host, const tls::Facts& facts, Error failure) {
    Error asked{Tls::errSSLClientCertRequested,
                "the gateway asked for a certificate and none was sent"};
    if (!facts.acceptable_issuers.empty())
        asked.with("acceptable_issuers", join(facts.acceptable_issuers, "; "));
    return Error{
        Vpn::clientCertificateInvalid,
        fmt::format("{} asked for a client certificate, got none, and closed the connection",
                    printable(host))}
        .because(std::move(asked).because(std::move(failure)));
}

}  // namespace

bool is_silent_end(const Error& failure) {
    constexpr std::array<Code, 4> silent{Tls::errSSLClosedNoNotify, Tls::errSSLClosedAbort,
                                         Tls::errSSLTransportReset, Tls::errSSLClosedGraceful};
    return std::ranges::find(silent, failure.code) != silent.end() &&
           failure.find(Domain::alert) == nullptr;
}

bool is_broken(const Error& failure) {
    return failure.find(Domain::alert) != nullptr ||
           (!is_silent_end(failure) && !failure.find(Tls::errSSLNetworkTimeout));
}

Error handshake_failure(const Settings& settings, const std::string& host, const tls::Facts& facts,
                        Error failure) {
    const bool silent = is_silent_end(failure);
    if (silent && facts.certificate_sent && settings.identity)
        return certificate_disliked(settings, host, facts, std::move(failure));
    if (silent && facts.certificate_requested && !facts.certificate_sent)
        return certificate_missed(host, facts, std::move(failure));

    const auto code = tls::vpn_code(failure, facts, false);
    const bool never_spoke =
        !facts.peer_spoke && (silent || failure.code == Code(Tls::errSSLConnectionRefused));
    // The channel's own sentence is the particulars; only silence needs one of ours.
    Error error{code, failure.detail};
    error.with("server", host);
    if (never_spoke) {
        error.detail =
            fmt::format("{} accepted the connection and closed it without a word", printable(host));
        error.with("candidates",
                   "no TLS version or cipher suite in common; the gateway is full; this address is "
                   "banned there; no VPN gateway behind this port");
    }
    return std::move(error).because(std::move(failure));
}

}  // namespace causeway::provider
