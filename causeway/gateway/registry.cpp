#include "causeway/gateway/registry.h"

#include "causeway/gateway/reasons.h"

#include <algorithm>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

Place place_of(const Transport& transport) {
    return {static_cast<std::uint32_t>(transport.shard), transport.connection};
}

std::optional<Prefix> with_netmask(const std::optional<IpAddress>& address,
                                   const std::optional<std::size_t>& pool, const Config& config) {
    if (!address) return std::nullopt;
    if (!pool || !config.pools[*pool].network.contains(*address))
        return Prefix{*address, address->bits()};
    // An IPv6 client gets a host route only: its neighbours are reached through the gateway.
    return Prefix{*address, address->is_v4() ? config.pools[*pool].network.length : 128};
}

}  // namespace

Registry::Registry(std::shared_ptr<const Serving> serving, std::unique_ptr<IncidentLog> log)
    : pool_rules_(serving->config->pools),
      serving_(std::move(serving)),
      admission_(serving_->config->ban, serving_->config->limits),
      sessions_(serving_->config->session.cookie_timeout),
      log_(std::move(log)) {
    for (const Pool& pool : serving_->config->pools)
        pools_.push_back(std::make_unique<AddressPool>(pool));
}

std::shared_ptr<const Serving> Registry::serving() const {
    const std::lock_guard lock(mutex_);
    return serving_;
}

void Registry::change(std::shared_ptr<const Serving> serving) {
    const std::lock_guard lock(mutex_);
    serving_ = std::move(serving);
    admission_.change(serving_->config->ban, serving_->config->limits);
    sessions_.change(serving_->config->session.cookie_timeout);
}

Result<void> Registry::connection_opened(const IpAddress& from) {
    const std::lock_guard lock(mutex_);
    return admission_.connection_opened(from);
}

void Registry::connection_closed(const IpAddress& from) {
    const std::lock_guard lock(mutex_);
    admission_.connection_closed(from);
}

Result<void> Registry::not_banned(const IpAddress& from, Instant now) const {
    const std::lock_guard lock(mutex_);
    return admission_.not_banned(from, now);
}

protocol::Reason Registry::record(const Error& error, Phase phase, const Party& party,
                                  Instant now) {
    const ReasonRow* reason = reason_of(error);
    std::optional<Ban> ban;
    if (reason != nullptr && reason->counts_for_ban && party.client) {
        const std::lock_guard lock(mutex_);
        ban = admission_.failed(party.client->address, now);
    }
    const std::string id = log_->record(error, phase, party);
    if (ban)
        log_->note("banned", party,
                   {{"from", ban->from.text()}, {"failures", std::to_string(ban->failures)}});
    return told(error, parse_incident_id(id));
}

const Group* Registry::group_for(const std::string& wanted, const std::vector<std::string>& allowed,
                                 Error& refused) const {
    const Config& config = *serving_->config;
    const Group& fallback = config.groups[config.default_group];
    const std::string& name = !wanted.empty()   ? wanted
                              : allowed.empty() ? fallback.name
                                                : allowed.front();
    const Group* group = config.group(name);
    if (group == nullptr) {
        refused = refusal(Reason::group_unknown, {}, {{"group", name}});
        return nullptr;
    }
    // A user without groups of his own may use the default one.
    const bool may = allowed.empty() ? group == &fallback
                                     : std::ranges::find(allowed, group->name) != allowed.end();
    if (may) return group;
    refused = refusal(Reason::group_not_allowed, {}, {{"group", name}});
    return nullptr;
}

Result<Registry::Admitted> Registry::admit(const std::string& user, const std::string& group_name,
                                           const std::vector<std::string>& groups,
                                           const Endpoint& client, const std::string& agent,
                                           Instant now) {
    const std::lock_guard lock(mutex_);
    Error refused = refusal(Reason::group_unknown);
    const Group* group = group_for(group_name, groups, refused);
    if (group == nullptr) return std::unexpected(std::move(refused));
    const Config& config = *serving_->config;
    if (auto admitted = admit_session(sessions_, config.limits, *group, user); !admitted)
        return pass(admitted);
    admission_.succeeded(client.address);
    LoggedIn login{user, static_cast<std::size_t>(group - config.groups.data()), group->name,
                   client, agent};
    auto opened = sessions_.open(std::move(login), group->session_timeout, now, wall_now());
    return Admitted{opened.number, std::move(opened.cookie)};
}

Result<void> Registry::lease_addresses(const Session& session, const Group& group,
                                       const protocol::ConnectRequest& request) {
    const Config& config = *serving_->config;
    if (auto admitted = admit_session(sessions_, config.limits, group, session.user); !admitted)
        return admitted;
    const bool gets4 = request.wants_v4 && group.pool4;
    const bool gets6 = request.wants_v6 && group.pool6;
    if (!gets4 && !gets6) return std::unexpected(refusal(Reason::no_address_family));

    std::optional<IpAddress> address4;
    if (gets4) {
        auto leased = pool_of(*group.pool4)->lease(session.user);
        if (!leased) return pass(leased);
        address4 = *leased;
    }
    std::optional<IpAddress> address6;
    if (gets6) {
        auto leased = pool_of(*group.pool6)->lease(session.user);
        if (!leased) {
            if (address4) pool_of(*group.pool4)->release(*address4);
            return pass(leased);
        }
        address6 = *leased;
    }
    sessions_.set_addresses(session.number, address4, address6);
    return {};
}

