// The service itself: what is asked for is checked, carried out and taken back, in one thread.
//
// A session takes its place before anything is changed, is bound to its owner's connection and
// process, and ends with either; what its lockdown has closed stays so until it is destroyed. What
// waits for another process (the keeper) waits in the loop.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/error/incident.h"
#include "causeway/service/ask.h"
#include "causeway/service/authority.h"
#include "causeway/service/consents.h"
#include "causeway/service/incident_book.h"
#include "causeway/service/keeper.h"
#include "causeway/service/listeners.h"
#include "causeway/service/lockdowns.h"
#include "causeway/service/policy.h"
#include "causeway/service/session_table.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace causeway::service {

class VpnService {
public:
    using Reply = std::move_only_function<void(Result<Answer>)>;
    using Tell = Listeners::Tell;

    VpnService(EventLoop& loop, Policy policy, std::string state_folder, Keeper& keeper,
               Lockdowns& lockdowns, Tell tell);
    ~VpnService();

    /// Who has consented, as it was kept. Fails as `Consents::load`: then nobody has.
    Result<void> load_consents() { return consents_.load(); }

    /// Whom to ask for what the policy file does not give; nobody from the start. It must outlive
    /// the service, or be taken away.
    void set_authority(Authority* authority) { authority_ = authority; }

    /// `reply` is called at once or later, once; not at all when the connection closes meanwhile
    /// and nothing was begun.
    void handle(Ask ask, Reply reply);
    /// Its sessions end.
    void connection_closed(ConnectionId connection);
    /// Ends all sessions; `done` is called when they have.
    void shut_down(std::move_only_function<void()> done);

    /// Makes an incident of a refusal and keeps it for who asks again.
    Incident record(const Caller& caller, Error error) {
        return incidents_.record(caller, std::move(error));
    }

private:
    void carry_out(Ask ask, Reply reply);
    // Of the authority, in their own file.
    void ask_authority(Right right, Ask ask, Error refusal, Reply reply);
    Result<void> keep_consent(const Ask& ask, Right right);
    void drop_questions(ConnectionId connection);

    void set_up(Ask& ask, Reply reply);
    Result<Answer> protect(Ask& ask);
    void destroy(Ask& ask, Reply reply);
    Result<Answer> status(const Ask& ask);
    Result<Answer> list_sessions(const Ask& ask);
    Result<Answer> subscribe(const Ask& ask);
    Result<Answer> explain(const Ask& ask);
    Result<Answer> find_incident(const Ask& ask);
    Result<Answer> administer(const Ask& ask);
    Result<Answer> open_portal(const Ask& ask);
    Result<Answer> open_held(const Ask& ask, const HeldLock& lock);
    /// What a session that is no more holds closed.
    std::optional<HeldLock> held_lock(const std::string& session) const;

    // Of consents, in their own file.
    void give_consent(const Ask& ask, Reply reply);
    void revoke_consent(const Ask& ask, Reply reply);
    Result<void> check_consent(const Caller& caller) const;
    void ask_for_consent(const Caller& caller, const Error& refusal);

    Result<void> bind(Session& session, const Ask& ask);
    Result<void> close_for(const Session& session);
    Result<PlainTun> prepare(Session& session);
    void ask_for_marks(std::uint64_t id, PlainTun tun, Reply reply);
    void go_on(Session& session, PlainTun tun, Reply reply);
    Result<void> apply(Session& session);
    Result<void> open_ways();
    Result<void> keep_promise(const Session& session);
    Result<void> settle_lock(const Session& session);
    void ask_for_dns(std::uint64_t id, Fd tun, Reply reply);
    void came_up(Session& session, Fd tun, Reply reply);
    void give_up(Session& session, Error error, Reply reply);

    void end(Session& session, std::string reason,
             std::move_only_function<void(const Result<void>&)> waiter = nullptr);
    void tear_down(Session& session);
    void finish(std::uint64_t id, Result<void> dns);

    EventLoop& loop_;
    Policy policy_;
    std::string state_folder_;
    Consents consents_;
    Keeper& keeper_;
    Lockdowns& lockdowns_;
    Listeners listeners_;
    SessionTable sessions_;
    IncidentBook incidents_;
    Authority* authority_ = nullptr;
    std::map<std::uint64_t, ConnectionId> questions_;  ///< That the authority has not answered.
    std::uint64_t last_question_ = 0;
    std::move_only_function<void()> shut_down_done_;
};

/// As a session of the state "held".
nlohmann::ordered_json json_of(const HeldLock& lock);

}  // namespace causeway::service
