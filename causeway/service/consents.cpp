#include "causeway/service/consents.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/service/json.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace causeway::service {
namespace {

constexpr int file_version = 1;
constexpr mode_t file_mode = 0600;

std::unexpected<Error> unreadable(int number, const std::string& path) {
    return std::unexpected(system_error(number, "open").with("file", path));
}

/// Of one entry: {"uid": 1000, "since": 1795600000, "by": 0}
bool read_entry(const Json& entry, std::map<uid_t, Consent>& into) {
    for (const char* key : {"uid", "since", "by"})
        if (!entry.is_object() || !entry.contains(key) || !entry[key].is_number_unsigned())
            return false;
    const auto since = std::chrono::seconds(entry["since"].get<std::int64_t>());
    into.emplace(entry["uid"].get<uid_t>(), Consent{WallTime(since), entry["by"].get<uid_t>()});
    return true;
}

std::int64_t seconds_of(WallTime time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

Result<void> Consents::load() {
    const auto text = read_file(path_);
    if (!text && text.error() == ENOENT) return {};
    if (!text) return unreadable(text.error(), path_);
    const Json json = Json::parse(*text, nullptr, false);
    if (!json.is_object() || json.value("version", Json()) != file_version ||
        !json.contains("consents") || !json["consents"].is_array())
        return unreadable(EBADMSG, path_);
    std::map<uid_t, Consent> read;
    for (const auto& entry : json["consents"])
        if (!read_entry(entry, read)) return unreadable(EBADMSG, path_);
    consents_ = std::move(read);
    return {};
}

const Consent* Consents::of(uid_t user) const {
    const auto found = consents_.find(user);
    return found == consents_.end() ? nullptr : &found->second;
}

Result<void> Consents::give(uid_t user, uid_t by) {
    if (of(user)) return {};
    auto wanted = consents_;
    wanted.emplace(user, Consent{wall_now(), by});
    if (auto saved = save(wanted); !saved) return saved;
    consents_ = std::move(wanted);
    asked_.erase(user);
    return {};
}

Result<bool> Consents::revoke(uid_t user) {
    asked_.erase(user);
    if (consents_.erase(user) == 0) return false;
    if (auto saved = save(consents_); !saved) return pass(saved);
    return true;
}

Result<void> Consents::check(const Caller& caller, const std::string& policy_file) const {
    if (caller.is_root() || of(caller.uid)) return {};
    return fail(Service::PERMISSION_DENIED,
                fmt::format("{} has not consented to VPNs of his programs, and {} asks for that",
                            spoken(caller.uid), policy_file),
                Evidence{{"file", policy_file}, {"key", "consent"}, {"user", spoken(caller.uid)}});
}

bool Consents::is_first_question(uid_t user) { return asked_.insert(user).second; }

Result<void> Consents::save(const std::map<uid_t, Consent>& consents) const {
    Json list = Json::array();
    for (const auto& [user, consent] : consents)
        list.push_back({{"uid", user}, {"since", seconds_of(consent.since)}, {"by", consent.by}});
    const Json json{{"version", file_version}, {"consents", std::move(list)}};
    const auto written = write_file_atomically(path_, json.dump() + "\n", file_mode);
    if (written) return {};
    return std::unexpected(Error{
        Service::SYSTEM_INTERNAL_ERROR,
        "the consent cannot be kept",
        {{"step", "consent"}}}.because(system_error(written.error(), "write").with("file", path_)));
}

}  // namespace causeway::service
