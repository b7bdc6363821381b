#include "causeway/service/lockdowns.h"

#include "causeway/error/incident.h"
#include "causeway/error/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace causeway::service {
namespace {

/// The name of the machine's own table.
const std::string machine;

std::string name_of(const HeldLock& lock) { return incident_id(lock.session); }

Error not_written(Error below) {
    return Error{Service::SYSTEM_INTERNAL_ERROR,
                 "the record of what stays closed could not be written",
                 {{"step", "lockdown"}}}
        .because(std::move(below));
}

/// The part of a failure that is the service's: what lies above it speaks of a connection.
Error own_part(const Error& error) {
    const Error* own = error.find(Domain::service);
    return own ? *own : error;
}

bool contains(const std::vector<Prefix>& networks, const IpAddress& address) {
    return std::ranges::any_of(networks,
                               [&](const Prefix& network) { return network.contains(address); });
}

/// One that cannot be read may have said "closed".
LockdownRecord record_in(const std::string& state_folder, std::vector<std::string>& notes) {
    auto record = load_lockdown_record(state_folder);
    if (record) return std::move(*record);
    notes.push_back("the machine is closed, since it cannot be read whether it shall be: " +
                    record.error().detail + " (causeway service lockdown off opens it)");
    return {.always_on = false, .lockdown = true, .held = {}};
}

}  // namespace

Result<std::unique_ptr<Lockdowns>> Lockdowns::start(const std::string& state_folder,
                                                    LockdownPolicy policy) {
    std::unique_ptr<Lockdowns> lockdowns(new Lockdowns(state_folder, std::move(policy)));
    auto& record = lockdowns->record_;
    record = record_in(state_folder, lockdowns->notes_);
    // Of sessions that were never up nothing was promised.
    std::vector<HeldLock> unkept;
    std::erase_if(record.held, [&](const HeldLock& lock) {
        if (!lock.is_promised) unkept.push_back(lock);
        return !lock.is_promised;
    });
    if (auto closed = lockdowns->settle(); !closed) return pass(closed);
    for (const auto& lock : unkept)
        if (auto lifted = device::lift_lockdown(name_of(lock)); !lifted)
            lockdowns->notes_.push_back("what a session closed could not be opened: " +
                                        lifted.error().detail);
    // What the administrator switched off by hand or by the policy stays closed no longer.
    if (!lockdowns->tables_.contains(machine))
        if (auto lifted = device::lift_lockdown(machine); !lifted)
            lockdowns->notes_.push_back("the machine could not be opened: " +
                                        lifted.error().detail);
    return lockdowns;
}

std::map<std::string, device::LockdownSettings> Lockdowns::wanted() const {
    std::map<std::string, device::LockdownSettings> all;
    if (is_locked_down() || (is_always_on() && tunnels_.empty()))
        all[machine] = {.lan = policy_.lan, .tunnels = tunnels_, .users = {}, .portal = {}};
    for (const auto& lock : record_.held)
        all[name_of(lock)] = {
            .lan = lock.lan, .tunnels = tunnels_, .users = lock.users, .portal = {}};
    return all;
}

std::optional<device::Portal> Lockdowns::portal_now() const {
    if (!portal_) return std::nullopt;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(portal_end_ - Clock::now());
    if (left <= std::chrono::milliseconds(0)) return std::nullopt;
    auto portal = *portal_;
    portal.lifetime = std::min(portal.lifetime, left);
    return portal;
}

Result<void> Lockdowns::close(const std::string& name, device::LockdownSettings settings,
                              bool anew) {
    const auto there = tables_.find(name);
    if (there != tables_.end() && there->second.settings == settings && !anew) return {};
    auto with_portal = settings;
    with_portal.portal = portal_now();
    if (there != tables_.end()) {
        if (auto changed = there->second.lockdown.change(with_portal); !changed) return changed;
        there->second.settings = std::move(settings);
        return {};
    }
    auto held = device::Lockdown::hold(with_portal, name);
    if (!held) return pass(held);
    tables_.emplace(name, Table{std::move(*held), std::move(settings)});
    return {};
}

