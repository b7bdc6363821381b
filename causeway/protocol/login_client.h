// The login of a client: from the first request to the cookie of the session.
//
// Speaks over the plaintext of one TLS connection after another. The driver opens connections when
// asked to, carries bytes, shows forms and brings answers:
//
//     LoginClient login(settings);            // wants a connection to the gateway
//     tls handshake …; login.connected();
//     while (true) {
//         write(login.pending()); login.sent(n);
//         login.feed(read());                 // or login.connection_lost(why)
//         auto event = login.next();
//         …
//     }

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/protocol/auth_form.h"
#include "causeway/protocol/config_auth.h"
#include "causeway/protocol/cookie.h"
#include "causeway/protocol/http_reader.h"
#include "causeway/protocol/url.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace causeway::protocol {

struct LoginSettings {
    Url gateway;
    std::string group;  ///< The group the user chose by --group, or "": then the URL's may serve.
    std::string user_agent = "OpenConnect VPN Agent (Causeway 0.1.0)";
    std::string version = "0.1.0";
    bool has_certificate = false;  ///< The driver shows a client certificate when asked.
};

/// The gateway asks; go on with `answer`.
struct NeedAnswers {
    AuthForm form;
    int attempt = 1;  ///< Above 1: answers to this form were refused before.
    /// What the gateway said of the last answers, as the failure to end with when there are no
    /// others: authenticationFailed, or the gateway's own code.
    std::optional<Error> refusal;
};
/// Go to another place. With `same_connection` it happens by itself; else connect to the target
/// (its certificate is checked under the new name), then call `connected`.
struct Redirected {
    Url target;
    bool same_connection;
};
/// The gateway closes after each answer, or has closed: connect again, then call `connected`.
struct ReconnectWanted {
    Url target;
};
/// The gateway wants a client certificate: connect again with one, then call `connected`; or call
/// `has_no_certificate`.
struct ClientCertificateWanted {
    Url target;
};
/// Words of the gateway to show before the login.
struct Banner {
    std::string text;
};
/// Done. The connection is good for CONNECT unless `connection_ended`.
struct LoggedIn {
    Secret cookie;  ///< The value of `webvpn`.
    Url gateway;    ///< Where to send CONNECT: the last redirect's target.
    std::string banner;
    bool connection_ended;
};
using LoginEvent = std::variant<NeedAnswers, Redirected, ReconnectWanted, ClientCertificateWanted,
                                Banner, LoggedIn>;

class LoginClient {
public:
    explicit LoginClient(LoginSettings settings);

    /// A connection to the place last asked for is ready: the request that waits goes out on it.
    void connected();
    void feed(ByteView bytes);
    /// The connection ended. A request whose answer had not begun is repeated on a new connection
    /// when the old one had carried an answer before; else this is serverNotResponding <- `why`.
    /// A `why` that is a VPN code already is passed on as it is.
    void connection_lost(Error why);

    /// What happened, or nothing until more is fed.
    ///
    /// Fails, and stays failed, with
    ///   - the gateway's own code, when it gives one in X-Causeway-Code;
    ///   - authenticationFailed: 401 and 403, the same answers refused twice;
    ///   - clientCertificateInvalid <- errSSLClientCertRequested: no certificate where one must be;
    ///   - configurationFailed: a group that is not on offer (evidence `groups`);
    ///   - negotiationFailed: no HTTP, another status, HTML, broken XML, a loop of redirects,
    ///     redirects to what is not https, single sign-on by browser;
    ///   - pluginDisabled: a program of the gateway's would have to run here (host scan);
    ///   - serverNotResponding: the connection ended instead of an answer.
    Result<std::optional<LoginEvent>> next();

    /// Answers the form of the last NeedAnswers: field name to text. Hidden fields answer
    /// themselves; a select with a selected or a single choice does so too; `group_list` takes the
    /// group of the settings. Names of the answers that the form lacks are ignored.
    ///
    /// Fails with authenticationFailed (a field without answer, named in evidence `field`; the same
    /// answers as were refused: then with what the gateway said), configurationFailed (an answer
    /// that is no choice of its select).
    Result<void> answer(const std::map<std::string, Secret>& answers);
    /// The user has no certificate: the gateway is told, and may ask for something else.
    void has_no_certificate();

    ByteView pending() const;
    void sent(std::size_t count);
    /// Whether a request is out whose answer has not come: the time the driver should limit.
    bool is_waiting() const { return is_waiting_; }

private:
    /// A request, kept until its answer has come: it may have to go out again.
    struct Request {
        std::string target;
        Secret body;
    };

    void send(Request request);
    void send_init(std::string target, bool has_no_certificate = false);
    void write_out();
    void want_connection();
    ClientIdentity identity() const;

    Result<void> take(const HttpResponse& response);
    Result<void> take_redirect(const HttpResponse& response);
    Result<void> take_request(AuthRequest request, const HttpResponse& response);
    Result<void> take_form(AuthRequest request, const HttpResponse& response);
    Result<void> take_complete(const AuthComplete& complete);
    void take_refusal(const AuthForm& form, const HttpResponse& response);

    std::string wished_group() const;
    Result<void> check_group(const AuthForm& form);
    bool was_refused(const std::vector<AnsweredField>& answers) const;
    void fail_with(Error error) { failure_ = std::move(error); }

    LoginSettings settings_;
    Url place_;  ///< Where requests go.
    CookieJar cookies_;

    // The connection
    HttpResponseReader reader_;
    Request request_;
    Secret output_;
    std::size_t output_sent_ = 0;
    bool is_connected_ = false;
    bool is_waiting_ = false;
    int answers_on_connection_ = 0;

    // The way here
    std::vector<std::string> visited_;
    int forms_ = 0;
    bool said_no_certificate_ = false;
    bool asked_at_root_ = false;  ///< The group's own path is unknown there.
    std::string banner_shown_;

    // The form being answered
    std::optional<AuthForm> form_;
    std::string opaque_;
    std::string group_;           ///< Chosen, as the gateway calls it.
    bool guesses_group_ = false;  ///< It was named before the gateway listed any.
    bool group_was_checked_ = false;
    int attempt_ = 1;
    std::optional<Error> refusal_;
    std::vector<std::vector<AnsweredField>> answered_;  ///< One entry a form.

    std::vector<LoginEvent> events_;
    std::optional<Error> failure_;
};

}  // namespace causeway::protocol
