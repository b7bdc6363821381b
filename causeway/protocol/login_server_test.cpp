#include "causeway/protocol/login_server.h"

#include "causeway/protocol/http_reader.h"
#include "causeway/protocol/login_client.h"
#include "causeway/protocol/test_support.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

namespace causeway::protocol {
namespace {

const Reason wrong{Vpn::authenticationFailed, "The user name or the password is wrong", 3};

LoginServer server(LoginPolicy policy = {}, std::optional<CertificateUser> certificate = {}) {
    return LoginServer(std::make_shared<const LoginPolicy>(std::move(policy)),
                       "ctx=", std::move(certificate));
}

LoginPolicy with_groups() {
    LoginPolicy policy;
    policy.groups = {{"sales", "Sales people"}, {"admin", ""}};
    policy.default_group = "admin";
    return policy;
}

HttpRequest request(std::string_view method, std::string_view target, std::string_view body = "",
                    std::string_view agent = "Open AnyConnect VPN Agent v9.01-3") {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.headers.add("User-Agent", agent);
    request.body = body;
    return request;
}

std::string text(const LoginAction& action) {
    struct Teller {
        std::string operator()(const Respond& respond) const {
            return std::string(respond.bytes.reveal());
        }
        std::string operator()(const CheckPassword& check) const {
            return "check " + check.user + "/" + std::string(check.password.reveal()) + "/" +
                   check.group;
        }
        std::string operator()(const Admit& admit) const {
            return "admit " + admit.user + "/" + admit.group;
        }
        std::string operator()(const Reject& reject) const { return "reject " + reject.detail; }
    };
    return std::visit(Teller{}, action);
}

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("everybody gets the form, however they ask") {
    for (const auto& asked :
         {request("POST", "/", "<?xml version='1.0'?><config-auth type='init'/>"),
          request("GET", "/"), request("GET", "/auth"), request("POST", "/VPN"),
          request("POST", "/?x", "nonsense")}) {
        LoginServer login = server();
        const std::string answer = text(login.on(asked));
        CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
        CHECK(holds(answer, "<config-auth client=\"vpn\" type=\"auth-request\">"));
        CHECK(holds(answer, "name=\"username\""));
        CHECK(holds(answer, "name=\"password\""));
        CHECK(holds(answer, "Set-Cookie: webvpncontext=ctx=; Max-Age=300; "));
        CHECK(holds(answer, "Connection: Keep-Alive\r\n"));
    }
}

TEST_CASE("name and password may come together or one after the other, in every dialect") {
    LoginServer both = server();
    CHECK(text(both.on(request("POST", "/auth", "username=alice&password=p%26w"))) ==
          "check alice/p&w/");
    LoginServer one = server();
    const std::string asked =
        text(one.on(request("POST", "/auth",
                            "<?xml?><config-auth type='auth-reply'><auth>"
                            "<username>alice</username></auth></config-auth>")));
    CHECK(holds(asked, "Please enter your password."));
    CHECK_FALSE(holds(asked, "name=\"username\""));
    CHECK(text(one.on(request("POST", "/auth", "password=pw"))) == "check alice/pw/");
    CHECK(one.is_waiting());
}

TEST_CASE("a wrong password is told in the form, and after the last try as the end") {
    LoginServer login = server();
    for (int attempt = 1; attempt <= 2; ++attempt) {
        login.on(request("POST", "/auth", "username=alice&password=no"));
        const std::string answer(login.password_wrong(wrong).bytes.reveal());
        CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
        CHECK(holds(answer, "<error>The user name or the password is wrong</error>"));
        CHECK(holds(answer, "X-Causeway-Code: vpn/8/authenticationFailed\r\n"));
        CHECK(holds(answer, "name=\"password\""));
        CHECK_FALSE(login.is_over());
    }
    login.on(request("POST", "/auth", "username=alice&password=no"));
    const Respond end = login.password_wrong(wrong);
    CHECK(
        end.bytes.reveal().starts_with("HTTP/1.1 401 The user name or the password is wrong\r\n"));
    CHECK(end.closes);
    CHECK(login.is_over());
}

TEST_CASE("the right password admits, and completing gives the cookie") {
    LoginPolicy policy;
    policy.welcome = "Hello & welcome";
    LoginServer login = server(policy);
    login.on(request("POST", "/auth", "username=alice&password=pw"));
    CHECK(text(login.password_right()) == "admit alice/");
    const std::string answer(login.complete(Secret("AbC+/=")).bytes.reveal());
    CHECK(holds(answer, "Set-Cookie: webvpn=AbC+/=; path=/; Secure; HttpOnly\r\n"));
    CHECK(holds(answer, "type=\"complete\""));
    CHECK(holds(answer, "<banner>Hello &amp; welcome</banner>"));
}

TEST_CASE("groups are offered, chosen by name, label or URL, and unknown ones refused") {
    LoginServer list = server(with_groups());
    const std::string form = text(list.on(request("POST", "/")));
    CHECK(holds(form, "<option value=\"sales\">Sales people</option>"));
    CHECK(holds(form, "<option value=\"admin\" selected=\"true\">admin</option>"));
    CHECK(text(list.on(request("POST", "/auth", "username=a&password=b&group_list=sales"))) ==
          "check a/b/sales");

    LoginServer label = server(with_groups());
    CHECK(text(label.on(request("POST", "/",
                                "<?xml?><config-auth type='auth-reply'><auth><username>a</username>"
                                "<password>b</password></auth><group-select>Sales "
                                "people</group-select></config-auth>"))) == "check a/b/sales");

    LoginServer url = server(with_groups());
    CHECK(holds(text(url.on(request("POST", "/sales"))), "value=\"sales\" selected=\"true\""));
    CHECK(text(url.on(request("POST", "/auth", "username=a&password=b"))) == "check a/b/sales");
    CHECK(text(url.on(request("POST", "/nope"))).starts_with("HTTP/1.1 404 "));

    LoginServer unknown = server(with_groups());
    const std::string refused =
        text(unknown.on(request("POST", "/auth", "username=a&password=b&group_list=nope")));
    CHECK(holds(refused, "<error>There is no group “nope” here.</error>"));
}

TEST_CASE("a certificate alone admits at once") {
    LoginPolicy policy;
    policy.wants_password = false;
    policy.wants_certificate = true;
    LoginServer login = server(policy, CertificateUser{"alice", "staff"});
    CHECK(text(login.on(request("POST", "/"))) == "admit alice/staff");
    LoginServer without = server(policy);
    CHECK(text(without.on(request("POST", "/"))) == "reject the client showed no certificate");
}

TEST_CASE("with certificate and password, only the password is asked, and the names must agree") {
    LoginPolicy policy;
    policy.wants_certificate = true;
    LoginServer login = server(policy, CertificateUser{"alice", ""});
    CHECK_FALSE(holds(text(login.on(request("POST", "/"))), "name=\"username\""));
    CHECK(text(login.on(request("POST", "/auth", "password=pw"))) == "check alice/pw/");
    LoginServer other = server(policy, CertificateUser{"alice", ""});
    CHECK(text(other.on(request("POST", "/auth", "username=bob&password=pw"))) ==
          "reject the certificate is for “alice”, the form names “bob”");
}

TEST_CASE("clients of version 3 and older get their documents bare") {
    LoginServer old = server();
    const std::string form =
        text(old.on(request("POST", "/", "username=alice", "Open AnyConnect VPN Agent v3.99")));
    CHECK_FALSE(holds(form, "<config-auth"));
    CHECK(holds(form, "<auth id=\"passwd\">"));
    for (const auto* agent : {"Open AnyConnect VPN Agent v9.01", "AnyConnect Linux 4.9", "curl"}) {
        LoginServer login = server();
        CHECK(holds(text(login.on(request("POST", "/", "", agent))), "<config-auth"));
    }
}

TEST_CASE("what no login needs is refused") {
    LoginServer login = server();
    CHECK(text(login.on(request("POST", "/", "<?xml version='1.0'?><broken")))
              .starts_with("reject the client's answer: the XML is broken"));
    CHECK(text(login.on(request("PUT", "/"))).starts_with("HTTP/1.1 404 "));
    CHECK(text(login.on(request("GET", "/+CSCOE+/logon.html"))).starts_with("HTTP/1.1 404 "));
    for (int i = 0; i < 37; ++i) login.on(request("GET", "/"));
    CHECK(text(login.on(request("GET", "/"))) == "reject the client sent more than 40 requests");
}

TEST_CASE("a refusal closes with its reason in every place") {
    LoginServer login = server();
    const Respond end = login.refuse({403, {Vpn::authenticationFailed, "This user is locked", 8}});
    CHECK(end.closes);
    CHECK(end.bytes.reveal().starts_with("HTTP/1.1 403 This user is locked\r\n"));
    CHECK(holds(std::string(end.bytes.reveal()), "X-Reason: This user is locked\r\n"));
}

TEST_CASE("a login is found again by its cookie") {
    HttpRequest asked = request("POST", "/auth");
    CHECK_FALSE(login_context(asked));
    asked.headers.add("Cookie", "webvpncontext=ctx=");
    CHECK(login_context(asked) == "ctx=");
}

/// Joins our client and our gateway: one question, one answer, until the client has an event.
std::string talk(LoginClient& client, LoginServer& gateway, std::string_view password) {
    HttpRequestReader reader;
    while (true) {
        reader.feed(client.pending());
        client.sent(client.pending().size());
        const auto asked = reader.next();
        REQUIRE(asked.has_value());
        if (*asked) {
            LoginAction action = gateway.on(**asked);
            if (const auto* check = std::get_if<CheckPassword>(&action)) {
                if (check->password.reveal() == password)
                    action = gateway.password_right();
                else
                    action = gateway.password_wrong(wrong);
            }
            if (std::holds_alternative<Admit>(action)) action = gateway.complete(Secret("cookie="));
            client.feed(as_bytes(std::get<Respond>(action).bytes.reveal()));
        }
        const auto event = client.next();
        if (!event) return story(event.error());
        if (!*event) return "nothing";
        if (const auto* in = std::get_if<LoggedIn>(&**event))
            return "in " + std::string(in->cookie.reveal());
        if (const auto* need = std::get_if<NeedAnswers>(&**event))
            return need->refusal ? "again: " + story(*need->refusal) : "form";
    }
}

TEST_CASE("our client and our gateway understand each other") {
    LoginSettings settings;
    settings.gateway = *Url::parse("https://vpn.test/sales");
    LoginPolicy policy = with_groups();
    policy.banner = "Authorised use only";
    LoginClient client(settings);
    LoginServer gateway = server(policy);
    client.connected();
    CHECK(talk(client, gateway, "pw") == "form");
    REQUIRE(client.answer({{"username", Secret("alice")}, {"password", Secret("no")}}).has_value());
    CHECK(talk(client, gateway, "pw") ==
          "again: authenticationFailed: The user name or the password is wrong");
    REQUIRE(client.answer({{"username", Secret("alice")}, {"password", Secret("pw")}}).has_value());
    CHECK(talk(client, gateway, "pw") == "in cookie=");
    CHECK(gateway.group() == "sales");
}

TEST_CASE("our client names the groups that our gateway has") {
    LoginSettings settings;
    settings.gateway = *Url::parse("vpn.test");
    settings.group = "nope";
    LoginClient client(settings);
    LoginServer gateway = server(with_groups());
    client.connected();
    CHECK(talk(client, gateway, "pw") ==
          "configurationFailed: the gateway has no group “nope”; it offers Sales people, admin");
}

}  // namespace
}  // namespace causeway::protocol
