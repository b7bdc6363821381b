#include "causeway/protocol/login_client.h"

#include "causeway/protocol/reason.h"
#include "causeway/protocol/test_support.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace causeway::protocol {
namespace {

using Answers = std::map<std::string, Secret>;

Answers alice(std::string password = "pw") {
    return {{"username", Secret("alice")}, {"password", Secret(std::move(password))}};
}

LoginSettings settings(std::string_view gateway = "vpn.test", std::string group = "") {
    LoginSettings settings;
    settings.gateway = *Url::parse(gateway);
    settings.group = std::move(group);
    return settings;
}

/// What waits to be sent, taken away.
std::string sent(LoginClient& login) {
    const std::string text(as_text(login.pending()));
    login.sent(text.size());
    return text;
}

/// The next event as text, or the failure.
std::string told(LoginClient& login) {
    const auto event = login.next();
    if (!event) return story(event.error());
    if (!*event) return "nothing";
    struct Teller {
        std::string operator()(const NeedAnswers& need) const {
            std::string text = "form " + std::to_string(need.attempt) + ":";
            for (const Field& field : need.form.fields) text += " " + field.name;
            return need.refusal ? text + " (" + story(*need.refusal) + ")" : text;
        }
        std::string operator()(const Redirected& to) const {
            return std::string("redirected ") + (to.same_connection ? "here " : "") +
                   to.target.text();
        }
        std::string operator()(const ReconnectWanted& to) const {
            return "reconnect " + to.target.text();
        }
        std::string operator()(const ClientCertificateWanted&) const { return "certificate"; }
        std::string operator()(const Banner& banner) const { return "banner " + banner.text; }
        std::string operator()(const LoggedIn& in) const {
            return "in " + std::string(in.cookie.reveal()) + " " + in.banner +
                   (in.connection_ended ? " (ended)" : "");
        }
    };
    return std::visit(Teller{}, **event);
}

void hear(LoginClient& login, std::string_view text) { login.feed(as_bytes(text)); }

std::string answer(std::string_view status, std::string_view headers, std::string_view body) {
    return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(headers) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string form(std::string_view fields, std::string_view texts = "") {
    return answer("200 OK", "",
                  "<config-auth type='auth-request'><auth id='main'>" + std::string(texts) +
                      "<form action='/auth'>" + std::string(fields) +
                      "</form></auth></config-auth>");
}

const std::string user_field = "<input type='text' name='username' label='Username:'/>";
const std::string password_field = "<input type='password' name='password' label='Password:'/>";

/// A client on its first connection, whose first request has left.
LoginClient begun(LoginSettings with = settings()) {
    LoginClient login(std::move(with));
    login.connected();
    sent(login);
    return login;
}

/// The story of what a client makes of the first answer.
std::string first(std::string_view text, LoginSettings with = settings()) {
    LoginClient login = begun(std::move(with));
    hear(login, text);
    return told(login);
}

TEST_CASE("a login with ocserv 1.1.6 goes through both forms to the cookie, cut anywhere") {
    for (std::size_t step : {1UL, 7UL, 100UL, 10000UL}) {
        const auto hear_in_pieces = [&](LoginClient& login, const std::string& name) {
            in_pieces(recorded(name), step, [&](ByteView piece) { login.feed(piece); });
        };
        LoginClient login = begun(settings("vpn.test", "Group One"));
        hear_in_pieces(login, "ocserv-form-user.http");
        CHECK(told(login) == "banner Authorised use only");
        CHECK(told(login) == "form 1: username group_list");
        CHECK(login.answer(alice()).has_value());
        CHECK(sent(login).find("<auth><username>alice</username></auth>"
                               "<group-select>g1</group-select>") != std::string::npos);
        hear_in_pieces(login, "ocserv-form-password.http");
        CHECK(told(login) == "form 1: password");
        CHECK(login.answer(alice()).has_value());
        const std::string request = sent(login);
        CHECK(request.starts_with("POST /auth HTTP/1.1\r\nHost: vpn.test\r\n"));
        CHECK(request.find("\r\nCookie: webvpncontext=") != std::string::npos);
        CHECK(request.find("<password>pw</password>") != std::string::npos);
        hear_in_pieces(login, "ocserv-complete.http");
        const auto in = told(login);
        CHECK(in.starts_with("in "));
        CHECK(in.ends_with("= Welcome to lab"));
        CHECK(told(login) == "nothing");
    }
}

TEST_CASE("the first request is what stock gateways expect") {
    LoginClient login(settings("https://vpn.test:8443/sales"));
    CHECK(login.pending().empty());
    login.connected();
    const std::string request = sent(login);
    CHECK(request.starts_with(
        "POST /sales HTTP/1.1\r\nHost: vpn.test:8443\r\nUser-Agent: OpenConnect VPN Agent"));
    CHECK(request.find("type=\"init\"") != std::string::npos);
    CHECK(request.find("<group-access>https://vpn.test:8443/sales</group-access>") !=
          std::string::npos);
    CHECK(login.is_waiting());
}

TEST_CASE("a wrong password is told, other answers may be tried, the same are not sent again") {
    LoginClient login = begun();
    hear(login, form(password_field));
    CHECK(told(login) == "form 1: password");
    REQUIRE(login.answer(alice("wrong")).has_value());
    sent(login);
    hear(login, recorded("ocserv-form-wrong.http"));
    CHECK(told(login) ==
          "form 2: password (authenticationFailed: the gateway did not accept the answers: “Login "
          "failed.”)");
    const auto same = login.answer(alice("wrong"));
    REQUIRE_FALSE(same.has_value());
    CHECK(same.error().code == Code(Vpn::authenticationFailed));
    CHECK(login.answer(alice("right")).has_value());
}

TEST_CASE("the third wrong password ends the login with the gateway's words") {
    CHECK(first(recorded("ocserv-401.http")) ==
          "authenticationFailed: the gateway refused the login: “Authentication failed” <- "
          "Unauthorized: Authentication failed");
}

TEST_CASE("a gateway of ours is believed to the letter") {
    CHECK(first(write_refusal(
              {403, {Vpn::clientCertificateExpired, "The certificate has expired", 5}})) ==
          "clientCertificateExpired: The certificate has expired <- Forbidden: The certificate has "
          "expired");
    LoginClient login = begun();
    hear(login, form(user_field + password_field));
    told(login);
    REQUIRE(login.answer(alice()).has_value());
    sent(login);
    hear(login,
         answer("200 OK",
                "X-Causeway-Code: vpn/8/authenticationFailed\r\nX-Reason: Name or password "
                "is wrong\r\n",
                "<auth><error>x</error><form>" + user_field + password_field + "</form></auth>"));
    CHECK(told(login) ==
          "form 2: username password (authenticationFailed: Name or password is wrong)");
}

TEST_CASE("a field without answer is named, and nothing empty is sent") {
    LoginClient login = begun();
    hear(login, form(user_field + "<input type='password' name='token' label='Token code'/>"));
    told(login);
    for (const auto& answers : {Answers{{"username", Secret("alice")}},
                                Answers{{"username", Secret("alice")}, {"token", Secret("")}}}) {
        const auto done = login.answer(answers);
        REQUIRE_FALSE(done.has_value());
        CHECK(story(done.error()) ==
              "authenticationFailed: the gateway asks for “Token code” and there is no answer to "
              "it");
        CHECK(done.error().fact("field") == "token");
        CHECK(login.pending().empty());
    }
    CHECK(login.answer({{"username", Secret("alice")}, {"token", Secret("1")}}).has_value());
}

TEST_CASE("an answer that is no choice is refused without repeating it") {
    LoginClient login = begun();
    hear(login, form("<select name='realm' label='Realm'><option>a</option><option>b</option>"
                     "</select>"));
    told(login);
    const auto nothing = login.answer({});
    REQUIRE_FALSE(nothing.has_value());
    CHECK(story(nothing.error()) ==
          "authenticationFailed: the gateway asks to choose “Realm” and there is no answer to it");
    const auto other = login.answer({{"realm", Secret("s3cret")}});
    REQUIRE_FALSE(other.has_value());
    CHECK(story(other.error()) ==
          "configurationFailed: the answer given for “realm” is no choice of it; there are a, b");
    CHECK(login.answer({{"realm", Secret("b")}}).has_value());
    CHECK(sent(login).find("<realm>b</realm>") != std::string::npos);
}

TEST_CASE("hidden fields and opaque parts go back as they came") {
    LoginClient login = begun();
    hear(login, answer("200 OK", "",
                       "<config-auth type='auth-request'><opaque a='1'><b>c</b></opaque><auth>"
                       "<form action='next'><input type='hidden' name='state' value='x&amp;y'/>" +
                           user_field + "</form></auth></config-auth>"));
    told(login);
    REQUIRE(login.answer(alice()).has_value());
    const std::string request = sent(login);
    CHECK(request.starts_with("POST /next HTTP/1.1\r\n"));
    CHECK(request.find("<opaque a=\"1\"><b>c</b></opaque><auth><state>x&amp;y</state>"
                       "<username>alice</username></auth>") != std::string::npos);
}

TEST_CASE("a group that is not on offer is configurationFailed with those that are") {
    const Error error = [] {
        LoginClient login = begun(settings("vpn.test", "nope"));
        login.feed(as_bytes(recorded("ocserv-form-user.http")));
        told(login);
        return login.next().error();
    }();
    CHECK(story(error) ==
          "configurationFailed: the gateway has no group “nope”; it offers Group One, g2");
    CHECK(error.fact("groups") == "Group One, g2");
    CHECK(first(form(user_field), settings("vpn.test", "nope")) ==
          "configurationFailed: the group “nope” was asked for, and the gateway has no groups");
}

TEST_CASE("a group of the URL that the gateway has no page for is looked up in its list") {
    LoginClient login = begun(settings("https://vpn.test/g2"));
    hear(login, answer("404 Not found", "Connection: close\r\n", "no"));
    CHECK(told(login) == "reconnect https://vpn.test/");
    login.connected();
    CHECK(sent(login).starts_with("POST / HTTP/1.1"));
    hear(login, recorded("ocserv-form-user.http"));
    told(login);
    CHECK(told(login) == "form 1: username group_list");
    REQUIRE(login.answer(alice()).has_value());
    CHECK(sent(login).find("<group-select>g2</group-select>") != std::string::npos);
}

TEST_CASE("with a certificate the group is named at once, and checked where there is a list") {
    LoginSettings with = settings("vpn.test", "g1");
    with.has_certificate = true;
    LoginClient login(with);
    login.connected();
    CHECK(sent(login).find("<group-select>g1</group-select>") != std::string::npos);
    hear(login, recorded("ocserv-form-user.http"));
    CHECK(told(login) == "banner Authorised use only");
    CHECK(told(login) == "nothing");
    CHECK(sent(login).find("group-select") == std::string::npos);
    hear(login, recorded("ocserv-form-user.http"));
    CHECK(told(login) == "form 1: username group_list");
}

TEST_CASE("servers that are no gateways are told apart") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {answer("404 Not Found", "", "<html>"),
         "negotiationFailed: the server answers the login with 404 “Not Found”: this is a web "
         "server, no VPN gateway <- Not Found: Not Found"},
        {answer("500 Internal Server Error", "", ""),
         "negotiationFailed: the server cannot answer the login: 500 “Internal Server Error” <- "
         "Internal Server Error: Internal Server Error"},
        {answer("503 Service Unavailable", "", ""),
         "negotiationFailed: the server cannot answer the login: 503 “Service Unavailable” <- "
         "Service Unavailable: Service Unavailable"},
        {answer("403 Forbidden", "", ""),
         "authenticationFailed: the gateway refused the login: “Forbidden” <- Forbidden: "
         "Forbidden"},
        {answer("200 OK", "", "<html><body>It works!</body></html>"),
         "negotiationFailed: a web page came instead of a login: this is a web server, no VPN "
         "gateway"},
        {"hello\r\n",
         "negotiationFailed: the gateway's answer to the login is no HTTP <- errSSLDecodeError: "
         "not "
         "an HTTP response: “hello”"},
    };
    for (const auto& [text, wanted] : cases) CHECK(first(text) == wanted);
    CHECK(first(answer("200 OK", "", "<config-auth><auth")).starts_with("negotiationFailed"));
}

