// What the policy file does not give, an authority may: asked after every other check, so that
// nobody is bothered for a request that is refused anyway, and before anything is changed.

#include "causeway/service/vpn_service.h"

#include <optional>

namespace causeway::service {
namespace {

/// What would turn the refusal, if it has not been asked for yet.
std::optional<Right> missing_right(const Ask& ask, const Error& refusal) {
    const auto& caller = ask.caller;
    const auto key = refusal.fact("key");
    if (refusal.code == Code(Service::PERMISSION_DENIED)) {
        if (key == "owners" && !caller.may_own) return Right::own;
        if (key == "consent" && !caller.may_consent) return Right::consent;
        if (ask.request.method == Method::destroy && !caller.may_administer)
            return Right::administer;
    }
    if (refusal.code == Code(Service::NOT_SYSTEM_CALLER)) {
        const bool is_own_consent =
            ask.request.method == Method::consent && refusal.fact("user") == spoken(caller.uid);
        if (is_own_consent && !caller.may_consent) return Right::consent;
        if (!is_own_consent && !caller.may_administer) return Right::administer;
    }
    return std::nullopt;
}

void grant(Caller& caller, Right right) {
    switch (right) {
        case Right::own: caller.may_own = true; break;
        case Right::consent: caller.may_consent = true; break;
        case Right::administer: caller.may_administer = true; break;
    }
}

/// Without its descriptors: nothing that brings any is a matter of rights.
Ask copy_of(const Ask& ask) {
    return {ask.connection, ask.socket,  ask.caller, ask.request, {}, ask.has_too_many_descriptors,
            ask.process,    ask.bus_name};
}

}  // namespace

void VpnService::handle(Ask ask, Reply reply) {
    if (!authority_ || ask.caller.is_root() || !ask.descriptors.empty())
        return carry_out(std::move(ask), std::move(reply));
    auto again = copy_of(ask);
    carry_out(std::move(ask), [this, again = std::move(again),
                               reply = std::move(reply)](Result<Answer> result) mutable {
        const auto right = result ? std::nullopt : missing_right(again, result.error());
        if (!right || !authority_) return reply(std::move(result));
        ask_authority(*right, std::move(again), std::move(result).error(), std::move(reply));
    });
}

void VpnService::ask_authority(Right right, Ask ask, Error refusal, Reply reply) {
    const auto connection = ask.connection;
    for (const auto& [question, asker] : questions_)
        if (asker == connection) {
            refusal.with("polkit", "another question of this connection is open");
            return reply(std::unexpected(std::move(refusal)));
        }
    const auto question = ++last_question_;
    questions_.emplace(question, connection);
    const Subject subject{ask.bus_name, ask.caller};
    authority_->ask(question, right, subject,
                    [this, question, right, ask = std::move(ask), refusal = std::move(refusal),
                     reply = std::move(reply)](Verdict verdict) mutable {
                        // Whoever asked may have left.
                        if (questions_.erase(question) == 0) return;
                        if (!verdict.is_granted) {
                            if (!verdict.why.empty()) refusal.with("polkit", verdict.why);
                            return reply(std::unexpected(std::move(refusal)));
                        }
                        grant(ask.caller, right);
                        if (auto kept = keep_consent(ask, right); !kept) return reply(pass(kept));
                        handle(std::move(ask), std::move(reply));
                    });
}

/// So that it is asked once.
Result<void> VpnService::keep_consent(const Ask& ask, Right right) {
    if (right != Right::consent || ask.request.method != Method::set_up) return {};
    return consents_.give(ask.caller.uid, ask.caller.uid);
}

void VpnService::drop_questions(ConnectionId connection) {
    for (auto at = questions_.begin(); at != questions_.end();) {
        if (at->second != connection) {
            ++at;
            continue;
        }
        const auto question = at->first;
        at = questions_.erase(at);
        if (authority_) authority_->cancel(question);
    }
}

}  // namespace causeway::service
