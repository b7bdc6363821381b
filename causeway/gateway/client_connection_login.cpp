// The part of ClientConnection that logs a client in: between its requests, LoginServer,
// causeway-auth and the registry.

#include "causeway/base/random.h"
#include "causeway/gateway/client_connection.h"
#include "causeway/gateway/reasons.h"

#include <utility>

namespace causeway::gateway {
namespace {

Reason reason_for(protocol::Reject::Why why) {
    using Why = protocol::Reject::Why;
    switch (why) {
        case Why::bad_request:
        case Why::too_many_requests: return Reason::request_refused;
        case Why::certificate_missing: return Reason::certificate_missing;
        case Why::user_differs: return Reason::certificate_user_differs;
    }
    return Reason::request_refused;
}

}  // namespace

std::optional<protocol::CertificateUser> ClientConnection::certificate_user() {
    const auto& authentication = serving_->config->authentication;
    const auto& chain = transport_.stream().summary().peer_chain;
    if (authentication.client_certificate() == ClientCertificate::none || chain.empty())
        return std::nullopt;
    const auto users = chain.front().attribute(authentication.username_from);
    protocol::CertificateUser user;
    if (!users.empty()) user.user = users.front();
    if (!authentication.group_from.empty()) {
        const auto groups = chain.front().attribute(authentication.group_from);
        if (!groups.empty()) user.group = groups.front();
    }
    return user;
}

void ClientConnection::take_login(const protocol::HttpRequest& request) {
    const auto now = Clock::now();
    const auto named = protocol::login_context(request);
    if (auto waiting = host_.logins.take(named.value_or(context_), now)) {
        login_ = std::move(waiting->login);
        login_until_ = waiting->until;
        return;
    }
    auto certificate = certificate_user();
    auto policy = certificate ? serving_->with_certificate : serving_->without_certificate;
    login_.emplace(std::move(policy), base64(random_bytes(32)), std::move(certificate));
    login_until_ = now + login_time();
}

void ClientConnection::serve_login(const protocol::HttpRequest& request) {
    const auto certificate = certificate_user();
    if (certificate && certificate->user.empty())
        return refuse_request(
            refusal(Reason::certificate_no_name, {},
                    {{"looked_for", serving_->config->authentication.username_from}}),
            row(Reason::certificate_no_name).login_status);
    take_login(request);
    context_ = login_->context();
    act(login_->on(request));
}

void ClientConnection::act(protocol::LoginAction action) {
    std::visit([this](auto&& one) { act_on(std::forward<decltype(one)>(one)); }, std::move(action));
}

void ClientConnection::act_on(protocol::Respond respond) {
    put_login_back();
    stage_ = Stage::requests;
    send(respond.bytes.reveal(), respond.closes);
}

void ClientConnection::put_login_back() {
    if (login_ && !login_->is_over()) host_.logins.put(std::move(*login_), login_until_);
    login_.reset();
}

void ClientConnection::act_on(protocol::CheckPassword check) {
    stage_ = Stage::checking;
    host_.check(number_, std::move(check.user), std::move(check.password));
}

void ClientConnection::act_on(protocol::Admit admit) {
    admit_ = std::move(admit);
    if (groups_) return let_in();
    // By certificate alone: the users file still says who is locked, and who is in which group.
    if (!serving_->config->authentication.users_file.empty()) {
        stage_ = Stage::checking;
        return host_.check(number_, admit_->user, std::nullopt);
    }
    groups_.emplace();
    if (!admit_->group.empty()) groups_->push_back(admit_->group);
    let_in();
}

void ClientConnection::act_on(const protocol::Reject& reject) {
    refuse_login(refusal(reason_for(reject.why), reject.detail));
}

void ClientConnection::password_checked(Result<Account> account) {
    if (over_ || transport_.is_closing() || !login_) return;
    if (!account) {
        const ReasonRow* reason = reason_of(account.error());
        if (reason == nullptr || reason->reason != Reason::wrong_password)
            return refuse_login(account.error());
        const auto told = record(account.error(), Phase::authenticate);
        act(login_->password_wrong(told));
    } else {
        groups_ = std::move(account->groups);
        if (admit_)
            let_in();
        else
            act(login_->password_right());
    }
    // A client may have sent its next request while the check was under way.
    on_turn_end();
    transport_.flush();
}

void ClientConnection::let_in() {
    const protocol::Admit admit = std::move(*std::exchange(admit_, std::nullopt));
    const auto groups = std::move(*std::exchange(groups_, std::nullopt));
    auto admitted =
        host_.registry.admit(admit.user, admit.group, groups, client_, agent_, Clock::now());
    if (!admitted) return refuse_login(admitted.error());
    act_on(login_->complete(admitted->cookie));
}

void ClientConnection::refuse_login(const Error& error) {
    const ReasonRow* reason = reason_of(error);
    const auto told = record(error, Phase::authenticate);
    act_on(login_->refuse({reason == nullptr ? 503 : reason->login_status, told}));
    transport_.flush();
}

}  // namespace causeway::gateway
