#include "causeway/device/apply.h"

#include "causeway/base/file.h"
#include "causeway/base/overloaded.h"
#include "causeway/base/text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <span>

namespace causeway::device {
namespace {

bool is_disabled(const std::string& interface) {
    const auto text = read_file("/proc/sys/net/ipv6/conf/" + interface + "/disable_ipv6", 64);
    return !text || trim(*text) != "0";
}

Result<void> raise(Netlink& netlink, int link, const RaiseLink& step) {
    if (step.takes_ipv6)
        if (auto left = netlink.leave_unnumbered(link); !left) return left;
    return netlink.set_link({link, step.mtu, true});
}

Result<void> restore_link(Netlink& netlink, const RestoreLink& undo) {
    auto there = netlink.link(undo.before.index);
    if (!there) return pass(there);
    // It went with its process.
    if (!*there) return {};
    if (auto set = netlink.set_link(undo.before); !set) return set;
    return undo.numbering ? netlink.set_numbering(undo.before.index, *undo.numbering)
                          : Result<void>{};
}

/// A link whose frames are looked at may vanish while we speak of it.
constexpr int vanishing_links = 10;

Result<void> close_outside(Kernel& kernel, KillSwitch wanted) {
    if (!kernel.firewall) return std::unexpected(system_error(EPROTONOSUPPORT, "nf_tables"));
    for (int attempt = 0;; ++attempt) {
        auto closed = kernel.firewall->replace(wanted.table, tables_of(wanted));
        if (closed || wanted.links.empty() || !is_errno(closed.error(), ENOENT) ||
            attempt == vanishing_links)
            return closed;
        auto links = kernel.netlink.links();
        if (!links) return pass(links);
        wanted.links = links_outside(*links, wanted.tunnels);
    }
}

/// One by one: those before one that is refused are taken back.
Result<void> add_rules(Netlink& netlink, std::span<const Rule> rules) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        auto added = netlink.add_rule(rules[i]);
        if (added) continue;
        added.error().with("rule", text(rules[i]));
        while (i-- > 0)
            if (auto removed = netlink.remove_rule(rules[i]); !removed)
                added.error().with("left_behind", text(rules[i]));
        return added;
    }
    return {};
}

Result<void> mark_applications(Kernel& kernel, const MarkApplications& step) {
    for (const auto& name : step.names) {
        const auto folder = cgroup_of(name);
        if (folder.empty())
            return std::unexpected(
                system_error(ENOENT, "cgroup", "there is no unit " + printable(name))
                    .with("cgroup", name));
        auto link = kernel.mark_sockets(folder, step.mark);
        if (!link) return pass(link);
        kernel.applications.push_back(std::move(*link));
    }
    return {};
}

/// Those that lead to others first.
Result<void> remove_rules(Netlink& netlink, std::span<const Rule> rules) {
    Result<void> first;
    for (auto at = rules.rbegin(); at != rules.rend(); ++at)
        if (auto removed = netlink.remove_rule(*at); !removed && first) first = removed;
    return first;
}

std::unexpected<Error> still_there(std::string what) {
    return std::unexpected(system_error(EEXIST, "read back", std::move(what) + " is still there"));
}

/// "No such thing" is an answer that the kernel also gives to a request that it misunderstands: so
/// what was removed is looked for.
Result<void> check_gone(const Undo& undo, const DnsOwner& owner, Kernel& kernel) {
    auto& netlink = kernel.netlink;
    return std::visit(overloaded{[&](const OpenOutside& u) -> Result<void> {
                                     if (!kernel.firewall) return {};
                                     auto contents = kernel.firewall->contents(u.table);
                                     if (!contents) return pass(contents);
                                     if (*contents) return still_there("the table " + u.table);
                                     return {};
                                 },
                                 [&](const RemoveAddresses& u) -> Result<void> {
                                     auto there = netlink.addresses(owner.link);
                                     if (!there) return pass(there);
                                     const std::set<Prefix> found(there->begin(), there->end());
                                     for (const auto& address : u.addresses)
                                         if (found.contains(address))
                                             return still_there("the address " + address.text());
                                     return {};
                                 },
                                 [&](const FlushTable& u) -> Result<void> {
                                     auto there = netlink.routes(u.family, u.table, owner.link);
                                     if (!there) return pass(there);
                                     if (!there->empty())
                                         return still_there("the route " + text(there->front()));
                                     return {};
                                 },
                                 [&](const RemoveRules& u) -> Result<void> {
                                     if (u.rules.empty()) return {};
                                     auto there = netlink.rules(u.rules.front().family,
                                                                u.rules.front().table);
                                     if (!there) return pass(there);
                                     if (!there->empty())
                                         return still_there("the " + text(there->front()));
                                     return {};
                                 },
                                 // A link is somebody's, and name servers may be others' by now.
                                 [](const auto&) -> Result<void> { return {}; }},
                      undo);
}

Result<void> carry_out(const Undo& undo, const DnsOwner& owner, Kernel& kernel) {
    auto& netlink = kernel.netlink;
    return std::visit(
        overloaded{[&](const OpenOutside& u) {
                       return kernel.firewall ? kernel.firewall->remove(u.table) : Result<void>{};
                   },
                   [&](const RestoreLink& u) { return restore_link(netlink, u); },
                   [&](const RemoveAddresses& u) {
                       return netlink.remove_addresses(owner.link, u.addresses);
                   },
                   [&](const FlushTable& u) { return netlink.flush_table(u.family, u.table); },
                   [&](const RemoveRules& u) { return remove_rules(netlink, u.rules); },
                   [&](const ReleaseApplications&) -> Result<void> {
                       kernel.applications.clear();
                       return {};
                   },
                   [&](const RestoreDns& u) { return restore_dns(u.backend, owner); }},
        undo);
}

