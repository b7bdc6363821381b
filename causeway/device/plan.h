// The plan: what has to be done to give a tunnel what it wants, in order, each step with its undo.
//
// A pure function of what is wanted and what is there; nothing here touches the machine.

#pragma once

#include "causeway/device/dns.h"
#include "causeway/device/netlink.h"
#include "causeway/device/network_settings.h"
#include "causeway/device/route.h"
#include "causeway/error/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace causeway::device {

/// The metric of the route that stands behind all others: nothing is worse.
inline constexpr std::uint32_t worst_metric = 4278198272;

/// What is there.
struct Machine {
    Link link;
    bool kernel_has_ipv6 = true;  ///< Packets of it could leave.
    bool link_takes_ipv6 = true;  ///< The interface may have an address of it.
    DnsBackend dns = DnsBackend::file;
};

/// The numbers of one run, all made from the one that its state file has.
struct RunNumbers {
    std::uint32_t number;  ///< 1..run_limit

    std::uint32_t mark() const;
    std::uint32_t table() const { return mark(); }
    /// Before the main table; a later run before an earlier one.
    std::uint32_t priority() const { return 18000 - number; }
};

struct RaiseLink {
    int mtu;
    bool takes_ipv6;  ///< Then the kernel must be kept from adding an address of its own.
    bool operator==(const RaiseLink&) const = default;
};
struct AddAddress {
    Prefix address;
    bool operator==(const AddAddress&) const = default;
};
struct AddRoutes {
    Family family;
    std::uint32_t table;
    std::vector<Route> routes;
    bool operator==(const AddRoutes&) const = default;
};
struct AddRule {
    Rule rule;
    bool operator==(const AddRule&) const = default;
};
struct SetDns {
    DnsBackend backend;
    DnsSettings settings;
    bool operator==(const SetDns&) const = default;
};
using Step = std::variant<RaiseLink, AddAddress, AddRoutes, AddRule, SetDns>;

struct RestoreLink {
    Link before;
    bool operator==(const RestoreLink&) const = default;
};
struct RemoveAddress {
    Prefix address;
    bool operator==(const RemoveAddress&) const = default;
};
struct FlushTable {
    Family family;
    std::uint32_t table;
    bool operator==(const FlushTable&) const = default;
};
struct RemoveRule {
    Rule rule;
    bool operator==(const RemoveRule&) const = default;
};
struct RestoreDns {
    DnsBackend backend;
    bool operator==(const RestoreDns&) const = default;
};
using Undo = std::variant<RestoreLink, RemoveAddress, FlushTable, RemoveRule, RestoreDns>;

struct PlannedStep {
    Step step;
    Undo undo;
    bool operator==(const PlannedStep&) const = default;
};

struct Plan {
    std::vector<PlannedStep> steps;
    std::vector<std::string> notes;  ///< What is done otherwise than wanted.
};

/// Fails with configurationFailed <- INVALID_PARAMETER_VALUE (see `check`) or
/// CAPABILITY_NOT_SUPPORTED (an IPv6-only tunnel on a machine without IPv6).
Result<Plan> make_plan(const NetworkSettings& wanted, const Machine& machine, RunNumbers run);

/// What is missing for `wanted` when `done` has been carried out: only routes, more of them in the
/// tables that are there. Nothing when anything else differs, and all must be done anew.
std::optional<std::vector<AddRoutes>> missing_routes(const Plan& done, const Plan& wanted);

/// "link", "address", "routes", "rule", "dns": evidence `step`.
std::string_view name(const Step& step);
/// "the address 10.0.0.2/24": for a sentence.
std::string text(const Step& step);

}  // namespace causeway::device
