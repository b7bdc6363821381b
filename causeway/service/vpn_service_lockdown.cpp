// The calls about what is closed on this machine.

#include "causeway/base/text.h"
#include "causeway/error/incident.h"
#include "causeway/service/limits.h"
#include "causeway/service/request_params.h"
#include "causeway/service/user_list.h"
#include "causeway/service/vpn_config_reading.h"
#include "causeway/service/vpn_service.h"

#include <fmt/format.h>

namespace causeway::service {
namespace {

/// What the policy file says cannot be switched off by a call.
Result<void> check_forced(const Policy& policy, Method method, bool enabled) {
    const bool is_lockdown = method == Method::set_lockdown;
    const bool is_forced = is_lockdown ? policy.lockdown.lockdown : policy.lockdown.always_on;
    if (enabled || !is_forced) return {};
    const char* key = is_lockdown ? "lockdown" : "always_on";
    return fail(Service::PROHIBITED_BY_POLICY,
                fmt::format("{} in {} switches it on", key, policy.path),
                Evidence{{"file", policy.path}, {"key", key}});
}

struct PortalQuestion {
    std::vector<IpAddress> addresses;
    std::optional<std::string> user;
    std::int64_t seconds = std::chrono::seconds(device::portal_limit).count();
};

PortalQuestion read_portal(const RequestObject& params) {
    PortalQuestion question;
    (void)params.any("addresses", "a list");
    each_text(params, "addresses", device::lan_limit,
              [&](const std::string& text, std::string path) {
                  if (const auto address = IpAddress::parse(text))
                      question.addresses.push_back(*address);
                  else
                      params.faults().illegal(path, in_quotes(text, 60), "an IPv4 or IPv6 address");
              });
    if (params.has_entries("addresses") == false)
        params.illegal("addresses", "an empty list", "at least one");
    question.user = params.text("user", Need::optional);
    if (const auto seconds = params.number("seconds", Need::optional, 1, question.seconds))
        question.seconds = *seconds;
    return question;
}

}  // namespace

Result<Answer> VpnService::administer(const Ask& ask) {
    const auto method = ask.request.method;
    std::optional<bool> enabled;
    const auto shape = read_params(ask, {"enabled"}, 0, [&](const RequestObject& params) {
        (void)params.any("enabled", "true or false");
        enabled = params.flag("enabled");
    });
    if (auto free = check_forced(policy_, method, enabled.value_or(true)); !free) return pass(free);
    if (!shape) return std::unexpected(shape.error());
    const auto name = name_of(method);
    if (!ask.caller.administers())
        return fail(Service::NOT_SYSTEM_CALLER, fmt::format("{} is for root", name),
                    Evidence{{"method", std::string(name)}});
    auto done = method == Method::set_lockdown ? lockdowns_.set_lockdown(*enabled)
                                               : lockdowns_.set_always_on(*enabled);
    if (!done) return pass(done);
    return Answer{{{"alwaysOn", lockdowns_.is_always_on()},
                   {"lockdown", lockdowns_.is_locked_down()},
                   {"closed", lockdowns_.is_closed()}}};
}

/// For owners and themselves; root lets anybody.
Result<Answer> VpnService::open_portal(const Ask& ask) {
    if (auto allowed = policy_.check_prohibited(ask.caller); !allowed) return pass(allowed);
    PortalQuestion question;
    const auto shape =
        read_params(ask, {"addresses", "user", "seconds"}, 0,
                    [&](const RequestObject& params) { question = read_portal(params); });
    if (!shape) return std::unexpected(shape.error());
    auto user = ask.caller.uid;
    if (question.user) {
        auto ranges = user_ranges({*question.user}, "user");
        if (!ranges) return pass(ranges);
        if (ranges->front().first != ranges->front().last)
            return illegal_value("user", in_quotes(*question.user, 60), "one user");
        user = ranges->front().first;
    }
    if (user != ask.caller.uid && !ask.caller.administers())
        return fail(Service::NOT_SYSTEM_CALLER, "a portal for another user is root's to open",
                    Evidence{{"method", "portal"}});
    if (auto may = policy_.check_owner(ask.caller); !may) return pass(may);
    Answer answer{{{"closed", lockdowns_.is_closed()},
                   {"user", spoken(user)},
                   {"seconds", question.seconds}}};
    auto opened = lockdowns_.open_portal(
        {user, std::move(question.addresses), std::chrono::seconds(question.seconds)});
    if (!opened) return pass(opened);
    return answer;
}

std::optional<HeldLock> VpnService::held_lock(const std::string& session) const {
    const auto id = parse_incident_id(session);
    const auto* lock = id ? lockdowns_.find(*id) : nullptr;
    if (!lock || sessions_.contains(*id)) return std::nullopt;
    return *lock;
}

/// Its session has ended; what it closed has not.
Result<Answer> VpnService::open_held(const Ask& ask, const HeldLock& lock) {
    if (!ask.caller.administers() && ask.caller.uid != lock.owner)
        return fail(Service::PERMISSION_DENIED,
                    fmt::format("the session belongs to {}", spoken(lock.owner)),
                    Evidence{{"owner", spoken(lock.owner)}});
    if (auto released = lockdowns_.release(lock.session); !released) return pass(released);
    return Answer{{{"session", session_id(lock.session)}}};
}

nlohmann::ordered_json json_of(const HeldLock& lock) {
    return {{"session", session_id(lock.session)},
            {"state", "held"},
            {"vpnId", lock.vpn_id},
            {"user", valid_utf8(spoken(lock.owner))},
            {"uid", lock.owner},
            {"since", iso8601(lock.since)},
            {"lockdown", true}};
}

}  // namespace causeway::service
