// The service itself: what is asked for is checked, carried out and taken back, in one thread.
//
// A session takes its place before anything is changed, is bound to its owner's connection and
// process, and ends with either. What waits for another process (the keeper) waits in the loop.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/error/incident.h"
#include "causeway/service/authority.h"
#include "causeway/service/consents.h"
#include "causeway/service/keeper.h"
#include "causeway/service/policy.h"
#include "causeway/service/request.h"
#include "causeway/service/session.h"

#include <nlohmann/json.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace causeway::service {

/// What a request is answered with.
struct Answer {
    nlohmann::ordered_json result = nlohmann::ordered_json::object();
    std::vector<Fd> descriptors = {};
};

/// Who asks, and with what.
struct Ask {
    ConnectionId connection;
    int socket;  ///< Of the connection, while it lasts; -1 for one of the bus.
    Caller caller;
    Request request;
    std::vector<Fd> descriptors;
    bool has_too_many_descriptors = false;
    int process = -1;           ///< A pidfd of the caller's, where the bus has named one.
    std::string bus_name = {};  ///< Of a caller of the bus.
};

class VpnService {
public:
    using Reply = std::move_only_function<void(Result<Answer>)>;
    /// Sends an event to a connection.
    using Tell = std::function<void(ConnectionId, const std::string& json)>;

    VpnService(EventLoop& loop, Policy policy, std::string state_folder, Keeper& keeper, Tell tell);
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
    Incident record(const Caller& caller, Error error);

private:
    using Sessions = std::map<std::uint64_t, std::unique_ptr<Session>>;
    struct Kept {
        uid_t owner;
        Incident incident;
    };

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

    // Of consents, in their own file.
    void give_consent(const Ask& ask, Reply reply);
    void revoke_consent(const Ask& ask, Reply reply);
    Result<void> check_consent(const Caller& caller) const;
    void ask_for_consent(const Caller& caller, const Error& refusal);

    Result<VpnConfig> wanted_config(const Ask& ask) const;
    Result<void> check_others(const VpnConfig& config) const;
    Result<void> check_slot(const VpnConfig& config, const Caller& caller) const;
    Session& reserve(const Ask& ask, VpnConfig config);
    Result<void> bind(Session& session, const Ask& ask);
    Result<Fd> apply(Session& session);
    void ask_for_dns(std::uint64_t id, Fd tun, Reply reply);
    void came_up(Session& session, Fd tun, Reply reply);
    void give_up(Session& session, Error error, Reply reply);

    Session* find(std::uint64_t id);
    Result<Session*> session_named(const std::string& id);
    std::vector<std::uint64_t> sessions_of(ConnectionId connection) const;
    void end(Session& session, std::string reason,
             std::move_only_function<void(const Result<void>&)> waiter = nullptr);
    void tear_down(Session& session);
    void finish(std::uint64_t id, Result<void> dns);
    void tell_listeners(const Caller& owner, const nlohmann::ordered_json& event);
    void announce(const char* event, const Session& session, std::string_view reason = {});

    EventLoop& loop_;
    Policy policy_;
    std::string state_folder_;
    Consents consents_;
    Keeper& keeper_;
    Tell tell_;
    Sessions sessions_;
    std::map<ConnectionId, Caller> listeners_;
    std::deque<Kept> incidents_;
    Authority* authority_ = nullptr;
    std::map<std::uint64_t, ConnectionId> questions_;  ///< That the authority has not answered.
    std::uint64_t last_question_ = 0;
    std::move_only_function<void()> shut_down_done_;
};

}  // namespace causeway::service