TEST_CASE("a certificate that is wanted and missing is clientCertificateInvalid") {
    CHECK(first(answer("401 No certificate", "", "")) ==
          "clientCertificateInvalid: the gateway wants a client certificate and got none: “No "
          "certificate” <- errSSLClientCertRequested <- Unauthorized: No certificate");
    LoginSettings with = settings();
    with.has_certificate = true;
    CHECK(first(answer("401 Could not read certificate", "", ""), with)
              .starts_with("clientCertificateInvalid: the gateway cannot use"));
}

TEST_CASE("a request for a certificate is met with one, or with the word that there is none") {
    const std::string wants = answer(
        "200 OK", "", "<config-auth type='auth-request'><client-cert-request/></config-auth>");
    LoginClient login = begun();
    hear(login, wants);
    CHECK(told(login) == "certificate");
    login.has_no_certificate();
    CHECK(told(login) == "reconnect https://vpn.test/");
    login.connected();
    CHECK(sent(login).find("<client-cert-fail/>") != std::string::npos);
    hear(login, wants);
    CHECK(told(login) ==
          "clientCertificateInvalid: the gateway wants a client certificate and there is none to "
          "show <- errSSLClientCertRequested");
}

TEST_CASE("a program that would have to run here is refused") {
    CHECK(first(answer("200 OK", "",
                       "<config-auth type='auth-request'><host-scan/><auth><form/></auth>"
                       "</config-auth>"))
              .starts_with("pluginDisabled"));
    CHECK(first(answer("200 OK", "",
                       "<config-auth type='auth-request'><auth><sso-v2-login>x</sso-v2-login>"
                       "<form/></auth></config-auth>"))
              .starts_with("negotiationFailed: the gateway wants a login through a web browser"));
}

