#include "causeway/protocol/config_auth.h"

#include "causeway/protocol/test_support.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>

namespace causeway::protocol {
namespace {

std::string body_of(const std::string& name) {
    const std::string text = recorded(name);
    return text.substr(text.find("\r\n\r\n") + 4);
}

AuthRequest request(std::string_view body) {
    auto document = read_gateway_document(body);
    REQUIRE(document.has_value());
    REQUIRE(std::holds_alternative<AuthRequest>(*document));
    return std::get<AuthRequest>(*std::move(document));
}

std::string refusal(std::string_view body) {
    const auto document = read_gateway_document(body);
    return document ? "read" : story(document.error());
}

ClientDocument client(std::string_view body) {
    auto document = read_client_document(body);
    REQUIRE(document.has_value());
    return *std::move(document);
}

TEST_CASE("the forms of ocserv 1.1.6 are understood") {
    const AuthForm form = request(body_of("ocserv-form-user.http")).form;
    CHECK(form.id == "main");
    CHECK(form.action == "/auth");
    CHECK(form.banner == "Authorised use only");
    CHECK(form.message == "Please enter your username.");
    REQUIRE(form.fields.size() == 2);
    CHECK(form.fields[0] == Field{FieldKind::text, "username", "Username:", "", {}, false});
    REQUIRE(form.group_field());
    CHECK(form.group_field()->choices ==
          std::vector<Choice>{{"g1", "Group One", false}, {"g2", "g2", false}});

    const AuthForm again = request(body_of("ocserv-form-wrong.http")).form;
    CHECK(again.message == "Login failed.\nPlease enter your password.");
    CHECK(again.fields.at(0).kind == FieldKind::password);
}

TEST_CASE("the end of a login with ocserv is understood") {
    const auto document = read_gateway_document(body_of("ocserv-complete.http"));
    REQUIRE(document.has_value());
    REQUIRE(std::holds_alternative<AuthComplete>(*document));
    CHECK(std::get<AuthComplete>(*document).banner == "Welcome to lab");
}

TEST_CASE("what a gateway writes, a client reads, marks of XML and all") {
    AuthForm form;
    form.action = "/auth?a=1&b=2";
    form.banner = "Banner <b> & \"more\"";
    form.message = "Enter";
    form.error = "It's wrong";
    form.fields = {{FieldKind::text, "username", "User <name>", "alice", {}, false},
                   {FieldKind::password, "password", "Password", "", {}, false},
                   {FieldKind::hidden, "state", "", "a&b", {}, false},
                   {FieldKind::select,
                    "group_list",
                    "Group",
                    "",
                    {{"g1", "One", true}, {"g2", "Two", false}},
                    false}};
    for (const bool is_wrapped : {true, false})
        CHECK(request(write_auth_request(form, is_wrapped)).form == form);

    for (const bool is_wrapped : {true, false}) {
        const auto document = read_gateway_document(write_complete("Hello <all>", is_wrapped));
        REQUIRE(document.has_value());
        REQUIRE(std::holds_alternative<AuthComplete>(*document));
        CHECK(std::get<AuthComplete>(*document).banner == "Hello <all>");
    }
}

TEST_CASE("what Cisco's gateways add is seen") {
    const auto read = request(
        "<?xml version=\"1.0\"?><config-auth client=\"vpn\" type=\"auth-request\">"
        "<opaque is-for=\"sg\"><tunnel-group>a&amp;b</tunnel-group></opaque>"
        "<host-scan/><client-cert-request/>"
        "<auth id=\"main\"><message param1=\"5\">In %s minutes</message>"
        "<sso-v2-login>https://x</sso-v2-login>"
        "<form method=\"Post\"><input type=\"submit\" name=\"Login\"/>"
        "<input type=\"password\" name=\"secondary_password\" second-auth=\"1\"/></form>"
        "</auth></config-auth>");
    CHECK(read.opaque == "<opaque is-for=\"sg\"><tunnel-group>a&amp;b</tunnel-group></opaque>");
    CHECK(read.is_host_scan_wanted);
    CHECK(read.is_certificate_wanted);
    CHECK(read.is_browser_wanted);
    CHECK(read.form.message == "In 5 minutes");
    CHECK(read.form.action == "/");
    REQUIRE(read.form.fields.size() == 1);
    CHECK(read.form.fields[0].is_second_auth);
}

TEST_CASE("a session token may come inside the document") {
    const auto document = read_gateway_document(
        "<config-auth type=\"complete\"><session-token>123@abc</session-token>"
        "<auth id=\"success\"/></config-auth>");
    REQUIRE(document.has_value());
    CHECK(std::get<AuthComplete>(*document).session_token.reveal() == "123@abc");
}

TEST_CASE("what is no login says what it is instead") {
    CHECK(refusal("").starts_with("negotiationFailed: the gateway's answer to the login is empty"));
    CHECK(refusal("<!DOCTYPE html><html><body>It works</body></html>") ==
          "negotiationFailed: a web page came instead of a login: this is a web server, no VPN "
          "gateway");
    CHECK(refusal("<html></html>").find("web server") != std::string::npos);
    CHECK(refusal("<config-auth><auth>")
              .starts_with("negotiationFailed: the gateway's answer to the login cannot be read <- "
                           "errSSLDecodeError: the XML is broken at byte "));
    CHECK(refusal("plain text").find("errSSLDecodeError") != std::string::npos);
    CHECK(refusal("<rss/>") ==
          "negotiationFailed: the XML <rss> that came is no login of a VPN gateway");
    CHECK(refusal("<auth id='main'><form method='get'/></auth>") ==
          "negotiationFailed: the gateway's form wants the method “get”");
}

TEST_CASE("bombs are refused by their limits") {
    CHECK(refusal("<!DOCTYPE lolz [<!ENTITY a \"x\">]><auth/>").find("document type") !=
          std::string::npos);
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += "<a>";
    for (int i = 0; i < 100; ++i) deep += "</a>";
    CHECK(refusal(deep).find("the XML has more than 16 levels") != std::string::npos);
    std::string wide = "<a>";
    for (int i = 0; i < 10000; ++i) wide += "<b/>";
    CHECK(refusal(wide + "</a>").find("the XML has more than 2000 elements") != std::string::npos);
    std::string fields = "<auth><form>";
    for (int i = 0; i < 100; ++i) fields += "<input name='x'/>";
    CHECK(refusal(fields + "</form></auth>") ==
          "negotiationFailed: the gateway's form has more than 64 fields");
}

TEST_CASE("what our client writes, our gateway reads") {
    ClientIdentity identity{"v0.1.0", "linux-64", "https://vpn.test/?a&b", "g1"};
    const auto init = client(write_init(identity, true).reveal());
    CHECK(init.kind == ClientDocument::Kind::init);
    CHECK(init.group == "g1");
    CHECK(init.has_no_certificate);
    CHECK_FALSE(init.user);

    const auto reply =
        client(write_auth_reply(identity, "<opaque><x/></opaque>",
                                {{"username", Secret("al<ice")}, {"password", Secret("p&\"'>w ")}})
                   .reveal());
    CHECK(reply.kind == ClientDocument::Kind::reply);
    CHECK(reply.user == "al<ice");
    CHECK(reply.password->reveal() == "p&\"'>w ");
    CHECK(reply.group == "g1");
}

TEST_CASE("some fields travel under another name, some stay at home") {
    const auto text = std::string(write_auth_reply({}, "",
                                                   {{"new_password", Secret("a")},
                                                    {"verify_password", Secret("b")},
                                                    {"answer", Secret("c")},
                                                    {"evil><", Secret("d")}})
                                      .reveal());
    CHECK(text.find("<auth><password>a</password><password>c</password></auth>") !=
          std::string::npos);
}

TEST_CASE("every dialect of clients is understood") {
    const std::initializer_list<std::pair<std::string_view, std::string_view>> cases = {
        {"username=alice&password=p%26w+d&group%5flist=g1", "alice p&w d g1"},
        {"password1=x", "- x -"},
        {"<?xml version=\"1.0\"?><config-auth type=\"auth-reply\"><auth><USERNAME>alice</USERNAME>"
         "</auth><group-select>g1</group-select></config-auth>",
         "alice - g1"},
        {"<config-auth type='auth-reply'><auth><secondary_password>x</secondary_password></auth>"
         "</config-auth>",
         "- x -"},
        {"", "- - -"},
        {"nonsense", "- - -"},
    };
    for (const auto& [body, told] : cases) {
        const auto read = client(body);
        CHECK(read.user.value_or("-") + " " +
                  std::string(read.password.value_or(Secret("-")).reveal()) + " " +
                  read.group.value_or("-") ==
              told);
    }
}

TEST_CASE("a client's broken XML is refused") {
    CHECK_FALSE(read_client_document("<?xml version='1.0'?><config-auth>").has_value());
    CHECK_FALSE(read_client_document("<!DOCTYPE x><config-auth/>").has_value());
    std::string many;
    for (int i = 0; i < 100; ++i) many += "a=b&";
    CHECK_FALSE(read_client_document(many).has_value());
}

}  // namespace
}  // namespace causeway::protocol
