#include "causeway/service/set_up_checks.h"

#include "causeway/device/setup.h"
#include "causeway/error/incident.h"
#include "causeway/service/limits.h"
#include "causeway/service/request_params.h"
#include "causeway/service/user_list.h"
#include "causeway/service/vpn_config_json.h"

#include <fmt/format.h>

namespace causeway::service {
namespace {

/// Programs that stay outside would pass a lockdown as if their sockets were protected.
Result<void> check_beside_lockdowns(const VpnConfig& config, const Lockdowns& lockdowns) {
    if (config.lockdown && lockdowns.held().size() >= lockdown_limit)
        return illegal_value("lockdown", fmt::format("one of {}", lockdowns.held().size() + 1),
                             fmt::format("{} at a time, held ones among them", lockdown_limit));
    if (config.blocked_applications.empty()) return {};
    if (!lockdowns.is_locked_down() && lockdowns.held().empty()) return {};
    return illegal_value("blockedApplications",
                         fmt::format("a list of {}", config.blocked_applications.size()),
                         lockdowns.is_locked_down() ? "none under the lockdown of this machine"
                                                    : "none beside a VPN under lockdown");
}

/// What another user's session holds closed is theirs to open.
Result<void> check_held(const VpnConfig& config, const Caller& caller, const Lockdowns& lockdowns) {
    for (const auto& lock : lockdowns.held()) {
        if (lock.vpn_id != config.vpn_id || lock.owner == caller.uid) continue;
        Error error{Service::VPN_ALREADY_EXISTS,
                    fmt::format("a VPN of {} holds this machine closed since {}, though its "
                                "program has ended",
                                spoken(lock.owner), iso8601(lock.since))};
        error.with("owner", spoken(lock.owner))
            .with("uid", std::to_string(lock.owner))
            .with("since", iso8601(lock.since))
            .with("state", "held");
        if (caller.is_root()) error.with("session", session_id(lock.session));
        return std::unexpected(std::move(error));
    }
    return {};
}

}  // namespace

Result<WantedVpn> check_set_up(const Ask& ask, const SetUpRules& rules) {
    if (auto allowed = rules.policy.check_prohibited(ask.caller); !allowed) return pass(allowed);
    const auto shape = read_params(ask, {"config"}, 0, [](const RequestObject& params) {
        (void)params.any("config", "an object");
    });
    if (!shape) return std::unexpected(shape.error());
    auto config = vpn_config_from(ask.request.params["config"]);
    if (!config) return pass(config);
    auto users = user_ranges(config->users, "users");
    if (!users) return pass(users);
    if (auto there = check_applications(*config); !there) return pass(there);
    if (auto fits = rules.sessions.check_others(*config); !fits) return pass(fits);
    if (auto fits = check_beside_lockdowns(*config, rules.lockdowns); !fits) return pass(fits);
    if (auto may = rules.policy.check_permission(ask.caller); !may) return pass(may);
    if (rules.policy.asks_consent)
        if (auto agreed = rules.consents.check(ask.caller, rules.policy.path); !agreed)
            return pass(agreed);
    if (auto may = rules.policy.check_guest(ask.caller); !may) return pass(may);
    if (auto free = rules.sessions.check_slot(*config, ask.caller); !free) return pass(free);
    if (auto free = check_held(*config, ask.caller, rules.lockdowns); !free) return pass(free);
    if (auto supported = check_supported(*config); !supported) return pass(supported);
    // The device would leave these addresses out, and say so in a note.
    if (config->carries(Family::ipv6) && !device::has_ipv6())
        return fail(Service::CAPABILITY_NOT_SUPPORTED, "this machine has no IPv6",
                    Evidence{{"field", "addresses"}});
    return WantedVpn{std::move(*config), std::move(*users)};
}

}  // namespace causeway::service
