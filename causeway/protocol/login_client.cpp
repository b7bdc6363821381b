#include "causeway/protocol/login_client.h"

#include "causeway/base/text.h"
#include "causeway/protocol/http_writer.h"
#include "causeway/protocol/limits.h"
#include "causeway/protocol/login_answers.h"
#include "causeway/protocol/login_refusal.h"
#include "causeway/protocol/reason.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace causeway::protocol {
namespace {

constexpr int visit_limit = 2;  // A gateway may lead to a place again once, with a new cookie.

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool are_equal(const std::vector<AnsweredField>& a, const std::vector<AnsweredField>& b) {
    return std::ranges::equal(a, b, [](const AnsweredField& one, const AnsweredField& other) {
        return one.first == other.first && one.second.reveal() == other.second.reveal();
    });
}

/// Whether these answers belong to a form that asks exactly that.
bool answer_the_same(const std::vector<AnsweredField>& answers,
                     const std::vector<std::string>& asked) {
    return std::ranges::equal(answers, asked, {}, &AnsweredField::first);
}

}  // namespace

LoginClient::LoginClient(LoginSettings settings)
    : settings_(std::move(settings)), place_(settings_.gateway) {
    visited_.push_back(place_.text());
    // A certificate may be all that is asked for, and then no form lets anybody choose a group.
    guesses_group_ = settings_.has_certificate && !settings_.group.empty();
    if (guesses_group_) group_ = settings_.group;
    send_init(place_.path);
    events_.clear();  // The first connection needs no asking.
}

// The connection

void LoginClient::connected() {
    is_connected_ = true;
    answers_on_connection_ = 0;
    reader_ = HttpResponseReader();
    write_out();
}

void LoginClient::feed(ByteView bytes) {
    if (is_waiting_)
        reader_.feed(bytes);
    else
        is_connected_ = false;  // Words nobody asked for: such a connection is not used again.
}

void LoginClient::connection_lost(Error why) {
    is_connected_ = false;
    if (!is_waiting_ || failure_) return;

    const bool nothing_came = reader_.is_idle();
    auto last = reader_.finish();
    is_waiting_ = false;
    if (last && *last) {
        if (auto taken = take(**last); !taken) fail_with(std::move(taken).error());
        return;
    }
    if (why.code.domain() == Domain::vpn) return fail_with(std::move(why));
    if (nothing_came && answers_on_connection_ > 0) return want_connection();
    if (!last && last.error().find(Tls::errSSLDecodeError) &&
        !reader_.beginning().starts_with("HTTP/1."))
        return fail_with(Error{Vpn::negotiationFailed,
                               "the gateway does not speak HTTP: " + in_quotes(reader_.beginning())}
                             .because(std::move(last).error()));
    fail_with(Error{Vpn::serverNotResponding,
                    nothing_came
                        ? "the gateway closed the connection instead of answering the login"
                        : "the gateway closed the connection in the middle of its answer"}
                  .because(std::move(why)));
}

void LoginClient::want_connection() {
    is_connected_ = false;
    events_.emplace_back(ReconnectWanted{place_});
}

ByteView LoginClient::pending() const { return as_bytes(output_.reveal()).subspan(output_sent_); }

void LoginClient::sent(std::size_t count) {
    output_sent_ += std::min(count, pending().size());
    if (!pending().empty()) return;
    output_ = Secret();
    output_sent_ = 0;
}

// Requests

void LoginClient::send(Request request) {
    request_ = std::move(request);
    if (is_connected_)
        write_out();
    else
        want_connection();
}

void LoginClient::write_out() {
    HttpRequest http;
    http.method = "POST";
    http.target = request_.target;
    http.headers.add("Host", place_.authority());
    http.headers.add("User-Agent", settings_.user_agent);
    http.headers.add("Accept", "*/*");
    http.headers.add("Accept-Encoding", "identity");
    http.headers.add("X-Transcend-Version", "1");
    http.headers.add("X-Aggregate-Auth", "1");
    if (!cookies_.empty()) http.headers.add("Cookie", cookies_.header().reveal());
    http.headers.add("Content-Type", "application/xml; charset=utf-8");
    http.body = request_.body.reveal();
    output_ = Secret(write_request(http));
    output_sent_ = 0;
    is_waiting_ = true;
}

ClientIdentity LoginClient::identity() const {
    ClientIdentity client;
    client.version = "v" + settings_.version;
    client.group_access = place_.text();
    client.group_select = group_;
    return client;
}

