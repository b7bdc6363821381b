#include "causeway/service/policy.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/device/limits.h"
#include "causeway/program/config_reader.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace causeway::service {
namespace {

using program::ConfigFaults;
using program::ConfigKey;
using program::ConfigSection;
using program::flag_key;
using program::list_key;
using program::Setting;
using program::SettingTable;
using program::text_key;

constexpr std::size_t file_limit = 256 * 1024;
constexpr std::string_view standard_group = "causeway";

constexpr auto keys = std::to_array<ConfigKey>({
    flag_key("", "prohibited", "false", "Nobody may set up a VPN."),
    text_key("", "run_as_user", 1, 32, "\"causeway\"",
             "User to become once the socket is open; where there is none, the starter stays."),
    {"", "consent", program::KeyKind::choice, 0, 0, "none|ask", "\"none\"",
     "\"ask\": an owner's programs may set up VPNs once he has consented; root's always may."},
    flag_key("", "always_on", "false", "Nothing leaves while no tunnel is up."),
    flag_key("", "lockdown", "false", "Nothing leaves beside a tunnel, whether or not one is up."),
    list_key("", "lan", "[]",
             "Networks that are reached under always_on and lockdown, but for name queries."),
    list_key("owners", "users", "[]", "Users who may own a VPN, besides root."),
    list_key("owners", "groups", "[\"causeway\"]", "Groups whose members may."),
    list_key("guests", "users", "[]", "Users who may not, whatever else is said."),
    list_key("guests", "groups", "[]", "Groups whose members may not."),
    list_key("prohibited_for", "users", "[]", "Users for whom VPNs are switched off."),
    list_key("prohibited_for", "groups", "[]", "Groups for whose members they are."),
});
constexpr std::array<std::string_view, 3> sections{"owners", "guests", "prohibited_for"};

std::optional<gid_t> group_named(const std::string& name) {
    if (const auto number = parse_number<gid_t>(name, 0, 0xfffffffe)) return number;
    const group* found = getgrnam(name.c_str());
    if (found == nullptr) return std::nullopt;
    return found->gr_gid;
}

/// The tables at the top of the file; anything else there is a fault.
void check_sections(const SettingTable& root, ConfigFaults& faults) {
    for (const auto& [name, setting] : root.entries) {
        if (!setting.as<SettingTable>()) continue;
        if (std::ranges::find(sections, name) != sections.end()) continue;
        const auto near = nearest(name, sections);
        faults.add(setting.place,
                   fmt::format("there is no section [{}]{}", printable(name),
                               near ? fmt::format("; the nearest is [{}]", *near) : ""));
    }
}

std::optional<Prefix> lan_network(const std::string& text) {
    const auto network = Prefix::parse(text);
    if (!network || network->length == 0 || network->network() != *network) return std::nullopt;
    return network;
}

void read_lockdown(const ConfigSection& top, const SettingTable& root, LockdownPolicy& lockdown,
                   ConfigFaults& faults) {
    top.read("always_on", lockdown.always_on);
    top.read("lockdown", lockdown.lockdown);
    const auto lan = program::read_list<Prefix>(
        top, "lan", "a network such as 192.168.0.0/16, without bits behind the prefix",
        lan_network);
    if (lan) lockdown.lan = *lan;
    if (lockdown.lan.size() > device::lan_limit)
        faults.add(root.find("lan")->place, fmt::format("{} networks, and at most {} are carried",
                                                        lockdown.lan.size(), device::lan_limit));
}

/// A section that is no table is refused where the keys of the top are: there is no such key.
const SettingTable* table_of(const SettingTable& root, std::string_view name) {
    const Setting* setting = root.find(name);
    return setting ? setting->as<SettingTable>() : nullptr;
}

Accounts read_accounts(const SettingTable& root, std::string_view name, ConfigFaults& faults) {
    const Setting* setting = root.find(name);
    const ConfigSection section(name, table_of(root, name),
                                setting ? setting->place : program::FilePlace{1, 1}, faults);
    Accounts accounts;
    const auto users =
        program::read_list<uid_t>(section, "users", "the name or number of a user", user_named);
    if (users) accounts.users.insert(users->begin(), users->end());
    const auto groups =
        program::read_list<gid_t>(section, "groups", "the name or number of a group", group_named);
    if (groups) accounts.groups.insert(groups->begin(), groups->end());
    return accounts;
}

/// The group that may where the file does not say which.
void add_standard_group(const SettingTable& root, Accounts& owners) {
    const auto* table = table_of(root, "owners");
    if (table && table->find("groups")) return;
    if (const auto number = group_named(std::string(standard_group))) owners.groups.insert(*number);
}

}  // namespace

