// What all threads of the gateway share: who is connected, which addresses are given away, who is
// banned. One lock, held for look-ups in memory only; packets never take it.

#pragma once

#include "causeway/gateway/address_pool.h"
#include "causeway/gateway/admission.h"
#include "causeway/gateway/incident_log.h"
#include "causeway/gateway/route_table.h"
#include "causeway/gateway/serving.h"
#include "causeway/gateway/session_table.h"
#include "causeway/protocol/connect_request.h"
#include "causeway/protocol/reason.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace causeway::gateway {

/// What a CONNECT was granted.
struct Grant {
    SessionNumber session = 0;
    std::string user;
    Group group;
    SessionSettings settings;
    DatagramSettings datagram;
    std::optional<Prefix> address4;  ///< With the netmask of the pool.
    std::optional<Prefix> address6;
    std::chrono::seconds session_left{};  ///< 0: no end.
    std::string server_name;
    bool resumed = false;               ///< The session had been up before.
    std::optional<Transport> replaced;  ///< To be told Reason::replaced.
};

/// For any thread.
class Registry {
public:
    Registry(std::shared_ptr<const Serving> serving, std::unique_ptr<IncidentLog> log);

    std::shared_ptr<const Serving> serving() const;
    /// A reload: sessions, leases and bans go on. Configurations that differ in what
    /// `check_reloadable` refuses must not come here.
    void change(std::shared_ptr<const Serving> serving);

    /// See Admission.
    Result<void> connection_opened(const IpAddress& from);
    void connection_closed(const IpAddress& from);
    Result<void> not_banned(const IpAddress& from, Instant now) const;

    /// Writes an incident, counts it towards a ban where it is a failed login, and returns what
    /// the client may be told.
    protocol::Reason record(const Error& error, Phase phase, const Party& party, Instant now);

    struct Admitted {
        SessionNumber session;
        Secret cookie;
    };
    /// A login succeeded: decides on the group and the limits and opens a session. `group` is what
    /// was asked for, or ""; `groups` those of the user, the first is the one taken by default.
    /// Fails with a refusal.
    Result<Admitted> admit(const std::string& user, const std::string& group,
                           const std::vector<std::string>& groups, const Endpoint& client,
                           const std::string& agent, Instant now);

    /// CONNECT with a cookie: leases addresses the first time, takes the session over from the
    /// transport that had it, and routes its packets to `transport`. Fails with a refusal; then
    /// the transport that had the session keeps it.
    Result<Grant> connect(const protocol::ConnectRequest& request, const Transport& transport,
                          Instant now);

    /// The transport is gone; the session waits for its client to come back. False when another
    /// transport had taken it over.
    bool detach(SessionNumber session, const Transport& transport, const Traffic& traffic,
                Instant now);

    /// Ends a session for good; its addresses are free and its route is gone when this returns.
    /// Nothing when it ended before, or when `only_if_carried_by` no longer carries it.
    std::optional<Session> end(SessionNumber session, Reason reason, Instant now,
                               const std::optional<Transport>& only_if_carried_by = std::nullopt);

    void add_traffic(SessionNumber session, const Traffic& traffic);

    /// Ends the sessions whose time has come.
    std::vector<EndedSession> advance(Instant now);
    std::optional<Instant> deadline() const;

    /// Copies, for the control socket.
    std::vector<Session> sessions() const;
    std::optional<Session> session(SessionNumber number) const;
    std::vector<SessionNumber> sessions_of_user(std::string_view user) const;
    std::vector<Ban> bans(Instant now) const;
    bool unban(const IpAddress& address, Instant now);

    /// The pools; they do not change while the gateway runs.
    std::span<const Pool> pools() const { return pool_rules_; }
    RouteTable& routes() { return routes_; }
    IncidentLog& log() { return *log_; }

private:
    const Group* group_for(const std::string& wanted, const std::vector<std::string>& allowed,
                           Error& refused) const;
    Result<void> lease_addresses(const Session& session, const Group& group,
                                 const protocol::ConnectRequest& request);
    void release(const Session& session);
    void route(const Session& session, const Transport& transport);
    void unroute(const Session& session);
    AddressPool* pool_of(std::size_t index) { return pools_[index].get(); }

    const std::vector<Pool> pool_rules_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Serving> serving_;
    Admission admission_;
    SessionTable sessions_;
    std::vector<std::unique_ptr<AddressPool>> pools_;  ///< In the order of Config::pools.
    std::unique_ptr<IncidentLog> log_;
    RouteTable routes_;
};

}  // namespace causeway::gateway