Result<Grant> Registry::connect(const protocol::ConnectRequest& request, const Transport& transport,
                                Instant now) {
    const std::lock_guard lock(mutex_);
    auto number = sessions_.find_by_cookie(request.cookie.reveal(), now);
    if (!number) return pass(number);
    const Session* session = sessions_.find(*number);
    const Config& config = *serving_->config;
    const Group* group = config.group(session->group_name);
    if (group == nullptr)
        return std::unexpected(refusal(Reason::group_removed, {}, {{"user", session->user}}));
    if (!session->holds_address()) {
        if (auto leased = lease_addresses(*session, *group, request); !leased) {
            leased.error().with("user", session->user);
            return pass(leased);
        }
    }
    sessions_.set_hostname(*number, request.hostname);

    Grant grant;
    grant.resumed = session->connects > 0;
    grant.replaced = sessions_.attach(*number, transport);
    session = sessions_.find(*number);
    route(*session, transport);
    grant.session = *number;
    grant.user = session->user;
    grant.group = *group;
    grant.settings = config.session;
    grant.datagram = config.datagram;
    grant.address4 = with_netmask(session->address4, group->pool4, config);
    grant.address6 = with_netmask(session->address6, group->pool6, config);
    if (session->ends)
        grant.session_left = std::max(
            std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(*session->ends - now));
    grant.server_name = config.server_name;
    return grant;
}

void Registry::route(const Session& session, const Transport& transport) {
    for (const auto& address : {session.address4, session.address6})
        if (address) routes_.set(*address, place_of(transport));
}

void Registry::unroute(const Session& session) {
    if (!session.transport) return;
    for (const auto& address : {session.address4, session.address6})
        if (address) routes_.remove(*address, place_of(*session.transport));
}

bool Registry::detach(SessionNumber number, const Transport& transport, const Traffic& traffic,
                      Instant now) {
    const std::lock_guard lock(mutex_);
    const Session* session = sessions_.find(number);
    if (session == nullptr) return false;
    sessions_.add(number, traffic);
    if (session->transport != transport) return false;
    unroute(*session);
    sessions_.detach(number, transport, now);
    return true;
}

std::optional<Session> Registry::end(SessionNumber number, Reason reason, Instant now,
                                     const std::optional<Transport>& only_if_carried_by) {
    const std::lock_guard lock(mutex_);
    const Session* session = sessions_.find(number);
    if (session == nullptr) return std::nullopt;
    if (only_if_carried_by && session->transport != only_if_carried_by) return std::nullopt;
    auto ended = sessions_.end(number, reason, now);
    if (ended) release(*ended);
    return ended;
}

void Registry::release(const Session& session) {
    unroute(session);
    for (const auto& address : {session.address4, session.address6}) {
        if (!address) continue;
        for (const auto& pool : pools_)
            if (pool->pool().network.contains(*address)) pool->release(*address);
    }
}

void Registry::add_traffic(SessionNumber session, const Traffic& traffic) {
    const std::lock_guard lock(mutex_);
    sessions_.add(session, traffic);
}

std::vector<EndedSession> Registry::advance(Instant now) {
    const std::lock_guard lock(mutex_);
    auto ended = sessions_.advance(now);
    for (const EndedSession& one : ended) release(one.session);
    return ended;
}

std::optional<Instant> Registry::deadline() const {
    const std::lock_guard lock(mutex_);
    return sessions_.deadline();
}

std::vector<Session> Registry::sessions() const {
    const std::lock_guard lock(mutex_);
    std::vector<Session> copies;
    for (const Session* session : sessions_.all()) copies.push_back(*session);
    return copies;
}

std::optional<Session> Registry::session(SessionNumber number) const {
    const std::lock_guard lock(mutex_);
    const Session* session = sessions_.find(number);
    return session == nullptr ? std::nullopt : std::optional(*session);
}

std::vector<SessionNumber> Registry::sessions_of_user(std::string_view user) const {
    const std::lock_guard lock(mutex_);
    std::vector<SessionNumber> numbers;
    for (const Session* session : sessions_.of_user(user)) numbers.push_back(session->number);
    return numbers;
}

std::vector<Ban> Registry::bans(Instant now) const {
    const std::lock_guard lock(mutex_);
    return admission_.bans(now);
}

bool Registry::unban(const IpAddress& address, Instant now) {
    const std::lock_guard lock(mutex_);
    return admission_.unban(address, now);
}

}  // namespace causeway::gateway
