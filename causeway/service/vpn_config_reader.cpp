// Reads a VpnConfig from JSON and checks all of it.

#include "causeway/base/text.h"
#include "causeway/service/json.h"
#include "causeway/service/limits.h"
#include "causeway/service/vpn_config_json.h"
#include "causeway/service/vpn_config_reading.h"

#include <fmt/format.h>

#include <algorithm>

namespace causeway::service {
namespace {

void read_allowed_families(const RequestObject& top, VpnConfig& config) {
    const Json* list = top.list("allowFamilies", Need::optional, 2);
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const Json& item = (*list)[i];
        const auto path = entry("allowFamilies", i);
        if (!item.is_number_integer()) {
            top.faults().misshapen(path, value_text(item), "a whole number");
            continue;
        }
        if (item != published_ipv4 && item != published_ipv6) {
            top.faults().illegal(path, value_text(item), "1 (IPv4) or 2 (IPv6)");
            continue;
        }
        const auto family = item == published_ipv4 ? Family::ipv4 : Family::ipv6;
        if (std::ranges::find(config.allow_families, family) != config.allow_families.end())
            top.faults().illegal(path, value_text(item), "a family that is given once");
        else
            config.allow_families.push_back(family);
    }
}

bool is_id_letter(char letter) { return is_domain_letter(letter) || letter == '.'; }

void read_scalars(const RequestObject& top, VpnConfig& config) {
    if (const auto id = top.text("vpnId", Need::optional)) {
        if (id->empty() || id->size() > vpn_id_length_limit ||
            !std::ranges::all_of(*id, is_id_letter))
            top.illegal(
                "vpnId", in_quotes(*id, 60),
                fmt::format("1 to {} letters, digits, '.', '_' and '-'", vpn_id_length_limit));
        else
            config.vpn_id = *id;
    }
    config.mtu = mtu_standard;
    if (const auto mtu = top.number("mtu", Need::optional, mtu_smallest, mtu_largest))
        config.mtu = static_cast<int>(*mtu);
    config.is_blocking = top.flag("isBlocking").value_or(false);
    config.is_metered = top.flag("isMetered").value_or(false);
    const auto legacy = top.flag("isLegacy");
    const auto internal = top.flag("isInternal");
    if (legacy && internal && *legacy != *internal)
        top.illegal("isInternal", *internal ? "true" : "false",
                    "the same as isLegacy, which is its other name");
    config.is_legacy = legacy.value_or(internal.value_or(false));
    config.lockdown = top.flag("lockdown").value_or(false);
}

/// "isIPv6Accepted": whether the tunnel carries the family, which its addresses say too.
void check_accepted(const RequestObject& top, const Reading& reading, std::string_view field,
                    Family family) {
    const auto accepted = top.flag(field);
    if (!accepted || *accepted == reading.config.carries(family)) return;
    if (!*accepted)
        top.illegal(field, "false",
                    fmt::format("true, since addresses has an {} one", spoken(family)));
    else if (reading.has_sound_addresses)
        top.illegal(field, "true",
                    fmt::format("false, or an {} address among addresses", spoken(family)));
}

/// What contradicts something else. A part that is wrong by itself contradicts nothing.
void check_together(const RequestObject& top, const VpnConfig& config) {
    auto& faults = top.faults();
    if (config.carries(Family::ipv6) && config.mtu < mtu_smallest_ipv6)
        faults.illegal(
            "mtu", std::to_string(config.mtu),
            fmt::format("{} to {} with an IPv6 address", mtu_smallest_ipv6, mtu_largest));
    for (const auto family : config.allow_families)
        if (config.carries(family))
            faults.illegal(
                "allowFamilies", std::to_string(published(family)),
                fmt::format("a family beside the tunnel, which carries {}", spoken(family)));
    if (!config.trusted_applications.empty() && !config.blocked_applications.empty())
        faults.illegal("blockedApplications",
                       fmt::format("a list of {}", config.blocked_applications.size()),
                       "none beside trustedApplications");
    if (!config.trusted_applications.empty() && !config.users.empty())
        faults.illegal("users", fmt::format("a list of {}", config.users.size()),
                       "none beside trustedApplications");
    for (const auto& [field, domains] : {std::pair("searchDomains", &config.search_domains),
                                         std::pair("splitDomains", &config.split_domains)})
        if (!domains->empty() && !top.has_entries("dnsAddresses"))
            faults.illegal(field, fmt::format("a list of {}", domains->size()),
                           "none without dnsAddresses, which are asked for them");
}

/// What a lockdown cannot be held for, or would not be one.
void check_lockdown(const RequestObject& top, const VpnConfig& config) {
    if (!config.lockdown) return;
    auto& faults = top.faults();
    if (!config.allow_families.empty())
        faults.illegal("allowFamilies", fmt::format("a list of {}", config.allow_families.size()),
                       "none under lockdown, which lets no family pass beside the tunnel");
    // What marks their sockets ends with the service, and new ones would leave.
    if (!config.trusted_applications.empty())
        faults.illegal("trustedApplications",
                       fmt::format("a list of {}", config.trusted_applications.size()),
                       "none under lockdown, which is for users or for everybody");
    if (!config.blocked_applications.empty())
        faults.illegal("blockedApplications",
                       fmt::format("a list of {}", config.blocked_applications.size()),
                       "none under lockdown, which lets no program pass beside the tunnel");
    if (config.excluded_routes.size() > device::lan_limit)
        faults.illegal("routes", fmt::format("{} excluded ones", config.excluded_routes.size()),
                       fmt::format("at most {} of them under lockdown", device::lan_limit));
    for (const auto& network : config.excluded_routes)
        if (network.length == 0)
            faults.illegal("routes", network.text(),
                           "an excluded route that leaves something to be locked down");
}

/// Routes and servers of a family that does not go through the tunnel.
void check_families(const RequestObject& top, const Reading& reading) {
    const VpnConfig& config = reading.config;
    if (!reading.has_sound_addresses || config.addresses.empty()) return;
    for (std::size_t i = 0; i < config.routes.size(); ++i) {
        const auto family = config.routes[i].family();
        if (config.carries(family)) continue;
        top.faults().illegal(reading.places_of_routes[i],
                             in_quotes(config.routes[i].address.text(), 60),
                             fmt::format("a network of a family that addresses has; there is no {} "
                                         "one",
                                         spoken(family)));
    }
    for (std::size_t i = 0; i < config.dns_addresses.size(); ++i) {
        const auto family = config.dns_addresses[i].family();
        const bool is_allowed =
            std::ranges::find(config.allow_families, family) != config.allow_families.end();
        if (config.carries(family) || is_allowed) continue;
        top.faults().illegal(reading.places_of_servers[i],
                             in_quotes(config.dns_addresses[i].text(), 60),
                             fmt::format("a server of a family that addresses or allowFamilies "
                                         "has; there is no {} one",
                                         spoken(family)));
    }
}

Result<VpnConfig> read(const Json& json) {
    RequestFaults faults;
    if (!json.is_object()) {
        faults.misshapen("config", value_text(json), "an object");
        return std::unexpected(faults.error());
    }
    const RequestObject top(json, "", faults,
                            {"addresses", "routes", "dnsAddresses", "searchDomains", "splitDomains",
                             "mtu", "isIPv4Accepted", "isIPv6Accepted", "isLegacy", "isInternal",
                             "isMetered", "isBlocking", "trustedApplications",
                             "blockedApplications", "vpnId", "users", "allowFamilies", "lockdown"});
    Reading reading;
    VpnConfig& config = reading.config;
    read_addresses(top, reading);
    read_routes(top, reading);
    read_name_servers(top, reading);
    read_scalars(top, config);
    read_applications(top, config);
    read_users(top, config);
    read_allowed_families(top, config);
    check_accepted(top, reading, "isIPv4Accepted", Family::ipv4);
    check_accepted(top, reading, "isIPv6Accepted", Family::ipv6);
    check_together(top, config);
    check_lockdown(top, config);
    check_families(top, reading);
    if (!faults.empty()) return std::unexpected(faults.error());
    return config;
}

}  // namespace

Result<VpnConfig> vpn_config_from(const Json& json) { return read(json); }

Result<VpnConfig> parse_vpn_config(std::string_view text) {
    const auto json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) return fail(Service::PARAMETER_ERROR, "the text is not JSON");
    return read(json);
}

}  // namespace causeway::service