TEST_CASE("redirects are followed to other places and hosts") {
    LoginClient login = begun();
    hear(login, answer("302 Found", "Set-Cookie: a=1\r\nLocation: /login\r\n", ""));
    CHECK(told(login) == "redirected here https://vpn.test/login");
    const std::string request = sent(login);
    CHECK(request.starts_with("POST /login HTTP/1.1"));
    CHECK(request.find("Cookie: a=1") != std::string::npos);

    hear(login, answer("301 Moved", "Location: https://other.test:444/x\r\n", ""));
    CHECK(told(login) == "redirected https://other.test:444/x");
    CHECK(login.pending().empty());
    login.connected();
    const std::string there = sent(login);
    CHECK(there.starts_with("POST /x HTTP/1.1\r\nHost: other.test:444\r\n"));
    CHECK(there.find("Cookie:") == std::string::npos);
}

TEST_CASE("redirects in a circle and away from https are refused") {
    LoginClient login = begun();
    std::string last;
    for (int i = 0; i < 5 && !last.starts_with("negotiationFailed"); ++i) {
        sent(login);
        hear(login, answer("302 Found", "Location: /again\r\n", ""));
        last = told(login);
    }
    CHECK(last ==
          "negotiationFailed: the gateway's redirects lead in a circle, again to "
          "https://vpn.test/again <- Found: Found");
    CHECK(
        first(answer("302 Found", "Location: http://vpn.test/\r\n", "")) ==
        "negotiationFailed: “http://vpn.test/” is no address of a gateway: the redirect leads away "
        "from TLS, which is not followed <- errSSLATSViolation: plain HTTP has no TLS at all <- "
        "Found: Found");

    LoginClient endless = begun();
    last.clear();
    for (int i = 0; i < 50 && !last.starts_with("negotiationFailed"); ++i) {
        sent(endless);
        hear(endless, answer("302 Found", "Location: /" + std::to_string(i) + "\r\n", ""));
        last = told(endless);
    }
    CHECK(last == "negotiationFailed: the gateway redirected 10 times <- Found: Found");
}

