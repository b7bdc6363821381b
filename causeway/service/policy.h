// Who may own a VPN on this machine: the file /etc/causeway/service.toml.
//
// An empty file means: root and the group "causeway" may. docs/service.toml shows every key.

#pragma once

#include "causeway/error/error.h"
#include "causeway/program/config_keys.h"
#include "causeway/service/caller.h"
#include "causeway/service/lockdowns.h"

#include <set>
#include <string>
#include <string_view>

namespace causeway::service {

/// Users and groups by their numbers.
struct Accounts {
    std::set<uid_t> users;
    std::set<gid_t> groups;

    bool has(const Caller& caller) const;
};

struct Policy {
    std::string path;
    bool is_prohibited = false;
    Accounts prohibited_for;
    Accounts owners;
    Accounts guests;
    std::string run_as_user = "causeway";
    bool asks_consent = false;
    LockdownPolicy lockdown;

    /// Fails with PROHIBITED_BY_POLICY, which names the file and the key.
    Result<void> check_prohibited(const Caller& caller) const;
    /// Fails with PERMISSION_DENIED: neither root nor among the owners.
    Result<void> check_permission(const Caller& caller) const;
    /// Fails with VPN_CREATION_DENIED.
    Result<void> check_guest(const Caller& caller) const;
    /// Both, in this order.
    Result<void> check_owner(const Caller& caller) const;
};

program::ConfigKeys policy_keys();

/// Fails with configurationFailed with all faults, each with its line and column; users and groups
/// that this machine does not have are faults.
Result<Policy> parse_policy(std::string_view text, const std::string& path);
/// A file that is not there is a fault too, unless `may_be_missing`.
Result<Policy> load_policy(const std::string& path, bool may_be_missing);

}  // namespace causeway::service
