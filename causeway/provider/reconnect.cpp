#include "causeway/provider/reconnect.h"

#include "causeway/base/clock.h"
#include "causeway/error/catalogue.h"

#include <fmt/format.h>

#include <algorithm>

namespace causeway::provider {
namespace {

bool is_cookie_refused(const Error& failure) { return failure.fact("reauthenticate") == "yes"; }

bool may_pass(const Error& failure) {
    const auto* row = entry(failure.code);
    return row && (row->recovery == Recovery::retry || row->recovery == Recovery::wait_for_network);
}

Error session_forgotten(const Loss& loss, Error refusal) {
    if (loss.address_gone)
        return Error{Vpn::unrecoverableNetworkChange,
                     "this machine's address changed, and the gateway does not carry the session "
                     "over to the new one"}
            .with("reauthenticate", "yes")
            .because(std::move(refusal));
    return Error{Vpn::serverDisconnected,
                 "the connection was lost, and the gateway does not know the session any more"}
        .with("reauthenticate", "yes")
        .with("lost_by", loss.why.detail)
        .because(std::move(refusal));
}

Error never_came_back(const Loss& loss, Error failure) {
    const auto time = spoken(loss.elapsed);
    if (failure.code == Code(Vpn::noNetworkAvailable) ||
        failure.code == Code(Vpn::unrecoverableNetworkChange)) {
        failure.with("lost_by", loss.why.detail);
        return failure;
    }
    Error error{Vpn::serverDead, fmt::format("the session was lost ({}) and could not be taken up "
                                             "again for {}: {}",
                                             loss.why.detail, time, failure.detail)};
    error.with("lost_by", loss.why.detail).with("attempts", std::to_string(loss.attempts));
    if (failure.find(Code(Tls::errSSLConnectionRefused)))
        error.with("candidates", "the gateway was stopped; the gateway crashed");
    return std::move(error).because(std::move(failure));
}

}  // namespace

bool is_loss(const Error& why) {
    if (why.code.domain() != Domain::vpn) return true;
    return why.code == Code(Vpn::serverDead) || why.code == Code(Vpn::unrecoverableNetworkChange);
}

Error as_end_of_session(Error why) {
    if (why.code.domain() == Domain::vpn) return why;
    if (why.code == Code(Tls::errSSLClosedGraceful))
        return Error{Vpn::serverDisconnected, "the gateway closed the connection of the session"}
            .because(std::move(why));
    auto detail = "the connection of the session broke: " + why.detail;
    return Error{Vpn::serverDead, std::move(detail)}.because(std::move(why));
}

std::chrono::milliseconds pause_before(int attempt, const ReconnectPolicy& policy) {
    if (attempt <= 1) return std::chrono::milliseconds(0);
    const auto doubled = policy.first_pause * (1 << std::min(attempt - 2, 16));
    return std::min(doubled, policy.longest_pause);
}

ReconnectMove after_loss(const Loss& loss, const ReconnectPolicy& policy) {
    // A gateway that fell silent tells nothing when it is asked for the reason.
    if (loss.once && loss.why.find(Code(Tls::errSSLNetworkTimeout))) return GiveUp{loss.why};
    return TryAgain{pause_before(loss.attempts + 1, policy)};
}

ReconnectMove after_attempt(const Loss& loss, Error failure, const ReconnectPolicy& policy) {
    if (is_cookie_refused(failure)) {
        if (loss.can_log_in && !loss.once && loss.logins == 0) return LogInAgain{};
        return GiveUp{session_forgotten(loss, std::move(failure))};
    }
    if (!may_pass(failure)) return GiveUp{std::move(failure)};
    const auto limit = loss.once ? policy.inquiry : policy.limit;
    auto pause = pause_before(loss.attempts + 1, policy);
    if (loss.once) pause = std::min(pause, policy.first_pause);
    if (loss.elapsed + pause > limit) return GiveUp{never_came_back(loss, std::move(failure))};
    return TryAgain{pause};
}

}  // namespace causeway::provider
