// The XML documents of a login, both ways, and the url-encoded bodies of older clients.
//
//     client: init, auth-reply          gateway: auth-request, complete
//
// Documents with a DOCTYPE are refused unread, so there are no entities but the five of XML.

#pragma once

#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/protocol/auth_form.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace causeway::protocol {

// What a client says

/// The head of both documents of a client.
struct ClientIdentity {
    std::string version = "0.1.0";  ///< Of the client program.
    std::string device_id = "linux-64";
    std::string group_access;  ///< The URL the user gave.
    std::string group_select;  ///< The group the user chose, or "".
};

/// An answer to one field, under the name of the form.
using AnsweredField = std::pair<std::string, Secret>;

Secret write_init(const ClientIdentity& client, bool has_no_certificate = false);
/// `opaque` is the gateway's element, copied as it came (or "").
Secret write_auth_reply(const ClientIdentity& client, std::string_view opaque,
                        const std::vector<AnsweredField>& fields);

/// What a client's body says to a gateway, whichever dialect it is in.
struct ClientDocument {
    enum class Kind : std::uint8_t { empty, init, reply };
    Kind kind = Kind::empty;
    std::optional<std::string> user;
    std::optional<Secret> password;
    std::optional<std::string> group;
    bool has_no_certificate = false;  ///< It was asked for a certificate and has none.
};

/// Reads XML (a body with `<?xml`) or url-encoded fields. Fails with errSSLDecodeError.
Result<ClientDocument> read_client_document(std::string_view body);

// What a gateway says

struct AuthRequest {
    AuthForm form;
    std::string opaque;                  ///< The element as it came, or "".
    bool is_certificate_wanted = false;  ///< <client-cert-request/>
    bool is_second_certificate_wanted = false;
    bool is_host_scan_wanted = false;  ///< Wants to run a program of its own here.
    bool is_browser_wanted = false;    ///< Single sign-on through a web browser.
    bool operator==(const AuthRequest&) const = default;
};

struct AuthComplete {
    std::string banner;
    std::string message;
    Secret session_token;  ///< Empty when the cookie comes as a header.
};

using GatewayDocument = std::variant<AuthRequest, AuthComplete>;

/// Reads what a gateway answered. Fails with negotiationFailed: HTML, broken XML, too large, no
/// `auth` element.
Result<GatewayDocument> read_gateway_document(std::string_view body);

/// `is_wrapped` is false for clients of version 3 and older, which know no <config-auth>.
std::string write_auth_request(const AuthForm& form, bool is_wrapped = true);
std::string write_complete(std::string_view banner, bool is_wrapped = true);

}  // namespace causeway::protocol
