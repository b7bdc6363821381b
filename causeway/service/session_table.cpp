#include "causeway/service/session_table.h"

#include "causeway/base/random.h"
#include "causeway/base/text.h"
#include "causeway/service/limits.h"
#include "causeway/service/request_faults.h"
#include "causeway/service/request_object.h"

#include <fmt/format.h>

namespace causeway::service {
namespace {

/// "whose, since when"
Error exists_already(const Session& other, bool may_know) {
    Error error{Service::VPN_ALREADY_EXISTS,
                fmt::format("{} has {}{} since {} (process {})", spoken(other.owner.uid),
                            other.config.vpn_id.empty()
                                ? std::string("a VPN")
                                : fmt::format("the VPN \"{}\"", other.config.vpn_id),
                            other.state == Session::State::up ? " up" : " in the making",
                            iso8601(other.since), other.owner.pid)};
    error.with("owner", spoken(other.owner.uid))
        .with("uid", std::to_string(other.owner.uid))
        .with("pid", std::to_string(other.owner.pid))
        .with("since", iso8601(other.since))
        .with("state", std::string(name_of(other.state)));
    if (!other.interface.empty()) error.with("interface", other.interface);
    if (may_know) error.with("session", session_id(other.id));
    return error;
}

}  // namespace

Session& SessionTable::reserve(const Ask& ask, VpnConfig config) {
    std::uint64_t id = random_64();
    while (id == 0 || sessions_.contains(id)) id = random_64();
    auto session = std::make_unique<Session>();
    session->id = id;
    session->connection = ask.connection;
    session->owner = ask.caller;
    session->config = std::move(config);
    session->since = wall_now();
    return *sessions_.emplace(id, std::move(session)).first->second;
}

std::unique_ptr<Session> SessionTable::remove(std::uint64_t id) {
    auto node = sessions_.extract(id);
    return node.empty() ? nullptr : std::move(node.mapped());
}

Session* SessionTable::find(std::uint64_t id) {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : found->second.get();
}

Result<Session*> SessionTable::named(const std::string& id) {
    const auto number = parse_incident_id(id);
    if (!number) return illegal_value("session", in_quotes(id, 60), "16 hexadecimal digits");
    Session* session = find(*number);
    if (session) return session;
    return illegal_value("session", in_quotes(id, 60), "a session that is up");
}

std::vector<std::uint64_t> SessionTable::of(ConnectionId connection) const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, session] : sessions_)
        if (session->connection == connection) ids.push_back(id);
    return ids;
}

std::vector<std::uint64_t> SessionTable::ids() const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, session] : sessions_) ids.push_back(id);
    return ids;
}

Result<void> SessionTable::check_others(const VpnConfig& config) const {
    RequestFaults faults;
    std::size_t with_id = 0;
    for (const auto& [id, other] : sessions_) {
        if (!other->config.vpn_id.empty()) ++with_id;
        // The same one twice is another fault.
        if (other->config.vpn_id == config.vpn_id) return {};
        const auto others_name = other->config.vpn_id.empty()
                                     ? std::string("the VPN without vpnId")
                                     : fmt::format("the VPN \"{}\"", other->config.vpn_id);
        for (const auto& overlap : overlaps(config, other->config))
            faults.illegal(
                overlap.field, overlap.value,
                fmt::format("nothing that {} of {} has", others_name, spoken(other->owner.uid)));
    }
    if (!config.vpn_id.empty() && with_id >= vpn_limit)
        faults.illegal("vpnId", fmt::format("one of {}", with_id + 1),
                       fmt::format("{} at a time", vpn_limit));
    if (!faults.empty()) return std::unexpected(faults.error());
    return {};
}

Result<void> SessionTable::check_slot(const VpnConfig& config, const Caller& caller) const {
    for (const auto& [id, other] : sessions_)
        if (other->config.vpn_id == config.vpn_id)
            return std::unexpected(exists_already(*other, may_see(caller, other->owner)));
    return {};
}

}  // namespace causeway::service
