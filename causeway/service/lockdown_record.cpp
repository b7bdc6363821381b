#include "causeway/service/lockdown_record.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/device/journal.h"
#include "causeway/error/incident.h"
#include "causeway/service/json.h"
#include "causeway/service/limits.h"
#include "causeway/service/request_object.h"
#include "causeway/service/user_list.h"

#include <fmt/format.h>

#include <cerrno>

namespace causeway::service {
namespace {

constexpr std::size_t record_limit = std::size_t{4} * 1024 * 1024;

std::string path_in(const std::string& state_folder) { return state_folder + "/lockdown.json"; }

LockdownPlace this_place() { return {device::this_boot(), device::this_network()}; }

Json json_of(const HeldLock& lock, const LockdownPlace& place) {
    Json json{{"session", incident_id(lock.session)},
              {"owner", lock.owner},
              {"vpnId", lock.vpn_id},
              {"since", lock.since.time_since_epoch().count()},
              {"promised", lock.is_promised},
              {"boot", place.boot},
              {"network", place.network},
              {"lan", Json::array()},
              {"users", Json::array()}};
    for (const auto& network : lock.lan) json["lan"].push_back(network.text());
    for (const auto& [first, last] : lock.users)
        json["users"].push_back(fmt::format("{}-{}", first, last));
    return json;
}

std::vector<Prefix> read_lan(const RequestObject& object) {
    std::vector<Prefix> lan;
    const Json* list = object.list("lan", Need::mandatory, device::lan_limit);
    for (std::size_t i = 0; list && i < list->size(); ++i) {
        const auto text = (*list)[i].is_string() ? (*list)[i].get<std::string>() : std::string();
        if (const auto network = Prefix::parse(text))
            lan.push_back(*network);
        else
            object.illegal("lan", value_text((*list)[i]), "a network");
    }
    return lan;
}

std::vector<device::UserRange> read_users(const RequestObject& object) {
    std::vector<device::UserRange> users;
    const Json* list = object.list("users", Need::mandatory, user_limit);
    for (std::size_t i = 0; list && i < list->size(); ++i) {
        const auto text = (*list)[i].is_string() ? (*list)[i].get<std::string>() : std::string();
        const auto range = parse_user_range(text);
        if (range)
            users.push_back(*range);
        else
            object.illegal("users", value_text((*list)[i]), "a range of users");
    }
    return users;
}

/// Nothing when it belongs elsewhere, or is wrong, which is among the faults.
std::optional<HeldLock> read_lock(const Json& json, RequestFaults& faults,
                                  const LockdownPlace& place) {
    if (!json.is_object()) {
        faults.misshapen("held", value_text(json), "an object");
        return std::nullopt;
    }
    const RequestObject object(
        json, "held", faults,
        {"session", "owner", "vpnId", "since", "promised", "boot", "network", "lan", "users"});
    const auto before = faults.count();
    const auto session =
        parse_incident_id(object.text("session", Need::mandatory).value_or(std::string()));
    if (!session) object.illegal("session", "", "16 hexadecimal digits");
    const auto owner = object.number("owner", Need::mandatory, 0, 0xffffffff);
    auto vpn_id = object.text("vpnId", Need::mandatory);
    const auto since = object.number("since", Need::mandatory, 0, INT64_MAX);
    const auto boot = object.text("boot", Need::mandatory);
    const auto network = object.text("network", Need::mandatory);
    auto lan = read_lan(object);
    auto users = read_users(object);
    if (faults.count() != before || boot != place.boot || network != place.network)
        return std::nullopt;
    return HeldLock{*session,
                    static_cast<uid_t>(*owner),
                    std::move(*vpn_id),
                    WallTime(WallTime::duration(*since)),
                    std::move(lan),
                    std::move(users),
                    object.flag("promised").value_or(false)};
}

}  // namespace

std::string text_of(const LockdownRecord& record, const LockdownPlace& place) {
    Json json{
        {"alwaysOn", record.always_on}, {"lockdown", record.lockdown}, {"held", Json::array()}};
    for (const auto& lock : record.held) json["held"].push_back(json_of(lock, place));
    return json.dump();
}

Result<LockdownRecord> parse_lockdown_record(std::string_view text, const LockdownPlace& place) {
    const Json json = Json::parse(text, nullptr, false);
    RequestFaults faults;
    LockdownRecord record;
    if (!json.is_object()) {
        faults.misshapen("lockdown.json", value_text(json), "an object");
    } else {
        const RequestObject top(json, "", faults, {"alwaysOn", "lockdown", "held"});
        const auto always_on = top.flag("alwaysOn");
        const auto lockdown = top.flag("lockdown");
        for (const auto* name : {"alwaysOn", "lockdown"})
            if (!json.contains(name)) faults.misshapen(name, "", "true or false");
        record.always_on = always_on.value_or(false);
        record.lockdown = lockdown.value_or(false);
        const Json* held = top.list("held", Need::mandatory, lockdown_limit);
        for (std::size_t i = 0; held && i < held->size(); ++i)
            if (auto lock = read_lock((*held)[i], faults, place))
                record.held.push_back(std::move(*lock));
    }
    if (faults.empty()) return record;
    return std::unexpected(system_error(EBADMSG, "read", faults.error().detail));
}

Result<LockdownRecord> load_lockdown_record(const std::string& state_folder) {
    const auto path = path_in(state_folder);
    const auto text = read_file(path, record_limit);
    if (!text && text.error() == ENOENT) return LockdownRecord{};
    if (!text) return std::unexpected(system_error(text.error(), "open").with("file", path));
    auto record = parse_lockdown_record(*text, this_place());
    if (!record) record.error().with("file", path);
    return record;
}

Result<void> save_lockdown_record(const std::string& state_folder, const LockdownRecord& record) {
    const auto path = path_in(state_folder);
    const auto written = write_file_atomically(path, text_of(record, this_place()), 0600);
    if (written) return {};
    return std::unexpected(system_error(written.error(), "write").with("file", path));
}

}  // namespace causeway::service