TEST_CASE("a gateway that closes after each answer is connected again") {
    LoginClient login = begun();
    std::string closing = form(user_field);
    closing.insert(closing.find("\r\n") + 2, "Connection: close\r\n");
    hear(login, closing);
    CHECK(told(login) == "form 1: username");
    login.connection_lost(Error{Tls::errSSLClosedGraceful, ""});
    REQUIRE(login.answer(alice()).has_value());
    CHECK(told(login) == "reconnect https://vpn.test/");
    login.connected();
    CHECK(sent(login).find("<username>alice</username>") != std::string::npos);
}

TEST_CASE("a request that a kept connection swallowed is repeated once") {
    LoginClient login = begun();
    hear(login, form(user_field));
    told(login);
    REQUIRE(login.answer(alice()).has_value());
    const std::string request = sent(login);
    login.connection_lost(Error{Tls::errSSLClosedNoNotify, ""});
    CHECK(told(login) == "reconnect https://vpn.test/");
    login.connected();
    CHECK(sent(login) == request);
    login.connection_lost(Error{Tls::errSSLClosedNoNotify, ""});
    CHECK(
        told(login) ==
        "serverNotResponding: the gateway closed the connection instead of answering the login <- "
        "errSSLClosedNoNotify");
}

TEST_CASE("a loss that was judged already is passed on as it is") {
    LoginClient login = begun();
    hear(login, form(user_field));
    told(login);
    REQUIRE(login.answer(alice()).has_value());
    login.connection_lost(Error{Vpn::negotiationFailed, "a record was damaged"});
    CHECK(told(login) == "negotiationFailed: a record was damaged");
}

