#include "causeway/device/lockdown.h"

#include "causeway/base/clock.h"
#include "causeway/device/apply.h"
#include "causeway/device/limits.h"
#include "causeway/device/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace causeway::device {
namespace {

std::string table_of(const std::string& name) {
    return fmt::format("{}lockdown{}{}", firewall_prefix, name.empty() ? "" : "-", name);
}

std::unexpected<Error> refused(Error below) {
    return fail(Vpn::configurationFailed, "the machine could not be closed", std::move(below));
}

Error wrong(std::string field, const std::string& value, std::string_view why) {
    return {Service::INVALID_PARAMETER_VALUE,
            fmt::format("{} \"{}\": {}", field, value, why),
            {{"field", field}, {"value", value}}};
}

std::optional<Error> fault_in(const LockdownSettings& wanted) {
    for (const auto& network : wanted.lan)
        if (network.length < 1 || network.length > network.address.bits())
            return wrong("lan", network.text(), "the prefix length is out of range");
    if (wanted.lan.size() > lan_limit)
        return wrong("lan", std::to_string(wanted.lan.size()), "these are too many");
    for (const auto& [first, last] : wanted.users)
        if (first > last || last == no_user)
            return wrong("users", fmt::format("{}-{}", first, last), "this is no range");
    if (!wanted.portal) return std::nullopt;
    if (wanted.portal->addresses.empty() || wanted.portal->addresses.size() > lan_limit)
        return wrong("portal", std::to_string(wanted.portal->addresses.size()),
                     fmt::format("it needs 1 to {} addresses", lan_limit));
    if (wanted.portal->user == no_user)
        return wrong("portal", std::to_string(wanted.portal->user), "nobody has this user id");
    if (wanted.portal->lifetime <= std::chrono::milliseconds(0) ||
        wanted.portal->lifetime > portal_limit)
        return wrong("portal", fmt::format("{} ms", wanted.portal->lifetime.count()),
                     "it may be reached for 5 minutes at most");
    return std::nullopt;
}

Error not_closed(Error below) {
    return Error{
        Service::SYSTEM_INTERNAL_ERROR, "the firewall could not be set", {{"step", "firewall"}}}
        .because(std::move(below));
}

}  // namespace

struct Lockdown::State {
    std::string table;
    Kernel kernel;
    FirewallReach reach;
    LockdownSettings settings = {};
    KillSwitch closed = {};
    std::optional<std::string> contents = {};
    Instant portal_end = {};

    std::optional<Portal> portal_left() const;
    Result<KillSwitch> kill_switch_of(const LockdownSettings& wanted);
    Result<void> close(const LockdownSettings& wanted);
};

Lockdown::Lockdown(std::unique_ptr<State> state) : state_(std::move(state)) {}
Lockdown::Lockdown(Lockdown&&) noexcept = default;
Lockdown& Lockdown::operator=(Lockdown&&) noexcept = default;
Lockdown::~Lockdown() = default;

Result<Lockdown> Lockdown::hold(const LockdownSettings& settings, const std::string& name) {
    auto kernel = Kernel::open();
    if (!kernel) return refused(not_closed(std::move(kernel).error()));
    const auto reach = kernel->firewall ? kernel->firewall->reach() : FirewallReach::none;
    if (reach == FirewallReach::none)
        return refused({Service::CAPABILITY_NOT_SUPPORTED,
                        "a lockdown needs nf_tables, and this kernel has none of it",
                        {{"step", "firewall"}}});
    Lockdown lockdown(std::make_unique<State>(State{table_of(name), std::move(*kernel), reach}));
    if (auto closed = lockdown.change(settings); !closed) return pass(closed);
    return lockdown;
}

Result<void> Lockdown::change(const LockdownSettings& settings) {
    if (auto fault = fault_in(settings)) return refused(std::move(*fault));
    if (auto closed = state_->close(settings); !closed)
        return refused(not_closed(std::move(closed).error()));
    return {};
}

Result<KillSwitch> Lockdown::State::kill_switch_of(const LockdownSettings& wanted) {
    auto links = kernel.netlink.links();
    if (!links) return pass(links);
    KillSwitch result{table};
    for (const auto& link : *links)
        if (std::ranges::find(wanted.tunnels, link.name) != wanted.tunnels.end())
            result.tunnels.push_back(link.index);
    result.outside = wanted.lan;
    result.users = merged(wanted.users);
    result.portal = wanted.portal;
    if (reach == FirewallReach::frames) result.links = links_outside(*links, result.tunnels);
    return result;
}

Result<void> Lockdown::State::close(const LockdownSettings& wanted) {
    auto kill_switch = kill_switch_of(wanted);
    if (!kill_switch) return pass(kill_switch);
    if (auto done = carry_out(CloseOutside{*kill_switch}, {}, kernel); !done) return done;
    auto read = kernel.firewall->contents(table);
    if (!read) return pass(read);
    contents = std::move(*read);
    closed = std::move(*kill_switch);
    settings = wanted;
    if (wanted.portal) portal_end = Clock::now() + wanted.portal->lifetime;
    return {};
}

/// Its time has begun; what closes the machine anew must not begin it again.
std::optional<Portal> Lockdown::State::portal_left() const {
    auto portal = settings.portal;
    if (!portal) return portal;
    portal->lifetime =
        std::chrono::duration_cast<std::chrono::milliseconds>(portal_end - Clock::now());
    if (portal->lifetime <= std::chrono::milliseconds(0)) return std::nullopt;
    return portal;
}

Result<bool> Lockdown::look_after() {
    auto wanted = state_->kill_switch_of(state_->settings);
    if (!wanted) return refused(not_closed(std::move(wanted).error()));
    auto there = state_->kernel.firewall->contents(state_->table);
    if (!there) return refused(not_closed(std::move(there).error()));
    const bool is_whole = *there && *there == state_->contents;
    wanted->portal = state_->closed.portal;
    if (is_whole && *wanted == state_->closed) return true;
    auto again = state_->settings;
    again.portal = state_->portal_left();
    if (auto closed = state_->close(again); !closed)
        return refused(not_closed(std::move(closed).error()));
    return is_whole;
}

Result<void> Lockdown::lift() {
    auto removed = state_->kernel.firewall->remove(state_->table);
    auto left = state_->kernel.firewall->contents(state_->table);
    if (removed && !left) removed = pass(left);
    if (removed && *left)
        removed = std::unexpected(
            system_error(EEXIST, "read back", fmt::format("the table {} stays", state_->table)));
    if (removed) return {};
    return fail(Service::SYSTEM_INTERNAL_ERROR, "the machine could not be opened",
                Error(std::move(removed).error()).with("step", "firewall"));
}

bool Lockdown::sees_frames() const { return state_->reach == FirewallReach::frames; }

Result<bool> is_locked_down(const std::string& name) {
    auto kernel = Kernel::open();
    if (!kernel) return pass(kernel);
    if (!kernel->firewall) return false;
    auto there = kernel->firewall->contents(table_of(name));
    if (!there) return pass(there);
    return there->has_value();
}

Result<void> lift_lockdown(const std::string& name) {
    auto kernel = Kernel::open();
    if (!kernel) return pass(kernel);
    return kernel->firewall ? kernel->firewall->remove(table_of(name)) : Result<void>{};
}

}  // namespace causeway::device