void LoginClient::send_init(std::string target, bool has_no_certificate) {
    form_.reset();
    send({std::move(target), write_init(identity(), has_no_certificate)});
}

void LoginClient::has_no_certificate() {
    said_no_certificate_ = true;
    send_init(place_.path, true);
}

// Answers of the gateway

Result<std::optional<LoginEvent>> LoginClient::next() {
    while (true) {
        if (!events_.empty()) {
            LoginEvent event = std::move(events_.front());
            events_.erase(events_.begin());
            return event;
        }
        if (failure_) return std::unexpected(*failure_);
        if (!is_waiting_) return std::nullopt;

        auto response = reader_.next();
        if (!response) {
            fail_with(Error{Vpn::negotiationFailed, "the gateway's answer to the login is no HTTP"}
                          .because(std::move(response).error()));
            continue;
        }
        if (!*response) return std::nullopt;
        is_waiting_ = false;
        ++answers_on_connection_;
        if (!(*response)->keeps_connection()) is_connected_ = false;
        if (auto taken = take(**response); !taken) fail_with(std::move(taken).error());
    }
}

Result<void> LoginClient::take(const HttpResponse& response) {
    cookies_.take(response.headers);
    if (response.status == 200) {
        auto document = read_gateway_document(response.body);
        if (!document) return pass(document);
        if (const auto* complete = std::get_if<AuthComplete>(&*document))
            return take_complete(*complete);
        return take_request(std::get<AuthRequest>(*std::move(document)), response);
    }
    const bool has_reason = read_reason(response.headers, response.reason).has_value();
    if (!has_reason && is_redirect(response.status) && response.headers.find("Location"))
        return take_redirect(response);
    // Gateways that know no groups by URL have nothing at that path, but a list of groups at "/".
    if (!has_reason && response.status == 404 && !asked_at_root_ && forms_ == 0 &&
        !place_.group().empty()) {
        asked_at_root_ = true;
        place_.path = "/";
        send_init("/");
        return {};
    }
    return std::unexpected(login_refusal(response, settings_.has_certificate));
}

Result<void> LoginClient::take_redirect(const HttpResponse& response) {
    const auto location = *response.headers.find("Location");
    const auto target = place_.resolve(location);
    if (!target) {
        Error below = http_fact(response);
        if (target.error().cause) below = Error(*target.error().cause).because(std::move(below));
        return std::unexpected(Error(target.error()).because(std::move(below)));
    }

    visited_.push_back(target->text());
    const bool is_loop = std::ranges::count(visited_, visited_.back()) > visit_limit;
    if (is_loop || visited_.size() > static_cast<std::size_t>(redirect_limit))
        return std::unexpected(
            Error{Vpn::negotiationFailed,
                  is_loop ? fmt::format("the gateway's redirects lead in a circle, again to {}",
                                        visited_.back())
                          : fmt::format("the gateway redirected {} times", visited_.size() - 1),
                  {{"redirects", join(visited_, " -> ")}}}
                .because(http_fact(response)));

    const bool is_same_server = target->is_same_server(place_);
    place_ = *target;
    if (!is_same_server) {
        cookies_.clear();  // They were another server's.
        is_connected_ = false;
    }
    events_.emplace_back(Redirected{place_, is_same_server && is_connected_});
    form_.reset();
    request_ = {place_.path, write_init(identity(), said_no_certificate_)};
    if (is_connected_) write_out();
    return {};
}

Result<void> LoginClient::take_request(AuthRequest request, const HttpResponse& response) {
    if (request.is_host_scan_wanted)
        return fail(Vpn::pluginDisabled,
                    "the gateway wants to examine this machine with a program of its own (host "
                    "scan), which is never run here");
    if (request.is_second_certificate_wanted)
        return fail(Vpn::negotiationFailed,
                    "the gateway wants a second client certificate, which is not supported");
    if (request.is_browser_wanted)
        return fail(
            Vpn::negotiationFailed,
            "the gateway wants a login through a web browser (SAML), which is not supported",
            {{"method", "single-sign-on-v2"}});
    if (!request.is_certificate_wanted) return take_form(std::move(request), response);

    if (said_no_certificate_)
        return std::unexpected(
            Error{Vpn::clientCertificateInvalid,
                  "the gateway wants a client certificate and there is none to show"}
                .because(Error{Tls::errSSLClientCertRequested, ""}));
    is_connected_ = false;
    request_ = {place_.path, write_init(identity())};
    events_.emplace_back(ClientCertificateWanted{place_});
    return {};
}