TEST_CASE("an end in the middle of an answer, and one of no HTTP, are told apart") {
    LoginClient login = begun();
    hear(login, "HTTP/1.1 200 OK\r\nContent-Le");
    login.connection_lost(Error{Tls::errSSLClosedAbort, ""});
    CHECK(told(login) ==
          "serverNotResponding: the gateway closed the connection in the middle of its answer <- "
          "errSSLClosedAbort");
    LoginClient other = begun();
    hear(other, "HT");
    other.connection_lost(Error{Tls::errSSLClosedAbort, ""});
    CHECK(told(other).starts_with("negotiationFailed: the gateway does not speak HTTP: “HT”"));
}

TEST_CASE("a body that ends with the connection is read") {
    LoginClient login = begun();
    hear(login, "HTTP/1.1 401 Go away\r\n\r\nsome words");
    CHECK(told(login) == "nothing");
    login.connection_lost(Error{Tls::errSSLPeerAccessDenied, ""});
    CHECK(
        told(login).starts_with("authenticationFailed: the gateway refused the login: “Go away”"));
}

TEST_CASE("a gateway that asks for ever is left") {
    LoginClient login = begun();
    std::string last;
    for (int i = 0; i < 50 && !last.starts_with("negotiationFailed"); ++i) {
        sent(login);
        hear(login, form("<input type='text' name='n" + std::to_string(i) + "' value='x'/>"));
        last = told(login);
        static_cast<void>(login.answer({}));
    }
    CHECK(last == "negotiationFailed: the gateway asked 20 times and never came to an end");
}

TEST_CASE("a failure is repeated for ever") {
    LoginClient login = begun();
    hear(login, recorded("ocserv-401.http"));
    const std::string once = told(login);
    CHECK(told(login) == once);
    CHECK_FALSE(login.answer(alice()).has_value());
}

TEST_CASE("a login without a cookie at its end is refused") {
    CHECK(first(answer("200 OK", "",
                       "<config-auth type='complete'><auth id='success'/></config-auth>")) ==
          "negotiationFailed: the gateway says that the login is complete, but sent no cookie");
}

}  // namespace
}  // namespace causeway::protocol
