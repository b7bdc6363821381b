#include "causeway/provider/tunnel_settings.h"

namespace causeway::provider {
namespace {

std::vector<Prefix> everything(const protocol::SessionParameters& parameters) {
    std::vector<Prefix> routes;
    if (parameters.address_v4) routes.push_back(*Prefix::parse("0.0.0.0/0"));
    if (parameters.address_v6) routes.push_back(*Prefix::parse("::/0"));
    return routes;
}

}  // namespace

TunnelSettings tunnel_settings(const protocol::SessionParameters& parameters,
                               const IpAddress& gateway) {
    TunnelSettings settings;
    if (parameters.address_v4) settings.addresses.push_back(*parameters.address_v4);
    if (parameters.address_v6) settings.addresses.push_back(*parameters.address_v6);
    settings.mtu = parameters.mtu;
    settings.included = parameters.include.empty() ? everything(parameters) : parameters.include;
    settings.excluded = parameters.exclude;
    settings.gateways = {gateway};
    settings.allow_other_family = parameters.bypasses_other_family;
    settings.dns_servers = parameters.dns;
    settings.search_domains = parameters.domains;
    settings.split_domains = parameters.split_dns;
    settings.tunnel_all_dns = parameters.tunnels_all_dns;
    return settings;
}

}  // namespace causeway::provider
