// The service's calls about consent: given once, revoked with effect at once.

#include "causeway/base/text.h"
#include "causeway/service/request_params.h"
#include "causeway/service/vpn_service.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

namespace causeway::service {
namespace {

/// Whose consent it is about: the caller's own when nobody is named.
Result<uid_t> whose(const Ask& ask) {
    std::optional<std::string> name;
    const auto shape = read_params(ask, {"user"}, 0, [&](const RequestObject& params) {
        name = params.text("user", Need::optional);
    });
    if (!shape) return std::unexpected(shape.error());
    if (!name) return ask.caller.uid;
    if (const auto user = user_named(*name)) return *user;
    RequestFaults faults;
    faults.illegal("user", in_quotes(*name, 60), "the name or number of a user");
    return std::unexpected(faults.error());
}

std::unexpected<Error> for_root(std::string_view call, uid_t user) {
    return fail(Service::NOT_SYSTEM_CALLER, fmt::format("{} of {} is for root", call, spoken(user)),
                Evidence{{"method", std::string(call)}, {"user", spoken(user)}});
}

/// Of several sessions that end at once: when all have ended, the first that could not be undone.
struct Ends {
    std::size_t open;
    Result<void> first = {};
    VpnService::Reply reply;
    nlohmann::ordered_json result;

    void one_ended(const Result<void>& undone) {
        if (!undone && first) first = undone;
        if (--open > 0) return;
        if (!first) return reply(pass(first));
        reply(Answer{std::move(result)});
    }
};

}  // namespace

Result<void> VpnService::check_consent(const Caller& caller) const {
    if (!policy_.asks_consent) return {};
    return consents_.check(caller, policy_.path);
}

/// An administrator, or a program that asks users for them, hears of it; once.
void VpnService::ask_for_consent(const Caller& caller, const Error& refusal) {
    if (refusal.code != Code(Service::PERMISSION_DENIED) || refusal.fact("key") != "consent")
        return;
    if (!consents_.is_first_question(caller.uid)) return;
    listeners_.tell(caller, {{"version", protocol_version},
                             {"event", "consent_asked"},
                             {"time", iso8601(wall_now())},
                             {"user", spoken(caller.uid)},
                             {"uid", caller.uid}});
}

void VpnService::give_consent(const Ask& ask, Reply reply) {
    const auto user = whose(ask);
    if (!user) return reply(std::unexpected(user.error()));
    const bool is_own = ask.caller.may_consent && *user == ask.caller.uid;
    if (!is_own && !ask.caller.administers()) return reply(for_root("consent", *user));
    if (auto given = consents_.give(*user, ask.caller.uid); !given) return reply(pass(given));
    reply(Answer{{{"user", spoken(*user)}, {"uid", *user}, {"consented", true}}});
}

/// Who has agreed may always change his mind. Answers once his sessions have ended.
void VpnService::revoke_consent(const Ask& ask, Reply reply) {
    const auto user = whose(ask);
    if (!user) return reply(std::unexpected(user.error()));
    if (!ask.caller.administers() && ask.caller.uid != *user)
        return reply(for_root("revoke", *user));
    auto revoked = consents_.revoke(*user);
    std::vector<Session*> affected;
    // Without a question nobody's consent is what his sessions rest on; root's never is.
    if (policy_.asks_consent && *user != 0)
        for (const auto& [id, session] : sessions_.all())
            if (session->owner.uid == *user) affected.push_back(session.get());
    auto ends = std::make_shared<Ends>(
        Ends{.open = affected.size() + 1,
             .reply = std::move(reply),
             .result = {{"user", spoken(*user)}, {"uid", *user}, {"ended", affected.size()}}});
    for (Session* session : affected) {
        // What its lockdown holds closed goes with it.
        session->was_destroyed = true;
        end(*session, "its user's consent was revoked",
            [ends](const Result<void>& undone) { ends->one_ended(undone); });
    }
    ends->one_ended(revoked ? Result<void>{} : Result<void>(pass(revoked)));
}

}  // namespace causeway::service
