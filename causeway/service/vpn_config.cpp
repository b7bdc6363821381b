#include "causeway/service/vpn_config.h"

#include "causeway/base/text.h"
#include "causeway/device/application.h"
#include "causeway/service/request_object.h"
#include "causeway/service/vpn_config_reading.h"

#include <fmt/format.h>

#include <algorithm>

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

Result<void> check_applications(const VpnConfig& config) {
    // Where nothing is mounted that is another failure.
    if (!device::has_unified_hierarchy()) return {};
    RequestFaults faults;
    const auto check = [&](std::string_view field, const std::vector<std::string>& names) {
        for (std::size_t i = 0; i < names.size(); ++i)
            if (device::folder_of_cgroup(names[i]).empty())
                faults.illegal(entry(field, i), in_quotes(names[i], 60),
                               "a cgroup or a systemd unit that is there");
    };
    check("trustedApplications", config.trusted_applications);
    check("blockedApplications", config.blocked_applications);
    if (!faults.empty()) return std::unexpected(faults.error());
    return {};
}

std::vector<std::string> application_folders(const VpnConfig& config) {
    const auto& names = config.trusted_applications.empty() ? config.blocked_applications
                                                            : config.trusted_applications;
    std::vector<std::string> folders;
    for (const auto& name : names) folders.push_back(device::folder_of_cgroup(name));
    return folders;
}

Result<void> check_supported(const VpnConfig& config) {
    if (config.is_legacy)
        return fail(Service::CAPABILITY_NOT_SUPPORTED,
                    "this version of the service brings no VPN of its own",
                    Evidence{{"field", "isLegacy"}});
    const char* field = nullptr;
    if (!config.trusted_applications.empty()) field = "trustedApplications";
    if (!config.blocked_applications.empty()) field = "blockedApplications";
    if (!field || device::has_unified_hierarchy()) return {};
    return fail(Service::CAPABILITY_NOT_SUPPORTED,
                "programs cannot be told apart: no unified cgroup hierarchy is mounted",
                Evidence{{"field", field}});
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
