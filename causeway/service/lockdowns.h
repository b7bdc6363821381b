// What is closed on this machine: by its administrator, and by sessions under lockdown.
//
//     always on    nothing leaves while no tunnel is up
//     lockdown     nothing leaves beside a tunnel, whether or not one is up
//     a session's  nothing of its users leaves beside a tunnel, until the session is destroyed
//
// Each is a table of the firewall that outlives this process; what is in the record is closed again
// by the next start before that does anything else. docs/decisions/0011 says why.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/device/lockdown.h"
#include "causeway/error/error.h"
#include "causeway/service/lockdown_record.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace causeway::service {

/// What the policy file says.
struct LockdownPolicy {
    bool always_on = false;
    bool lockdown = false;
    std::vector<Prefix> lan = {};  ///< Reached all the same, but for name queries.
};

class Lockdowns {
public:
    /// Closes what the record and the policy say. A record that cannot be read closes the machine,
    /// and is said in `notes`. Fails like `device::Lockdown::hold`.
    static Result<std::unique_ptr<Lockdowns>> start(const std::string& state_folder,
                                                    LockdownPolicy policy);

    bool is_always_on() const { return policy_.always_on || record_.always_on; }
    bool is_locked_down() const { return policy_.lockdown || record_.lockdown; }
    /// Whether something of the machine's is closed now, by whomever.
    bool is_closed() const { return !tables_.empty(); }
    const LockdownPolicy& policy() const { return policy_; }
    /// What was done otherwise than expected, a sentence each.
    const std::vector<std::string>& notes() const { return notes_; }

    // Each is written into the record first. Fail with SYSTEM_INTERNAL_ERROR <- errno (evidence
    // `step`: "lockdown" for the record, "firewall") or CAPABILITY_NOT_SUPPORTED; then all is as it
    // was.

    Result<void> set_always_on(bool enabled);
    Result<void> set_lockdown(bool enabled);
    /// A session's, before it changes anything.
    Result<void> hold(HeldLock lock);
    /// From now on it stays until it is released.
    Result<void> promise(std::uint64_t session);
    Result<void> release(std::uint64_t session);

    const std::vector<HeldLock>& held() const { return record_.held; }
    const HeldLock* find(std::uint64_t session) const;

    /// The interfaces by which everything may leave.
    Result<void> set_tunnels(std::vector<std::string> tunnels);

    /// Lets one user reach a portal, through all that is closed, until the time is over. In the
    /// place of an earlier one.
    Result<void> open_portal(device::Portal portal);

    /// Puts back what others took away, and looks at links that have come. What was put back, a
    /// sentence each.
    Result<std::vector<std::string>> look_after();

    /// Which of them would hold the destination back beside a tunnel, for a user of no session's:
    /// "the lockdown of this machine"; empty for none.
    std::string holds_back(const IpAddress& destination) const;

private:
    struct Table {
        device::Lockdown lockdown;
        device::LockdownSettings settings;  ///< Without the portal.
    };

    Lockdowns(std::string state_folder, LockdownPolicy policy)
        : state_folder_(std::move(state_folder)), policy_(std::move(policy)) {}

    std::map<std::string, device::LockdownSettings> wanted() const;
    Result<void> settle(bool all_anew = false);
    Result<void> close(const std::string& name, device::LockdownSettings settings, bool anew);
    Result<void> change(LockdownRecord record);
    std::optional<device::Portal> portal_now() const;

    std::string state_folder_;
    LockdownPolicy policy_;
    LockdownRecord record_;
    std::vector<std::string> tunnels_;
    std::map<std::string, Table> tables_;
    std::optional<device::Portal> portal_;
    Instant portal_end_{};
    std::vector<std::string> notes_;
};

/// Closes the machine when its record says so, without a policy: for a service that cannot start.
/// Whether it is closed now.
Result<bool> close_without_policy(const std::string& state_folder);

}  // namespace causeway::service