Result<void> LoginClient::take_form(AuthRequest request, const HttpResponse& response) {
    if (++forms_ > form_limit)
        return fail(Vpn::negotiationFailed,
                    fmt::format("the gateway asked {} times and never came to an end", form_limit));
    const AuthForm& form = request.form;
    if (!form.banner.empty() && form.banner != banner_shown_) {
        banner_shown_ = form.banner;
        events_.emplace_back(Banner{form.banner});
    }
    take_refusal(form, response);
    if (form.fields.empty()) {
        if (refusal_) return std::unexpected(*refusal_);
        const std::string& words = form.error.empty() ? form.message : form.error;
        return fail(Vpn::negotiationFailed,
                    "the gateway's form asks for nothing" +
                        (words.empty() ? std::string() : ": " + in_quotes(words)));
    }
    if (guesses_group_) {
        // A group that was named unasked may be echoed among the choices, whether it exists or not:
        // asked without it, the gateway shows its own.
        guesses_group_ = false;
        group_.clear();
        send_init(place_.path, said_no_certificate_);
        return {};
    }
    if (auto group = check_group(form); !group) return pass(group);
    opaque_ = std::move(request.opaque);
    form_ = std::move(request.form);
    events_.emplace_back(NeedAnswers{*form_, attempt_, refusal_});
    return {};
}

/// A form that was answered before has come again: the answers were refused.
void LoginClient::take_refusal(const AuthForm& form, const HttpResponse& response) {
    refusal_.reset();
    const auto asked = asked_fields(form);
    const bool was_answered = std::ranges::any_of(
        answered_, [&](const auto& answers) { return answer_the_same(answers, asked); });
    const auto reason = read_reason(response.headers, "");
    if (!reason && form.error.empty() && !(was_answered && asks_password(form))) return;

    ++attempt_;
    if (reason) {
        refusal_ = reason->error();
        return;
    }
    const std::string& words = form.error.empty() ? form.message : form.error;
    const auto first_line = std::string_view(words).substr(0, words.find('\n'));
    refusal_ = Error{Vpn::authenticationFailed,
                     first_line.empty()
                         ? "the gateway did not accept the answers"
                         : "the gateway did not accept the answers: " + in_quotes(first_line)};
}

Result<void> LoginClient::take_complete(const AuthComplete& complete) {
    auto cookie = cookies_.find("webvpn");
    if (!cookie && !complete.session_token.empty()) cookie = complete.session_token;
    if (!cookie)
        return fail(Vpn::negotiationFailed,
                    "the gateway says that the login is complete, but sent no cookie");
    Url gateway = place_;
    gateway.path = "/";
    events_.emplace_back(LoggedIn{*std::move(cookie), std::move(gateway),
                                  complete.banner.empty() ? complete.message : complete.banner,
                                  !is_connected_});
    return {};
}

// Answers of the user

std::string LoginClient::wished_group() const {
    if (!settings_.group.empty()) return settings_.group;
    return asked_at_root_ ? settings_.gateway.group() : std::string();
}

/// The group that was asked for must be on offer.
Result<void> LoginClient::check_group(const AuthForm& form) {
    const std::string wish = wished_group();
    if (wish.empty() || group_was_checked_) return {};
    auto group = group_on_offer(form, wish);
    if (!group) return pass(group);
    group_ = *std::move(group);
    group_was_checked_ = true;
    return {};
}

bool LoginClient::was_refused(const std::vector<AnsweredField>& answers) const {
    return refusal_ && asks_password(*form_) &&
           std::ranges::any_of(answered_, [&](const auto& old) { return are_equal(old, answers); });
}

Result<void> LoginClient::answer(const std::map<std::string, Secret>& answers) {
    if (failure_) return std::unexpected(*failure_);
    if (!form_) return fail(Trust::errSecBadReq, "no form is waiting for an answer");
    auto filled = answer_form(*form_, answers, group_);
    if (!filled) return pass(filled);
    if (was_refused(filled->asked)) return std::unexpected(*refusal_);

    const auto target = place_.resolve(form_->action);
    if (!target) return std::unexpected(target.error());
    if (!target->is_same_server(place_))
        return fail(
            Vpn::negotiationFailed,
            "the gateway's form would send the answers to another server: " + target->authority());
    std::erase_if(answered_,
                  [&](const auto& old) { return answer_the_same(old, asked_fields(*form_)); });
    answered_.push_back(std::move(filled->asked));
    if (!filled->group.empty()) group_ = filled->group;
    form_.reset();
    send({target->path, write_auth_reply(identity(), opaque_, filled->fields)});
    return {};
}

}  // namespace causeway::protocol
