// A VpnConfig as JSON.

#include "causeway/service/json.h"
#include "causeway/service/vpn_config_json.h"
#include "causeway/service/vpn_config_reading.h"

namespace causeway::service {
namespace {

Json json_of(const IpAddress& address) {
    return {{"address", address.text()}, {"family", published(address.family())}};
}

Json json_of(const Prefix& prefix) {
    return {{"address", json_of(prefix.address)}, {"prefixLength", prefix.length}};
}

void put_routes(Json& json, const VpnConfig& config) {
    if (config.routes.empty() && config.excluded_routes.empty()) return;
    auto& routes = json["routes"] = Json::array();
    for (const auto& route : config.routes) routes.push_back({{"destination", json_of(route)}});
    for (const auto& route : config.excluded_routes)
        routes.push_back({{"destination", json_of(route)}, {"isExcludedRoute", true}});
}

}  // namespace

Json json_of(const VpnConfig& config) {
    Json json{{"mtu", config.mtu}};
    auto& addresses = json["addresses"] = Json::array();
    for (const auto& own : config.addresses) addresses.push_back(json_of(own));
    put_routes(json, config);
    for (const auto& server : config.dns_addresses) json["dnsAddresses"].push_back(server.text());
    const auto put = [&](const char* name, const auto& list) {
        if (!list.empty()) json[name] = list;
    };
    put("searchDomains", config.search_domains);
    put("splitDomains", config.split_domains);
    put("trustedApplications", config.trusted_applications);
    put("blockedApplications", config.blocked_applications);
    put("users", config.users);
    for (const auto family : config.allow_families)
        json["allowFamilies"].push_back(published(family));
    if (!config.vpn_id.empty()) json["vpnId"] = config.vpn_id;
    if (config.is_blocking) json["isBlocking"] = true;
    if (config.is_metered) json["isMetered"] = true;
    if (config.is_legacy) json["isLegacy"] = true;
    if (config.lockdown) json["lockdown"] = true;
    return json;
}

std::string json_text(const VpnConfig& config) { return json_of(config).dump(); }

}  // namespace causeway::service
