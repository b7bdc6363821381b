#include "causeway/device/apply.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace causeway::device {
namespace {

template <typename... Handlers>
struct overloaded : Handlers... {
    using Handlers::operator()...;
};

bool is_disabled(const std::string& interface) {
    const auto text = read_file("/proc/sys/net/ipv6/conf/" + interface + "/disable_ipv6", 64);
    return !text || trim(*text) != "0";
}

Result<void> raise(Netlink& netlink, int link, const RaiseLink& step) {
    if (step.takes_ipv6)
        if (auto left = netlink.leave_unnumbered(link); !left) return left;
    return netlink.set_link({link, step.mtu, true});
}

Result<void> restore_link(Netlink& netlink, const Link& before) {
    auto there = netlink.link(before.index);
    if (!there) return pass(there);
    // It went with its process.
    if (!*there) return {};
    return netlink.set_link(before);
}

Result<void> carry_out(const Step& step, const DnsOwner& owner, Netlink& netlink) {
    return std::visit(
        overloaded{[&](const RaiseLink& s) { return raise(netlink, owner.link, s); },
                   [&](const AddAddress& s) {
                       return netlink.add_address(owner.link, s.address,
                                                  Netlink::OnLinkRoute::none);
                   },
                   [&](const AddRoutes& s) {
                       return netlink.add_routes(s.family, s.table, owner.link, s.routes);
                   },
                   [&](const AddRule& s) { return netlink.add_rule(s.rule); },
                   [&](const SetDns& s) { return set_dns(s.backend, owner, s.settings); }},
        step);
}

Result<void> carry_out(const Undo& undo, const DnsOwner& owner, Netlink& netlink) {
    return std::visit(
        overloaded{
            [&](const RestoreLink& u) { return restore_link(netlink, u.before); },
            [&](const RemoveAddress& u) { return netlink.remove_address(owner.link, u.address); },
            [&](const FlushTable& u) { return netlink.flush_table(u.family, u.table); },
            [&](const RemoveRule& u) { return netlink.remove_rule(u.rule); },
            [&](const RestoreDns& u) { return restore_dns(u.backend, owner); }},
        undo);
}

std::string_view name(const Undo& undo) {
    constexpr std::array<std::string_view, 5> names = {"link", "address", "routes", "rule", "dns"};
    return names[undo.index()];
}

/// An address or a rule that was refused is not there, or is somebody else's: not ours to remove.
/// The others may have been done in part.
bool may_be_half_done(const Step& step) {
    return !std::holds_alternative<AddAddress>(step) && !std::holds_alternative<AddRule>(step);
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
Error roll_back(Error failure, const DnsOwner& owner, Netlink& netlink, Journal& journal,
                JournalRecord& record) {
    if (auto undone = undo_all(record, owner, netlink); !undone)
        failure.with("left_behind", undone.error().detail);
    if (auto written = journal.write(record); !written)
        failure.with("state_file", written.error().detail);
    return configuration_failed(owner, std::move(failure));
}

}  // namespace

Result<Machine> look_at_machine(Netlink& netlink, const std::string& interface) {
    auto link = netlink.link(interface);
    if (!link) return pass(link);
    if (!*link)
        return std::unexpected(system_error(ENODEV, "RTM_GETLINK",
                                            fmt::format("there is no interface {}", interface)));
    const bool kernel_has_ipv6 = access("/proc/net/if_inet6", F_OK) == 0;
    return Machine{**link, kernel_has_ipv6, kernel_has_ipv6 && !is_disabled(interface)};
}

Result<void> apply(const Plan& plan, const DnsOwner& owner, Netlink& netlink, Journal& journal,
                   JournalRecord& record) {
    for (const auto& [step, undo] : plan.steps) {
        record.undo.push_back(undo);
        if (auto written = journal.write(record); !written) {
            record.undo.pop_back();
            return std::unexpected(roll_back(journal_failed(std::move(written).error()), owner,
                                             netlink, journal, record));
        }
        if (auto done = carry_out(step, owner, netlink); !done) {
            if (!may_be_half_done(step)) record.undo.pop_back();
            return std::unexpected(roll_back(step_failed(step, std::move(done).error()), owner,
                                             netlink, journal, record));
        }
    }
    return {};
}

Result<void> undo_all(JournalRecord& record, const DnsOwner& owner, Netlink& netlink) {
    std::vector<Undo> left;
    std::optional<Error> first;
    for (auto at = record.undo.rbegin(); at != record.undo.rend(); ++at) {
        auto undone = carry_out(*at, owner, netlink);
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
