// The machine closed whether or not there is a tunnel: a kill switch that belongs to no run.
//
//     auto lockdown = Lockdown::hold({.lan = …});   // before anything else is done
//     lockdown->change({.lan = …, .tunnels = {"cw0"}});   // a tunnel has come
//     …
//     lockdown->lift();
//
// It stays when the process ends, however it ends, and when dead runs are put right; the next
// `hold` takes it over without a moment in which anything leaves. Only `lift` opens the machine.

#pragma once

#include "causeway/device/kill_switch.h"
#include "causeway/error/error.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace causeway::device {

struct LockdownSettings {
    /// Networks of this machine's surroundings that are reached all the same, but for name queries.
    std::vector<Prefix> lan = {};
    /// Interfaces by which everything may leave; those that are not there do not count.
    std::vector<std::string> tunnels = {};
    /// Whose packets are held back; empty: everybody's.
    std::vector<UserRange> users = {};
    /// Reached until the kernel forgets it, at most `portal_limit` after the call.
    std::optional<Portal> portal = {};

    bool operator==(const LockdownSettings&) const = default;
};

class Lockdown {
public:
    /// Closes the machine. Several with different names stand beside each other, and what leaves
    /// must pass all of them. Fails with configurationFailed resting on INVALID_PARAMETER_VALUE (a
    /// prefix, a user or a portal that cannot be), CAPABILITY_NOT_SUPPORTED (no nf_tables), or
    /// SYSTEM_INTERNAL_ERROR <- errno with evidence `step`: "firewall".
    static Result<Lockdown> hold(const LockdownSettings& settings, const std::string& name = {});

    Lockdown(Lockdown&&) noexcept;
    Lockdown& operator=(Lockdown&&) noexcept;
    /// Leaves the machine closed.
    ~Lockdown();

    /// Puts other settings in the place of these, at once. A portal that is not given again is
    /// closed; given again, its time begins anew. Fails like `hold`, and then nothing has changed.
    Result<void> change(const LockdownSettings& settings);

    /// True when the table is there and as it was made; links that came since are under it now.
    /// Else it is made again. A portal keeps the rest of its time. Fails like `hold`.
    Result<bool> look_after();

    /// Opens the machine, and sees that its table is gone. Fails with SYSTEM_INTERNAL_ERROR <-
    /// errno.
    Result<void> lift();

    /// Whether packet sockets are held back, too: not by kernels before 5.16.
    bool sees_frames() const;

private:
    struct State;
    explicit Lockdown(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// Whether the machine is closed by the lockdown of that name, of this process or another, living
/// or dead.
Result<bool> is_locked_down(const std::string& name = {});
/// Opens a machine that a dead process left closed. Fails with the errno, EPERM while the process
/// that closed it lives (where the kernel knows owners).
Result<void> lift_lockdown(const std::string& name = {});

}  // namespace causeway::device
