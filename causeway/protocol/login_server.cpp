#include "causeway/protocol/login_server.h"

#include "causeway/base/text.h"
#include "causeway/protocol/cookie.h"
#include "causeway/protocol/http_writer.h"
#include "causeway/protocol/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace causeway::protocol {
namespace {

constexpr std::string_view context_cookie = "webvpncontext";

/// Paths at which clients of all ages ask for the login.
bool is_login_path(std::string_view path) {
    return path == "/" || path == "/auth" || path == "/VPN";
}

/// "/sales/" names the group "sales".
std::string_view group_of_path(std::string_view path) {
    while (path.starts_with('/')) path.remove_prefix(1);
    while (path.ends_with('/')) path.remove_suffix(1);
    return path;
}

/// Clients up to version 3 know the forms without <config-auth> around them.
bool knows_config_auth(const HttpRequest& request) {
    constexpr std::string_view agent = "Open AnyConnect VPN Agent v";
    const auto name = request.headers.find("User-Agent").value_or("");
    if (!equals_ignoring_case(name.substr(0, agent.size()), agent)) return true;
    const auto rest = name.substr(agent.size());
    const auto digits = rest.substr(0, rest.find_first_not_of("0123456789"));
    return parse_number(digits, 0, 1000).value_or(1000) > 3;
}

HttpResponse xml_response(std::string body) {
    HttpResponse response;
    response.status = 200;
    response.reason = "OK";
    response.headers.add("Content-Type", "text/xml");
    response.headers.add("X-Transcend-Version", "1");
    response.body = std::move(body);
    return response;
}

Respond respond(HttpResponse response, bool keeps_connection) {
    response.headers.add("Connection", keeps_connection ? "Keep-Alive" : "close");
    return {Secret(write_response(response)), !keeps_connection};
}

}  // namespace

std::optional<std::string> login_context(const HttpRequest& request) {
    const auto cookie = request_cookie(request.headers, context_cookie);
    if (!cookie || cookie->empty()) return std::nullopt;
    return std::string(cookie->reveal());
}

LoginServer::LoginServer(std::shared_ptr<const LoginPolicy> policy, std::string context,
                         std::optional<CertificateUser> certificate)
    : policy_(std::move(policy)),
      context_(std::move(context)),
      certificate_(std::move(certificate)) {
    if (!certificate_) return;
    user_ = certificate_->user;
    group_ = certificate_->group;
}

LoginAction LoginServer::on(const HttpRequest& request) {
    is_wrapped_ = knows_config_auth(request);
    keeps_connection_ = request.keeps_connection();
    if (++requests_ > request_limit)
        return Reject{Reject::Why::too_many_requests,
                      fmt::format("the client sent more than {} requests", request_limit)};

    const auto path = request.path();
    const bool names_group = !is_login_path(path) && choose_group(group_of_path(path));
    if (!is_login_path(path) && !names_group) return not_found();
    if (request.method == "GET") return on_document({});
    if (request.method == "POST") return on_post(request);
    return not_found();
}

LoginAction LoginServer::on_post(const HttpRequest& request) {
    auto document = read_client_document(request.body);
    if (!document)
        return Reject{Reject::Why::bad_request, "the client's answer: " + document.error().detail};
    return on_document(*std::move(document));
}

LoginAction LoginServer::on_document(ClientDocument document) {
    if (policy_->wants_certificate && !certificate_)
        return Reject{Reject::Why::certificate_missing, "the client showed no certificate"};
    if (document.group && !choose_group(*document.group))
        return ask(fmt::format("There is no group “{}” here.", printable(*document.group)));
    if (!policy_->wants_password) return on_certificate();

    const bool names_user = document.user && !document.user->empty();
    if (names_user && certificate_ && *document.user != certificate_->user)
        return Reject{Reject::Why::user_differs,
                      fmt::format("the certificate is for “{}”, the form names “{}”",
                                  printable(certificate_->user), printable(*document.user))};
    if (names_user) user_ = *document.user;
    const bool has_password = document.password && !document.password->empty();
    if (!has_password || user_.empty()) return ask("");
    is_waiting_ = true;
    return CheckPassword{user_, *std::move(document.password), group_};
}

LoginAction LoginServer::on_certificate() {
    is_waiting_ = true;
    return Admit{user_, group_};
}

LoginAction LoginServer::password_right() { return Admit{user_, group_}; }

Respond LoginServer::password_wrong(const Reason& reason) {
    is_waiting_ = false;
    if (++wrong_ >= policy_->tries) return refuse({401, reason});
    return ask(reason.sentence, &reason);
}

Respond LoginServer::refuse(const Refusal& refusal) {
    is_waiting_ = false;
    is_over_ = true;
    return {Secret(write_refusal(refusal)), true};
}

Respond LoginServer::complete(const Secret& cookie) {
    is_waiting_ = false;
    is_over_ = true;
    HttpResponse response = xml_response(write_complete(policy_->welcome, is_wrapped_));
    response.headers.add("Set-Cookie",
                         fmt::format("webvpn={}; path=/; Secure; HttpOnly", cookie.reveal()));
    return respond(std::move(response), keeps_connection_);
}

bool LoginServer::choose_group(std::string_view name) {
    const auto group = std::ranges::find_if(policy_->groups, [&](const LoginGroup& known) {
        return known.name == name || (!known.label.empty() && known.label == name);
    });
    if (group == policy_->groups.end()) return false;
    group_ = group->name;
    return true;
}

/// Who has shown a certificate, or has given a name before, is asked for the password alone; where
/// the certificate is enough, only the group is left to ask for.
AuthForm LoginServer::form_for_password() const {
    AuthForm form;
    form.action = "/auth";
    form.banner = policy_->banner;
    if (!policy_->wants_password) {
        form.message = "Please choose your group.";
        add_group_field(form);
        return form;
    }
    const bool asks_name = !certificate_ && (user_.empty() || wrong_ > 0);
    form.id = is_wrapped_ || asks_name ? "main" : "passwd";
    form.message =
        asks_name ? "Please enter your user name and password." : "Please enter your password.";
    if (asks_name) form.fields.push_back({FieldKind::text, "username", "Username:", "", {}, false});
    form.fields.push_back({FieldKind::password, "password", "Password:", "", {}, false});
    add_group_field(form);
    return form;
}

void LoginServer::add_group_field(AuthForm& form) const {
    if (policy_->groups.empty()) return;
    Field field{FieldKind::select, "group_list", "Group:", "", {}, false};
    const std::string& chosen = group_.empty() ? policy_->default_group : group_;
    for (const LoginGroup& group : policy_->groups)
        field.choices.push_back(
            {group.name, group.label.empty() ? group.name : group.label, group.name == chosen});
    form.fields.push_back(std::move(field));
}

Respond LoginServer::ask(std::string_view error, const Reason* reason) {
    AuthForm form = form_for_password();
    form.error = error;
    HttpResponse response = xml_response(write_auth_request(form, is_wrapped_));
    response.headers.add("Set-Cookie",
                         fmt::format("{}={}; Max-Age={}; path=/; Secure; HttpOnly", context_cookie,
                                     context_, policy_->context_life.count()));
    if (reason) add_reason(response.headers, *reason);
    return respond(std::move(response), keeps_connection_);
}

Respond LoginServer::not_found() const {
    HttpResponse response;
    response.status = 404;
    response.reason = "Not found";
    return respond(std::move(response), keeps_connection_);
}

}  // namespace causeway::protocol
