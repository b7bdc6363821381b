#include "causeway/protocol/connect_request.h"

#include "causeway/base/text.h"
#include "causeway/protocol/cookie.h"
#include "causeway/protocol/datagram_suites.h"
#include "causeway/protocol/http_writer.h"
#include "causeway/protocol/limits.h"

#include <fmt/format.h>
#include <string.h>

#include <utility>

namespace causeway::protocol {
namespace {

constexpr std::string_view tunnel_path = "/CSCOSSLC/tunnel";

std::string address_types(const ConnectRequest& request) {
    if (request.wants_v4 && request.wants_v6) return "IPv6,IPv4";
    return request.wants_v4 ? "IPv4" : "IPv6";
}

/// A number a client sent; nothing there is 0.
Result<int> number_of(const Headers& headers, std::string_view name) {
    const auto value = headers.find(name);
    if (!value) return 0;
    const auto number = parse_number(*value, 0, 65535);
    if (!number)
        return fail(Vpn::negotiationFailed,
                    fmt::format("the header {} of the client is no number of 0 to 65535: “{}”",
                                name, printable(value->substr(0, 80))),
                    {{"http_status", "400"}, {"header", std::string(name)}});
    return *number;
}

std::string text_of(const Headers& headers, std::string_view name) {
    return header_text(headers.find(name).value_or(""), name_limit);
}

/// The families a client names; without the header, both.
Result<void> read_families(const Headers& headers, ConnectRequest& request) {
    request.knows_v6_headers = headers.lists("X-CSTP-Full-IPv6-Capability", "true");
    if (!headers.find("X-CSTP-Address-Type")) return {};
    request.wants_v4 = headers.lists("X-CSTP-Address-Type", "IPv4");
    request.wants_v6 = headers.lists("X-CSTP-Address-Type", "IPv6");
    if (request.wants_v4 || request.wants_v6) return {};
    return fail(Vpn::negotiationFailed, "the client asks for neither IPv4 nor IPv6",
                {{"http_status", "400"}, {"header", "X-CSTP-Address-Type"}});
}

/// What a client says about datagrams. What cannot be read is not there: such a client gets no
/// datagram channel, and a tunnel all the same.
void read_datagram_wishes(const Headers& headers, ConnectRequest& request) {
    const auto list = [&](std::string_view name) {
        return header_text(headers.find(name).value_or(""), suite_list_limit);
    };
    request.datagram_ciphers = list("X-DTLS-CipherSuite");
    request.datagram12_ciphers = list("X-DTLS12-CipherSuite");
    request.is_own_end = headers.find("X-Causeway-Datagram") == "1";
    request.bundles = headers.find("X-Causeway-Bundle") == "1";
    auto secret = from_hex(headers.find("X-DTLS-Master-Secret").value_or(""));
    if (!secret) return;
    if (secret->size() == master_secret_size)
        request.master_secret = Secret(std::string(as_text(*secret)));
    if (!secret->empty()) explicit_bzero(secret->data(), secret->size());
}

void write_datagram_wishes(const ConnectRequest& request, Headers& headers) {
    if (!request.master_secret.empty())
        headers.add("X-DTLS-Master-Secret", hex(as_bytes(request.master_secret.reveal())));
    if (!request.datagram_ciphers.empty())
        headers.add("X-DTLS-CipherSuite", request.datagram_ciphers);
    if (!request.datagram12_ciphers.empty())
        headers.add("X-DTLS12-CipherSuite", request.datagram12_ciphers);
    if (request.is_own_end) headers.add("X-Causeway-Datagram", "1");
    if (request.bundles) headers.add("X-Causeway-Bundle", "1");
}

// The client's side of a refusal

std::string said(const HttpResponse& response) {
    const auto words = response.headers.find("X-Reason").value_or(response.reason);
    return words.empty() ? fmt::format("HTTP status {}", response.status)
                         : fmt::format("“{}”", printable(header_text(words)));
}

std::unexpected<Error> refuse_cookie(const HttpResponse& response, std::string_view candidates) {
    Error error{
        Vpn::authenticationFailed,
        fmt::format("the gateway does not accept the cookie of this session: {}", said(response)),
        {{"reauthenticate", "yes"}}};
    if (!candidates.empty()) error.with("candidates", std::string(candidates));
    return std::unexpected(std::move(error).because(http_fact(response)));
}

std::unexpected<Error> refuse_response(const HttpResponse& response) {
    if (const auto reason = read_reason(response.headers, response.reason)) {
        Error error = reason->error();
        // With a cookie that is not good any more, logging in again is what helps.
        if (reason->code == Vpn::authenticationFailed || response.status == 401)
            error.with("reauthenticate", "yes");
        return std::unexpected(std::move(error).because(http_fact(response)));
    }
    const bool gives_reason = response.headers.find("X-Reason").has_value();
    if (response.status == 401)
        return refuse_cookie(response,
                             "cookie expired or unknown; too many sessions of this user; address "
                             "pool empty");
    if (response.status == 503 && !gives_reason)
        return refuse_cookie(response, "cookie missing or unreadable; gateway misconfigured");
    if (response.status == 403 || response.status == 405) return refuse_cookie(response, "");
    const Code code = response.status == 503 ? Vpn::serverDisconnected : Vpn::negotiationFailed;
    return fail(code, fmt::format("the gateway refused to open the tunnel: {}", said(response)),
                http_fact(response));
}

}  // namespace

Secret write_connect_request(const ConnectRequest& request) {
    HttpRequest http;
    http.method = "CONNECT";
    http.target = tunnel_path;
    Headers& headers = http.headers;
    headers.add("Host", request.host);
    headers.add("User-Agent", request.user_agent);
    headers.add("Cookie", "webvpn=" + std::string(request.cookie.reveal()));
    headers.add("X-CSTP-Version", "1");
    if (!request.hostname.empty()) headers.add("X-CSTP-Hostname", request.hostname);
    if (request.base_mtu != 0) headers.add("X-CSTP-Base-MTU", std::to_string(request.base_mtu));
    if (request.mtu != 0) headers.add("X-CSTP-MTU", std::to_string(request.mtu));
    headers.add("X-CSTP-Address-Type", address_types(request));
    if (request.knows_v6_headers) headers.add("X-CSTP-Full-IPv6-Capability", "true");
    for (const IpAddress& address : request.wished_addresses)
        headers.add("X-CSTP-Address", address.text());
    write_datagram_wishes(request, headers);
    return Secret(write_request(http));
}

bool is_connect(const HttpRequest& request) { return request.method == "CONNECT"; }

Result<ConnectRequest> read_connect_request(const HttpRequest& request) {
    if (!is_connect(request) || request.path() != tunnel_path)
        return fail(Vpn::negotiationFailed,
                    "the client asks for a tunnel to “" +
                        printable(std::string_view(request.target).substr(0, 80)) +
                        "”, and there is only " + std::string(tunnel_path),
                    {{"http_status", "404"}});
    ConnectRequest read;
    auto cookie = request_cookie(request.headers, "webvpn");
    if (!cookie || cookie->empty() || cookie->reveal().size() > cookie_limit)
        return fail(Vpn::authenticationFailed, "the client asks for its session without a cookie",
                    {{"http_status", "401"}});
    read.cookie = *std::move(cookie);
    if (auto families = read_families(request.headers, read); !families) return pass(families);

    const auto base_mtu = number_of(request.headers, "X-CSTP-Base-MTU");
    if (!base_mtu) return std::unexpected(base_mtu.error());
    const auto mtu = number_of(request.headers, "X-CSTP-MTU");
    if (!mtu) return std::unexpected(mtu.error());
    read.base_mtu = *base_mtu;
    read.mtu = *mtu;

    read.host = text_of(request.headers, "Host");
    read.user_agent = text_of(request.headers, "User-Agent");
    read.hostname = text_of(request.headers, "X-CSTP-Hostname");
    read_datagram_wishes(request.headers, read);
    // A wish that cannot be read is a wish the gateway cannot grant: it gives another address.
    for (const auto value : request.headers.all("X-CSTP-Address"))
        if (const auto address = IpAddress::parse(value)) read.wished_addresses.push_back(*address);
    return read;
}

std::string write_connect_accepted(const SessionParameters& parameters, bool knows_v6_headers) {
    HttpResponse response;
    response.status = 200;
    response.reason = "CONNECTED";
    write_session_parameters(parameters, response.headers, knows_v6_headers);
    return write_response(response, true);
}

Result<SessionParameters> read_connect_response(const HttpResponse& response) {
    if (response.status != 200) return refuse_response(response);
    return read_session_parameters(response.headers);
}

Result<std::optional<SessionParameters>> ConnectReply::next() {
    auto response = reader_.next();
    if (!response)
        return fail(Vpn::negotiationFailed, "the answer to CONNECT cannot be read",
                    std::move(response).error());
    if (!*response) return std::nullopt;
    auto parameters = read_connect_response(**response);
    if (!parameters) return pass(parameters);
    return *std::move(parameters);
}

}  // namespace causeway::protocol