bool Accounts::has(const Caller& caller) const {
    return users.contains(caller.uid) ||
           std::ranges::any_of(caller.groups, [&](gid_t group) { return groups.contains(group); });
}

Result<void> Policy::check_prohibited(const Caller& caller) const {
    const char* key = nullptr;
    if (prohibited_for.has(caller)) key = "prohibited_for";
    if (is_prohibited) key = "prohibited";
    if (!key) return {};
    return fail(Service::PROHIBITED_BY_POLICY,
                fmt::format("{} in {} switches VPNs off{}", key, path,
                            is_prohibited ? "" : " for " + spoken(caller.uid)),
                Evidence{{"file", path}, {"key", key}, {"user", spoken(caller.uid)}});
}

Result<void> Policy::check_permission(const Caller& caller) const {
    if (!caller.is_root() && !caller.may_own && !owners.has(caller))
        return fail(
            Service::PERMISSION_DENIED,
            fmt::format("{} is not among the owners that {} names", spoken(caller.uid), path),
            Evidence{{"file", path}, {"key", "owners"}, {"user", spoken(caller.uid)}});
    return {};
}

Result<void> Policy::check_guest(const Caller& caller) const {
    if (guests.has(caller))
        return fail(Service::VPN_CREATION_DENIED,
                    fmt::format("{} is a guest: guests may not own a VPN", spoken(caller.uid)),
                    Evidence{{"file", path}, {"key", "guests"}, {"user", spoken(caller.uid)}});
    return {};
}

Result<void> Policy::check_owner(const Caller& caller) const {
    if (auto may = check_permission(caller); !may) return may;
    return check_guest(caller);
}

program::ConfigKeys policy_keys() { return keys; }

Result<Policy> parse_policy(std::string_view text, const std::string& path) {
    ConfigFaults faults(path, keys);
    const auto root = program::parse_toml(text);
    if (!root) {
        faults.add(root.error().place, "this is not TOML: " + root.error().words);
        return std::unexpected(faults.error());
    }
    Policy policy;
    policy.path = path;
    check_sections(*root, faults);
    const ConfigSection top("", &*root, {1, 1}, faults);
    top.read("prohibited", policy.is_prohibited);
    top.read("run_as_user", policy.run_as_user);
    if (const std::string* consent = top.text("consent")) policy.asks_consent = *consent == "ask";
    read_lockdown(top, *root, policy.lockdown, faults);
    policy.owners = read_accounts(*root, "owners", faults);
    policy.guests = read_accounts(*root, "guests", faults);
    policy.prohibited_for = read_accounts(*root, "prohibited_for", faults);
    add_standard_group(*root, policy.owners);
    if (!faults.empty()) return std::unexpected(faults.error());
    return policy;
}

Result<Policy> load_policy(const std::string& path, bool may_be_missing) {
    const auto text = read_file(path, file_limit);
    if (!text && text.error() == ENOENT && may_be_missing) return parse_policy("", path);
    if (!text)
        return fail(Vpn::configurationFailed,
                    fmt::format("the policy file {} cannot be read", printable(path)),
                    system_error(text.error(), "open").with("file", path));
    return parse_policy(*text, path);
}

}  // namespace causeway::service
