// Carrying a plan out, step by step, and back.

#pragma once

#include "causeway/device/application.h"
#include "causeway/device/dns.h"
#include "causeway/device/journal.h"
#include "causeway/device/netlink.h"
#include "causeway/device/netlink_firewall.h"
#include "causeway/device/plan.h"
#include "causeway/error/error.h"

#include <optional>
#include <vector>

namespace causeway::device {

/// The conversations with this machine's kernel. The firewall's is kept as long as its tables shall
/// belong to this process.
struct Kernel {
    static Result<Kernel> open();

    Netlink netlink;
    std::optional<NetlinkFirewall> firewall;  ///< Nothing where the kernel has none.
    SocketMarker mark_sockets = mark_new_sockets;
    std::vector<Fd> applications = {};  ///< What marks the sockets of each.
};

/// What the kernel has before a plan is made. Fails with the raw fact; ENODEV without the
/// interface.
Result<Machine> look_at_machine(Netlink& netlink, const std::string& interface);

/// Carries one step out. Fails with the raw fact.
Result<void> carry_out(const Step& step, const DnsOwner& owner, Kernel& kernel);

/// Carries all steps out. Each undo is in the journal before its step is taken; `record` and the
/// journal's file hold what there is to undo, also after a failure that could not be undone whole
/// (evidence `left_behind`).
/// Fails with configurationFailed <- SYSTEM_INTERNAL_ERROR <- the raw fact, evidence `step`.
Result<void> apply(const Plan& plan, const DnsOwner& owner, Kernel& kernel, Journal& journal,
                   JournalRecord& record);

/// Takes back what the record lists, last first, and leaves in it what could not be. All are
/// tried; fails with SYSTEM_INTERNAL_ERROR <- the first raw fact, evidence `step`.
Result<void> undo_all(JournalRecord& record, const DnsOwner& owner, Kernel& kernel);

}  // namespace causeway::device
