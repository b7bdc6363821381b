// The plan: what has to be done to give a tunnel what it wants, in order, each step with its undo.
//
// A pure function of what is wanted and what is there; nothing here touches the machine.

#pragma once

#include "causeway/device/dns.h"
#include "causeway/device/kill_switch.h"
#include "causeway/device/netlink.h"
#include "causeway/device/netlink_firewall.h"
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
    std::optional<std::uint8_t> numbering = {};  ///< See Netlink::numbering.
    std::vector<Prefix> addresses = {};          ///< Of the interface.
    std::vector<Netlink::NamedLink> links = {};
    FirewallReach firewall = FirewallReach::frames;
};

/// The numbers of one run, all made from the one that its state file has.
struct RunNumbers {
    std::uint32_t number;  ///< 1..run_limit

    std::uint32_t mark() const;
    /// Of sockets that belong into the tunnel while others do not.
    std::uint32_t inside_mark() const;
    std::uint32_t table() const { return mark(); }
    /// Before the main table; a later run before an earlier one.
    std::uint32_t priority() const { return 18000 - number; }
    /// The first of three for a tunnel of some users, before all that are for everybody.
    std::uint32_t user_priority() const { return 14000 - 3 * number; }
    /// Of the firewall.
    std::string firewall_table() const;
};

struct CloseOutside {
    KillSwitch kill_switch;
    bool operator==(const CloseOutside&) const = default;
};
struct RaiseLink {
    int mtu;
    bool takes_ipv6;  ///< Then the kernel must be kept from adding an address of its own.
    bool operator==(const RaiseLink&) const = default;
};
struct AddAddresses {
    std::vector<Prefix> addresses;
    bool operator==(const AddAddresses&) const = default;
};
struct AddRoutes {
    Family family;
    std::uint32_t table;
    std::vector<Route> routes;
    bool operator==(const AddRoutes&) const = default;
};
struct AddRules {
    std::vector<Rule> rules;  ///< Of one family.
    bool operator==(const AddRules&) const = default;
};
/// The sockets that the applications make from now on get a mark.
struct MarkApplications {
    std::vector<std::string> names;
    std::uint32_t mark;
    bool operator==(const MarkApplications&) const = default;
};
struct SetDns {
    DnsBackend backend;
    DnsSettings settings;
    bool operator==(const SetDns&) const = default;
};
using Step = std::variant<CloseOutside, RaiseLink, AddAddresses, AddRoutes, AddRules,
                          MarkApplications, SetDns>;

struct OpenOutside {
    std::string table;
    bool operator==(const OpenOutside&) const = default;
};
struct RestoreLink {
    Link before;
    std::optional<std::uint8_t> numbering = {};
    bool operator==(const RestoreLink&) const = default;
};
struct RemoveAddresses {
    std::vector<Prefix> addresses;
    bool operator==(const RemoveAddresses&) const = default;
};
struct FlushTable {
    Family family;
    std::uint32_t table;
    bool operator==(const FlushTable&) const = default;
};
struct RemoveRules {
    std::vector<Rule> rules;  ///< In the order in which they were added.
    bool operator==(const RemoveRules&) const = default;
};
/// It ends with the process in any case.
struct ReleaseApplications {
    bool operator==(const ReleaseApplications&) const = default;
};
struct RestoreDns {
    DnsBackend backend;
    bool operator==(const RestoreDns&) const = default;
};
using Undo = std::variant<OpenOutside, RestoreLink, RemoveAddresses, FlushTable, RemoveRules,
                          ReleaseApplications, RestoreDns>;

struct PlannedStep {
    Step step;
    Undo undo;
    bool operator==(const PlannedStep&) const = default;
};

struct Plan {
    std::vector<PlannedStep> steps;
    std::vector<std::string> notes;  ///< What is done otherwise than wanted.
};

/// Fails with configurationFailed <- INVALID_PARAMETER_VALUE (see `check`; a further tunnel that is
/// not there) or CAPABILITY_NOT_SUPPORTED (an IPv6-only tunnel on a machine without IPv6, a kill
/// switch on one without a firewall).
Result<Plan> make_plan(const NetworkSettings& wanted, const Machine& machine, RunNumbers run);

/// Whether the firewall has a part in what is wanted: else it need not be looked at.
bool uses_firewall(const NetworkSettings& wanted);

/// Links whose frames the kill switch looks at: all but loopback and tunnels.
std::vector<std::string> links_outside(const std::vector<Netlink::NamedLink>& links,
                                       const std::vector<int>& tunnels);

/// What is left to do for `wanted` when `done` has been carried out, where that is possible without
/// undoing anything: more routes in the tables that are there, another kill switch in the place of
/// the one that is. Nothing when anything else differs, and all must be done anew.
std::optional<std::vector<Step>> missing_steps(const Plan& done, const Plan& wanted);

/// "firewall", "link", "address", "routes", "rule", "application", "dns": evidence `step`.
std::string_view name(const Step& step);
std::string_view name(const Undo& undo);
/// "the 2 addresses": for a sentence.
std::string text(const Step& step);

}  // namespace causeway::device
