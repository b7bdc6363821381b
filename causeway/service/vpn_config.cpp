#include "causeway/service/vpn_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace causeway::service {
namespace {

Prefix default_of(Family family) {
    return *Prefix::parse(family == Family::ipv4 ? "0.0.0.0/0" : "::/0");
}

/// What is reached through the tunnel: what is asked for, else everything that it carries.
std::vector<Prefix> included(const VpnConfig& config) {
    if (!config.routes.empty()) return config.routes;
    std::vector<Prefix> all;
    for (const auto family : {Family::ipv4, Family::ipv6})
        if (config.carries(family)) all.push_back(default_of(family));
    return all;
}

bool has_default(const VpnConfig& config, Family family) {
    return std::ranges::any_of(included(config), [&](const Prefix& route) {
        return route.family() == family && route.length == 0;
    });
}

std::string spoken(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

}  // namespace

bool VpnConfig::carries(Family family) const {
    return std::ranges::any_of(addresses,
                               [&](const Prefix& own) { return own.family() == family; });
}

device::NetworkSettings network_settings(const VpnConfig& config, const std::string& interface) {
    device::NetworkSettings settings;
    settings.interface = interface;
    settings.addresses = config.addresses;
    settings.mtu = config.mtu;
    settings.included = included(config);
    settings.excluded = config.excluded_routes;
    settings.allow_other_family = !config.allow_families.empty();
    settings.dns.servers = config.dns_addresses;
    settings.dns.search_domains = config.search_domains;
    settings.dns.split_domains = config.split_domains;
    settings.dns.is_told_elsewhere = true;
    return settings;
}

Result<void> check_supported(const VpnConfig& config) {
    const std::array<std::pair<bool, const char*>, 5> asked = {{
        {config.lockdown, "lockdown"},
        {!config.trusted_applications.empty(), "trustedApplications"},
        {!config.blocked_applications.empty(), "blockedApplications"},
        {!config.users.empty(), "users"},
        {config.is_legacy, "isLegacy"},
    }};
    std::string fields;
    for (const auto& [is_asked, field] : asked)
        if (is_asked) fields += (fields.empty() ? "" : ", ") + std::string(field);
    if (fields.empty()) return {};
    return fail(Service::CAPABILITY_NOT_SUPPORTED,
                fmt::format("this version of the service cannot give {}", fields),
                Evidence{{"field", fields}});
}

std::vector<Overlap> overlaps(const VpnConfig& wanted, const VpnConfig& other) {
    std::vector<Overlap> found;
    for (std::size_t i = 0; i < wanted.addresses.size(); ++i) {
        const auto& own = wanted.addresses[i];
        if (std::ranges::any_of(other.addresses,
                                [&](const Prefix& theirs) { return theirs.overlaps(own); }))
            found.push_back({fmt::format("addresses[{}]", i), own.text()});
    }
    for (const auto family : {Family::ipv4, Family::ipv6})
        if (has_default(wanted, family) && has_default(other, family))
            found.push_back({"routes", fmt::format("the {} default route", spoken(family))});
    return found;
}

}  // namespace causeway::service