/// Makes the firewall what is wanted: closes before it opens. Goes on after a failure to close.
Result<void> Lockdowns::settle(bool all_anew) {
    Result<void> first;
    const auto all = wanted();
    for (const auto& [name, settings] : all)
        if (auto closed = close(name, settings, all_anew); !closed && first)
            first = std::unexpected(own_part(closed.error()));
    if (!first) return first;
    for (auto at = tables_.begin(); at != tables_.end();) {
        if (all.contains(at->first)) {
            ++at;
            continue;
        }
        auto lifted = at->second.lockdown.lift();
        if (!lifted && first) first = pass(lifted);
        // What could not be lifted is tried again the next time.
        at = lifted ? tables_.erase(at) : std::next(at);
    }
    return first;
}

/// The record comes first: whoever dies in between, the next start does the rest.
Result<void> Lockdowns::change(LockdownRecord record) {
    if (auto saved = save_lockdown_record(state_folder_, record); !saved)
        return std::unexpected(not_written(std::move(saved).error()));
    auto before = std::exchange(record_, std::move(record));
    auto settled = settle();
    if (settled) return {};
    record_ = std::move(before);
    if (auto saved = save_lockdown_record(state_folder_, record_); !saved)
        settled.error().with("left_behind", saved.error().detail);
    if (auto back = settle(); !back) settled.error().with("left_behind", back.error().detail);
    return settled;
}

Result<void> Lockdowns::set_always_on(bool enabled) {
    auto record = record_;
    record.always_on = enabled;
    return change(std::move(record));
}

Result<void> Lockdowns::set_lockdown(bool enabled) {
    auto record = record_;
    record.lockdown = enabled;
    return change(std::move(record));
}

Result<void> Lockdowns::hold(HeldLock lock) {
    auto record = record_;
    record.held.push_back(std::move(lock));
    return change(std::move(record));
}

Result<void> Lockdowns::promise(std::uint64_t session) {
    auto record = record_;
    for (auto& lock : record.held)
        if (lock.session == session) lock.is_promised = true;
    return change(std::move(record));
}

Result<void> Lockdowns::release(std::uint64_t session) {
    auto record = record_;
    std::erase_if(record.held, [&](const HeldLock& lock) { return lock.session == session; });
    return change(std::move(record));
}

const HeldLock* Lockdowns::find(std::uint64_t session) const {
    const auto found = std::ranges::find(record_.held, session, &HeldLock::session);
    return found == record_.held.end() ? nullptr : &*found;
}

Result<void> Lockdowns::set_tunnels(std::vector<std::string> tunnels) {
    auto before = std::exchange(tunnels_, std::move(tunnels));
    auto settled = settle();
    if (!settled) tunnels_ = std::move(before);
    return settled;
}

Result<void> Lockdowns::open_portal(device::Portal portal) {
    portal_end_ = Clock::now() + portal.lifetime;
    portal_ = std::move(portal);
    auto settled = settle(true);
    if (!settled) portal_.reset();
    return settled;
}

Result<std::vector<std::string>> Lockdowns::look_after() {
    std::vector<std::string> words;
    for (auto& [name, table] : tables_) {
        const auto whole = table.lockdown.look_after();
        if (!whole) return std::unexpected(own_part(whole.error()));
        if (*whole) continue;
        words.push_back(name.empty()
                            ? std::string("somebody changed the lockdown of this machine, which "
                                          "is put back")
                            : "somebody changed the lockdown of session " + name +
                                  ", which is put back");
    }
    return words;
}

std::string Lockdowns::holds_back(const IpAddress& destination) const {
    const auto all = wanted();
    if (const auto at = all.find(machine); at != all.end() && !contains(policy_.lan, destination))
        return is_locked_down() ? "the lockdown of this machine"
                                : "always-on: no tunnel is up on this machine";
    for (const auto& lock : record_.held)
        if (lock.users.empty() && !contains(lock.lan, destination))
            return "the lockdown of session " + name_of(lock);
    return {};
}

Result<bool> close_without_policy(const std::string& state_folder) {
    std::vector<std::string> notes;
    const auto record = record_in(state_folder, notes);
    if (!record.always_on && !record.lockdown) return false;
    auto held = device::Lockdown::hold({});
    if (!held) return pass(held);
    return true;
}

}  // namespace causeway::service
