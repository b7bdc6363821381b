#include "causeway/gateway/admission.h"

#include "causeway/base/random.h"
#include "causeway/gateway/reasons.h"
#include "causeway/gateway/session_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace causeway::gateway {
namespace {

/// Addresses that are remembered at once. An attacker with more of them makes room by pushing out
/// those whose failures are the oldest, never one that is banned or connected while others are not.
constexpr std::size_t origins_limit = 65'536;
constexpr int ipv6_origin_bits = 64;

std::optional<IpAddress> mapped_v4(const IpAddress& address) {
    static const auto mapped = Prefix::parse("::ffff:0:0/96");
    if (address.is_v4() || !mapped->contains(address)) return std::nullopt;
    return IpAddress::from_bytes(address.bytes().last(4));
}

}  // namespace

Prefix origin_of(const IpAddress& address) {
    if (address.is_v4()) return {address, address.bits()};
    if (const auto v4 = mapped_v4(address)) return {*v4, v4->bits()};
    return Prefix{address, ipv6_origin_bits}.network();
}

std::size_t Admission::Hash::operator()(const Prefix& prefix) const {
    // Foreign addresses choose the buckets: a key of this run keeps them from choosing well.
    static const std::uint64_t key = random_64();
    std::uint64_t hash = key;
    for (const std::byte byte : prefix.address.bytes()) {
        hash ^= std::to_integer<std::uint64_t>(byte);
        hash *= 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    return hash;
}

void Admission::change(const BanRule& ban, const Limits& limits) {
    rule_ = ban;
    limits_ = limits;
}

Result<void> Admission::connection_opened(const IpAddress& from) {
    const Prefix origin = origin_of(from);
    const auto known = origins_.find(origin);
    const std::size_t open = known == origins_.end() ? 0 : known->second.connections;
    const std::size_t most = limits_.connections_per_address;
    if (most > 0 && open >= most)
        return std::unexpected(refusal(Reason::connections_of_address,
                                       fmt::format("{} are allowed", most),
                                       {{"address", origin.text()}}));
    ++origins_[origin].connections;
    return {};
}

void Admission::connection_closed(const IpAddress& from) {
    const auto known = origins_.find(origin_of(from));
    if (known == origins_.end() || known->second.connections == 0) return;
    Origin& origin = known->second;
    --origin.connections;
    if (origin.connections == 0 && origin.failures.empty() && !origin.banned_until)
        origins_.erase(known);
}

Result<void> Admission::not_banned(const IpAddress& from, Instant now) const {
    const auto known = origins_.find(origin_of(from));
    if (known == origins_.end() || !known->second.banned_until ||
        *known->second.banned_until <= now)
        return {};
    const auto rest = std::chrono::ceil<std::chrono::seconds>(*known->second.banned_until - now);
    return std::unexpected(refusal(
        Reason::banned, "try again in " + spoken(rest),
        {{"address", known->first.text()}, {"seconds_left", std::to_string(rest.count())}}));
}

std::optional<Ban> Admission::failed(const IpAddress& from, Instant now) {
    if (rule_.failures == 0) return std::nullopt;
    const Prefix prefix = origin_of(from);
    if (!origins_.contains(prefix) && origins_.size() >= origins_limit) make_room(now);
    Origin& origin = origins_[prefix];
    while (!origin.failures.empty() && origin.failures.front() + rule_.window <= now)
        origin.failures.pop_front();
    origin.failures.push_back(now);
    if (origin.failures.size() < rule_.failures) return std::nullopt;
    origin.banned_until = now + rule_.duration;
    origin.banned_for = origin.failures.size();
    origin.failures.clear();
    return Ban{prefix, *origin.banned_until, origin.banned_for};
}

void Admission::succeeded(const IpAddress& from) {
    const auto known = origins_.find(origin_of(from));
    if (known == origins_.end()) return;
    known->second.failures.clear();
    if (known->second.connections == 0 && !known->second.banned_until) origins_.erase(known);
}

std::vector<Ban> Admission::bans(Instant now) const {
    std::vector<Ban> holding;
    for (const auto& [prefix, origin] : origins_)
        if (origin.banned_until && *origin.banned_until > now)
            holding.push_back({prefix, *origin.banned_until, origin.banned_for});
    std::ranges::sort(holding, [](const Ban& a, const Ban& b) {
        return std::tie(b.until, a.from) < std::tie(a.until, b.from);
    });
    return holding;
}

bool Admission::unban(const IpAddress& address, Instant now) {
    const auto known = origins_.find(origin_of(address));
    if (known == origins_.end()) return false;
    Origin& origin = known->second;
    const bool held = origin.banned_until && *origin.banned_until > now;
    origin.banned_until.reset();
    origin.failures.clear();
    if (origin.connections == 0) origins_.erase(known);
    return held;
}

/// Drops a tenth of those without a connection: failures before bans, and of either what would
/// stop to matter soonest.
void Admission::make_room(Instant now) {
    using Worth = std::pair<bool, Instant>;  // banned; until when it matters
    const auto worth = [&](const Origin& origin) -> Worth {
        if (origin.banned_until && *origin.banned_until > now) return {true, *origin.banned_until};
        return {false, origin.failures.empty() ? now : origin.failures.back() + rule_.window};
    };
    std::vector<Worth> worths;
    for (const auto& [prefix, origin] : origins_)
        if (origin.connections == 0) worths.push_back(worth(origin));
    if (worths.empty()) return;
    const auto tenth = worths.begin() + static_cast<std::ptrdiff_t>(worths.size() / 10);
    std::ranges::nth_element(worths, tenth);
    std::erase_if(origins_, [&, limit = *tenth](const auto& entry) {
        return entry.second.connections == 0 && worth(entry.second) <= limit;
    });
}

Result<void> admit_session(const SessionTable& sessions, const Limits& limits, const Group& group,
                           const std::string& user) {
    const auto refuse = [&](Reason reason, std::size_t limit) {
        return std::unexpected(refusal(reason, fmt::format("{}", limit),
                                       {{"limit", std::to_string(limit)}, {"group", group.name}}));
    };
    if (group.sessions_per_user > 0 && sessions.up_of_user(user) >= group.sessions_per_user)
        return refuse(Reason::sessions_of_user, group.sessions_per_user);
    if (group.sessions > 0 && sessions.up_of_group(group.name) >= group.sessions)
        return refuse(Reason::sessions_of_group, group.sessions);
    if (limits.sessions > 0 && sessions.up() >= limits.sessions)
        return refuse(Reason::sessions_in_all, limits.sessions);
    return {};
}

}  // namespace causeway::gateway