/// Addresses and rules that were refused are not there, or are somebody else's: not ours to remove.
/// The others may have been done in part. So have these, when what was done could not be taken back
/// at once.
bool may_be_half_done(const Step& step, const Error& why) {
    return (!std::holds_alternative<AddAddresses>(step) &&
            !std::holds_alternative<AddRules>(step)) ||
           !why.fact("left_behind").empty();
}

Error step_failed(const Step& step, Error below) {
    return Error{Service::SYSTEM_INTERNAL_ERROR,
                 fmt::format("{} could not be set", text(step)),
                 {{"step", std::string(name(step))}}}
        .because(std::move(below));
}

Error configuration_failed(const DnsOwner& owner, Error service) {
    return Error{Vpn::configurationFailed,
                 "the tunnel could not be set up on this machine",
                 {{"interface", owner.interface}}}
        .because(std::move(service));
}

Error journal_failed(Error below) {
    return Error{
        Service::SYSTEM_INTERNAL_ERROR, "the state file could not be written", {{"step", "state"}}}
        .because(std::move(below));
}

/// Undoes what was done before a step failed, and says so in the failure when that fails too.
Error roll_back(Error failure, const DnsOwner& owner, Kernel& kernel, Journal& journal,
                JournalRecord& record) {
    if (auto undone = undo_all(record, owner, kernel); !undone)
        failure.with("left_behind", undone.error().detail);
    if (auto written = journal.write(record); !written)
        failure.with("state_file", written.error().detail);
    return configuration_failed(owner, std::move(failure));
}

}  // namespace

Result<Kernel> Kernel::open() {
    auto netlink = Netlink::open();
    if (!netlink) return pass(netlink);
    auto firewall = NetlinkFirewall::open();
    if (!firewall && !is_errno(firewall.error(), EPROTONOSUPPORT)) return pass(firewall);
    return Kernel{std::move(*netlink),
                  firewall ? std::optional(std::move(*firewall)) : std::nullopt,
                  mark_new_sockets,
                  {}};
}

Result<Machine> look_at_machine(Netlink& netlink, const std::string& interface) {
    auto link = netlink.link(interface);
    if (!link) return pass(link);
    if (!*link)
        return std::unexpected(system_error(ENODEV, "RTM_GETLINK",
                                            fmt::format("there is no interface {}", interface)));
    const bool kernel_has_ipv6 = access("/proc/net/if_inet6", F_OK) == 0;
    Machine machine{**link, kernel_has_ipv6, kernel_has_ipv6 && !is_disabled(interface)};
    auto numbering = netlink.numbering(machine.link.index);
    if (!numbering) return pass(numbering);
    machine.numbering = *numbering;
    auto addresses = netlink.addresses(machine.link.index);
    if (!addresses) return pass(addresses);
    machine.addresses = std::move(*addresses);
    auto links = netlink.links();
    if (!links) return pass(links);
    machine.links = std::move(*links);
    return machine;
}

Result<void> carry_out(const Step& step, const DnsOwner& owner, Kernel& kernel) {
    auto& netlink = kernel.netlink;
    return std::visit(
        overloaded{[&](const CloseOutside& s) { return close_outside(kernel, s.kill_switch); },
                   [&](const RaiseLink& s) { return raise(netlink, owner.link, s); },
                   [&](const AddAddresses& s) {
                       return netlink.add_addresses(owner.link, s.addresses,
                                                    Netlink::OnLinkRoute::none);
                   },
                   [&](const AddRoutes& s) {
                       return netlink.add_routes(s.family, s.table, owner.link, s.routes);
                   },
                   [&](const AddRules& s) { return add_rules(netlink, s.rules); },
                   [&](const MarkApplications& s) { return mark_applications(kernel, s); },
                   [&](const SetDns& s) { return set_dns(s.backend, owner, s.settings); }},
        step);
}

Result<void> apply(const Plan& plan, const DnsOwner& owner, Kernel& kernel, Journal& journal,
                   JournalRecord& record) {
    for (const auto& [step, undo] : plan.steps) {
        record.undo.push_back(undo);
        if (auto written = journal.write(record); !written) {
            record.undo.pop_back();
            return std::unexpected(roll_back(journal_failed(std::move(written).error()), owner,
                                             kernel, journal, record));
        }
        if (auto done = carry_out(step, owner, kernel); !done) {
            if (!may_be_half_done(step, done.error())) record.undo.pop_back();
            return std::unexpected(roll_back(step_failed(step, std::move(done).error()), owner,
                                             kernel, journal, record));
        }
    }
    return {};
}

Result<void> undo_all(JournalRecord& record, const DnsOwner& owner, Kernel& kernel) {
    std::vector<Undo> left;
    std::optional<Error> first;
    for (auto at = record.undo.rbegin(); at != record.undo.rend(); ++at) {
        auto undone = carry_out(*at, owner, kernel);
        if (undone) undone = check_gone(*at, owner, kernel);
        if (undone) continue;
        left.push_back(*at);
        if (first) continue;
        first = Error{Service::SYSTEM_INTERNAL_ERROR,
                      fmt::format("the {} could not be put back", name(*at)),
                      {{"step", std::string(name(*at))}}}
                    .because(std::move(undone).error());
    }
    std::ranges::reverse(left);
    record.undo = std::move(left);
    if (first) return std::unexpected(std::move(*first));
    return {};
}

}  // namespace causeway::device
