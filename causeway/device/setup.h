// One run's changes to this machine, as a transaction: all of them, or none; and none left behind.
//
//     auto setup = Setup::open(state_folder());      // puts right what dead runs left
//     protect(socket, setup->mark());
//     setup->apply(settings);                        // a failing step undoes those before it
//     …
//     setup->undo();                                 // the machine as it was
//
// Before each step its undo is written to a state file, whose lock this process holds. A process
// that dies leaves the file without its holder; the next `open` or `recover` finds and undoes it.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/device/application.h"
#include "causeway/device/network_settings.h"
#include "causeway/error/error.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace causeway::device {

/// Where state files live: /run/causeway for root, else below $XDG_RUNTIME_DIR, else below /tmp in
/// a folder only this user may enter.
std::string state_folder();

/// Undoes what dead runs left in this network namespace and leaves the living alone. Does all it
/// can and fails with the first thing that it could not. Returns how many runs it put right.
Result<int> recover(const std::string& state_folder);

class Setup {
public:
    /// Takes a free run number, after `recover`. Fails with configurationFailed <-
    /// SYSTEM_INTERNAL_ERROR <- errno (evidence `step`: "state"), VPN_ALREADY_EXISTS when all run
    /// numbers are taken.
    static Result<Setup> open(const std::string& state_folder);

    Setup(Setup&&) noexcept;
    Setup& operator=(Setup&&) noexcept;
    /// Undoes what is applied, in the process that made it; call `undo` to learn whether that
    /// worked. A forked child that lives longer than its parent must close the inherited
    /// descriptors: one of them is the lock that says this run is alive.
    ~Setup();

    /// What sockets of this run are to be marked with; also its routing table.
    std::uint32_t mark() const;

    /// Who marks the sockets of applications, when this process may not load BPF programs.
    void set_marker(SocketMarker marker);

    /// Whether name servers could be set, found out without changing anything: the resolver in use
    /// answers, its file can be written. To be asked before credentials are used. Fails like
    /// `apply`.
    Result<void> check_dns() const;

    /// Makes the machine as wanted: link, addresses, routes, rules, name servers. Over what an
    /// earlier call applied, only the MTU is changed and the missing routes are added when that is
    /// all that differs; else it is undone first. When a step fails, those before it are undone.
    /// In the end the kernel is read back: what it has is what was wanted.
    /// Fails with configurationFailed resting on INVALID_PARAMETER_VALUE (see `check`),
    /// CAPABILITY_NOT_SUPPORTED (the tunnel is IPv6 only and this machine has none), or
    /// SYSTEM_INTERNAL_ERROR <- errno with evidence `step` and the kernel's own words `kernel`.
    Result<void> apply(const NetworkSettings& settings);

    /// A descriptor that is readable when somebody changes the kernel's network settings; then
    /// `has_news` says whether that may concern what is applied, and `look_after` sees to it. Valid
    /// as long as this object. Fails with the errno.
    Result<int> watch();
    bool has_news();
    /// Reads back what is applied and holds it against what was wanted. What somebody took away is
    /// put back, five times a minute at most and then never again (caretaker.h); what somebody
    /// added is theirs. Returns what there is to say, a sentence each. Fails with the raw fact.
    Result<std::vector<std::string>> look_after(Instant now);

    /// Puts everything back, all steps even when some fail; fails with the first that did.
    Result<void> undo();

    /// What was done otherwise than wanted, one sentence each: IPv6 left out because this machine
    /// has none.
    const std::vector<std::string>& notes() const;
    /// Which resolver was told: "systemd-resolved", "resolvconf", "file" or "" for none.
    std::string dns_backend() const;

private:
    struct State;
    explicit Setup(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// Gives an interface its addresses (with their on-link routes) and its MTU, and brings it up. For
/// interfaces that vanish with their process and need no undo, such as a gateway's. Fails with
/// configurationFailed <- SYSTEM_INTERNAL_ERROR <- errno.
Result<void> bring_up(const std::string& interface, const std::vector<Prefix>& addresses, int mtu);

/// Whether this machine can carry IPv6 on new interfaces: the kernel has it and it is not disabled.
bool has_ipv6();

/// Whether this machine forwards packets of the family between interfaces.
bool forwards(Family family);

}  // namespace causeway::device
