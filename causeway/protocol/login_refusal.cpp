#include "causeway/protocol/login_refusal.h"

#include "causeway/base/text.h"
#include "causeway/protocol/reason.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace causeway::protocol {
namespace {

std::string words_of(const HttpResponse& response) {
    const auto words = header_text(response.headers.find("X-Reason").value_or(response.reason));
    return in_quotes(words.empty() ? fmt::format("HTTP status {}", response.status) : words);
}

bool speaks_of_certificate(std::string_view words) {
    return lower(words).find("certificate") != std::string::npos;
}

Error refused(const HttpResponse& response, std::string_view words, bool has_certificate) {
    if (!speaks_of_certificate(words))
        return Error{Vpn::authenticationFailed,
                     fmt::format("the gateway refused the login: {}", words)}
            .because(http_fact(response));
    if (has_certificate)
        return Error{Vpn::clientCertificateInvalid,
                     fmt::format("the gateway cannot use the client certificate: {}", words)}
            .because(http_fact(response));
    return Error{Vpn::clientCertificateInvalid,
                 fmt::format("the gateway wants a client certificate and got none: {}", words)}
        .because(Error{Tls::errSSLClientCertRequested, ""}.because(http_fact(response)));
}

}  // namespace

Error login_refusal(const HttpResponse& response, bool has_certificate) {
    if (const auto reason = read_reason(response.headers, response.reason))
        return reason->error().because(http_fact(response));
    const std::string words = words_of(response);
    if (response.status == 401 || response.status == 403)
        return refused(response, words, has_certificate);
    if (response.status >= 500)
        return Error{
            Vpn::negotiationFailed,
            fmt::format("the server cannot answer the login: {} {}", response.status, words)}
            .because(http_fact(response));
    return Error{
        Vpn::negotiationFailed,
        fmt::format("the server answers the login with {} {}: this is a web server, no VPN "
                    "gateway",
                    response.status, words)}
        .because(http_fact(response));
}

}  // namespace causeway::protocol
