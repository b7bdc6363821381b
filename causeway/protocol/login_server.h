// One login at a gateway: requests in, forms and answers out, and what to ask of whom.
//
// A login belongs to a TLS connection and, since old clients send each answer on a new one, to the
// `webvpncontext` cookie too: the gateway finds it by either. It answers each request with one
// action; after CheckPassword and Admit the gateway reports back, as late as it likes.
//
//     request ---> Respond                       (a form)
//             |--> Reject --refuse--> Respond    (words)
//             `--> CheckPassword --password_right--> Admit --complete--> Respond (cookie)
//                        |                             `---refuse----> Respond (words)
//                        `--password_wrong--> Respond (the form again, or the end)

#pragma once

#include "causeway/base/secret.h"
#include "causeway/protocol/auth_form.h"
#include "causeway/protocol/config_auth.h"
#include "causeway/protocol/http_message.h"
#include "causeway/protocol/reason.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace causeway::protocol {

struct LoginGroup {
    std::string name;
    std::string label;  ///< What people choose by; the name when empty.
};

/// How a gateway lets people in; the same for all logins.
struct LoginPolicy {
    bool wants_password = true;
    bool wants_certificate = false;  ///< With wants_password: both, and their users must agree.
    std::vector<LoginGroup> groups;  ///< On offer; none: no choice is shown.
    std::string default_group;       ///< Of those who choose none.
    std::string banner;              ///< Shown before the login.
    std::string welcome;             ///< Shown after it.
    int tries = 3;                   ///< Wrong passwords until the end.
    std::chrono::seconds context_life{300};  ///< How long a login may take.
};

/// What the client's certificate says, once TLS has accepted it.
struct CertificateUser {
    std::string user;
    std::string group;  ///< Or "".
};

/// Send these bytes; then close the connection if it says so.
struct Respond {
    Secret bytes;
    bool closes = false;
};
/// Ask whether the password is right; then call password_right or password_wrong.
struct CheckPassword {
    std::string user;
    Secret password;
    std::string group;  ///< Or "".
};
/// The user is who he claims to be; decide on limits, then call complete or refuse.
struct Admit {
    std::string user;
    std::string group;  ///< Or "": the user's own.
};
/// The request cannot lead to a login; call refuse with the reason, and its incident.
struct Reject {
    enum class Why : std::uint8_t {
        bad_request,          ///< What the client sent cannot be read.
        too_many_requests,    ///< More than a login needs.
        certificate_missing,  ///< The policy wants one.
        user_differs,         ///< The form names another user than the certificate.
    };
    Why why;
    std::string detail;  ///< For the log.
};
using LoginAction = std::variant<Respond, CheckPassword, Admit, Reject>;

/// The value of the cookie by which a login is found again, or nothing.
std::optional<std::string> login_context(const HttpRequest& request);

class LoginServer {
public:
    /// `context` is the value of the login's cookie: random, base64, made by the gateway.
    LoginServer(std::shared_ptr<const LoginPolicy> policy, std::string context,
                std::optional<CertificateUser> certificate = std::nullopt);

    /// What to do about a request. The gateway calls nothing else while it owes an answer to
    /// CheckPassword, Admit or Reject (a client that sends two requests at once waits).
    LoginAction on(const HttpRequest& request);

    LoginAction password_right();
    /// `reason` is told in the form, and after the last try as the end. Its sentence must not say
    /// whether name or password was wrong.
    Respond password_wrong(const Reason& reason);
    /// The user is refused though the password was right (locked, limit, banned …), or nobody
    /// could check it.
    Respond refuse(const Refusal& refusal);
    /// The user is in: `cookie` is the value of `webvpn`.
    Respond complete(const Secret& cookie);

    const std::string& context() const { return context_; }
    /// The name given so far, for the log; or "".
    const std::string& user() const { return user_; }
    const std::string& group() const { return group_; }
    bool is_waiting() const { return is_waiting_; }
    bool is_over() const { return is_over_; }

private:
    LoginAction on_post(const HttpRequest& request);
    LoginAction on_document(ClientDocument document);
    LoginAction on_certificate();
    bool choose_group(std::string_view name);
    AuthForm form_for_password() const;
    void add_group_field(AuthForm& form) const;
    Respond ask(std::string_view error, const Reason* reason = nullptr);
    Respond not_found() const;

    std::shared_ptr<const LoginPolicy> policy_;
    std::string context_;
    std::optional<CertificateUser> certificate_;
    std::string user_;
    std::string group_;
    int wrong_ = 0;
    int requests_ = 0;
    bool is_wrapped_ = true;
    bool is_waiting_ = false;
    bool is_over_ = false;
    bool keeps_connection_ = true;
};

}  // namespace causeway::protocol
