// What a VpnConfig says of the network: addresses, routes, name servers.

#include "causeway/base/text.h"
#include "causeway/service/limits.h"
#include "causeway/service/vpn_config_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace causeway::service {
namespace {

bool is_mapped(const IpAddress& address) {
    static const Prefix mapped = *Prefix::parse("::ffff:0:0/96");
    return mapped.contains(address);
}

bool is_limited_broadcast(const IpAddress& address) { return address == IpAddress::v4(0xffffffff); }

/// Why no host may have the address; empty when one may.
std::string_view fault_of_host(const IpAddress& address) {
    if (address.is_unspecified()) return "an address of a host, not the unspecified one";
    if (address.is_loopback()) return "an address of a host, not a loopback one";
    if (address.is_multicast()) return "an address of a host, not a multicast one";
    if (is_limited_broadcast(address)) return "an address of a host, not the broadcast one";
    if (is_mapped(address)) return "the IPv4 address that is mapped into it";
    return {};
}

/// The network's own address and its broadcast address, where an IPv4 network has them.
bool is_end_of_network(const Prefix& prefix) {
    if (!prefix.address.is_v4() || prefix.length >= 31) return false;
    if (prefix.network().address == prefix.address) return true;
    const auto host_bits = 0xffffffffU >> prefix.length;
    return (big_endian_32(prefix.address.bytes()) & host_bits) == host_bits;
}

/// {"address": "10.0.0.2", "family": 1, "port": 0}; an empty text reads as nothing where that is
/// allowed.
std::optional<IpAddress> read_net_address(const RequestObject& parent, std::string_view name,
                                          Need need, bool may_be_empty) {
    const auto net = parent.object(name, need, {"address", "family", "port"});
    if (!net) return std::nullopt;
    const auto text = net->text("address", Need::mandatory);
    const auto family = net->number("family", Need::optional, published_ipv4, published_ipv6);
    // No packet is sent to a port of an interface or a route.
    (void)net->number("port", Need::optional, 0, 0);
    if (!text || (text->empty() && may_be_empty)) return std::nullopt;
    const auto address = IpAddress::parse(*text);
    if (!address) {
        net->illegal("address", in_quotes(*text, 60), "an IPv4 or IPv6 address");
        return std::nullopt;
    }
    if (family && *family != published(address->family())) {
        net->illegal("family", std::to_string(*family),
                     fmt::format("{}, since {} is {}", published(address->family()),
                                 address->text(), spoken(address->family())));
        return std::nullopt;
    }
    return address;
}

/// {"address": {…}, "prefixLength": 24}
std::optional<Prefix> read_link_address(const RequestObject& link, int smallest) {
    const auto address = read_net_address(link, "address", Need::mandatory, false);
    const auto length =
        link.number("prefixLength", Need::mandatory, smallest, address ? address->bits() : 128);
    if (!address || !length) return std::nullopt;
    return Prefix{*address, static_cast<int>(*length)};
}

void read_address(const RequestObject& item, VpnConfig& config,
                  std::map<IpAddress, std::string>& known) {
    const auto own = read_link_address(item, 1);
    if (!own) return;
    const auto place = item.path("address");
    if (const auto fault = fault_of_host(own->address); !fault.empty())
        return item.illegal("address.address", in_quotes(own->address.text(), 60),
                            std::string(fault));
    if (is_end_of_network(*own))
        return item.illegal("address.address", in_quotes(own->address.text(), 60),
                            fmt::format("an address of a host in {}", own->network().text()));
    const auto [before, is_new] = known.emplace(own->address, place);
    if (!is_new)
        return item.illegal(
            "address.address", in_quotes(own->address.text(), 60),
            fmt::format("an address that is given once; {} has it", before->second));
    config.addresses.push_back(*own);
}

/// What the published form says besides of a route, and what can only be so in a tunnel.
void read_route_flags(const RequestObject& item, const std::optional<Prefix>& destination) {
    if (const auto interface = item.text("interface", Need::optional);
        interface && !interface->empty())
        item.illegal("interface", in_quotes(*interface, 60),
                     "empty, since a route of a VPN leads into its tunnel");
    if (const auto gateway = read_net_address(item, "gateway", Need::optional, true))
        item.illegal("gateway.address", in_quotes(gateway->text(), 60),
                     "empty, since a tunnel has no next hop");
    if (item.flag("hasGateway") == true)
        item.illegal("hasGateway", "true", "false, since a tunnel has no next hop");
    const auto is_default = item.flag("isDefaultRoute");
    if (is_default && destination && *is_default != (destination->length == 0))
        item.illegal("isDefaultRoute", *is_default ? "true" : "false",
                     fmt::format("{} for the destination {}", *is_default ? "false" : "true",
                                 destination->text()));
}

void read_route(const RequestObject& item, Reading& reading, std::map<Prefix, std::string>& known) {
    const auto link = item.object("destination", Need::mandatory, {"address", "prefixLength"});
    const auto destination = link ? read_link_address(*link, 0) : std::nullopt;
    const bool is_excluded = item.flag("isExcludedRoute").value_or(false);
    read_route_flags(item, destination);
    if (!destination) return;
    const auto network = destination->network();
    if (network != *destination)
        return link->illegal("address.address", in_quotes(destination->address.text(), 60),
                             fmt::format("{}, without bits behind the prefix of {}",
                                         network.address.text(), destination->length));
    if (destination->length > 0 &&
        (destination->address.is_loopback() || is_mapped(destination->address)))
        return link->illegal("address.address", in_quotes(destination->address.text(), 60),
                             "a network that packets travel to");
    const auto [before, is_new] = known.emplace(*destination, item.path("destination"));
    if (!is_new)
        return item.illegal("destination", destination->text(),
                            fmt::format("a network that is given once; {} has it", before->second));
    if (is_excluded) return reading.config.excluded_routes.push_back(*destination);
    reading.config.routes.push_back(*destination);
    reading.places_of_routes.push_back(link->path("address.address"));
}

void read_dns(const RequestObject& top, Reading& reading) {
    auto& servers = reading.config.dns_addresses;
    each_text(top, "dnsAddresses", dns_limit, [&](const std::string& text, std::string path) {
        const auto server = IpAddress::parse(text);
        if (!server)
            return top.faults().illegal(path, in_quotes(text, 60), "an IPv4 or IPv6 address");
        if (const auto fault = fault_of_host(*server); !fault.empty())
            return top.faults().illegal(path, in_quotes(text, 60), std::string(fault));
        if (std::ranges::find(servers, *server) != servers.end())
            return top.faults().illegal(path, in_quotes(text, 60), "a server that is given once");
        servers.push_back(*server);
        reading.places_of_servers.push_back(std::move(path));
    });
}

void read_domains(const RequestObject& top, const char* field, std::vector<std::string>& domains) {
    std::set<std::string> known;
    each_text(top, field, domain_limit, [&](const std::string& text, std::string path) {
        if (!is_domain(text))
            return top.faults().illegal(path, in_quotes(text, 60), "a domain such as corp.example");
        if (!known.insert(lower(text)).second)
            return top.faults().illegal(path, in_quotes(text, 60), "a domain that is given once");
        domains.push_back(text);
    });
}

}  // namespace

void read_addresses(const RequestObject& top, Reading& reading) {
    std::map<IpAddress, std::string> known;
    const auto before = top.faults().count();
    each_object(top, "addresses", Need::mandatory, address_limit, {"address", "prefixLength"},
                [&](const RequestObject& item) { read_address(item, reading.config, known); });
    reading.has_sound_addresses = top.faults().count() == before;
    if (reading.has_sound_addresses && reading.config.addresses.empty())
        top.illegal("addresses", "an empty list", "at least one");
}

void read_routes(const RequestObject& top, Reading& reading) {
    std::map<Prefix, std::string> known;
    each_object(
        top, "routes", Need::optional, route_limit,
        {"interface", "destination", "gateway", "hasGateway", "isDefaultRoute", "isExcludedRoute"},
        [&](const RequestObject& item) { read_route(item, reading, known); });
}

void read_name_servers(const RequestObject& top, Reading& reading) {
    read_dns(top, reading);
    read_domains(top, "searchDomains", reading.config.search_domains);
    read_domains(top, "splitDomains", reading.config.split_domains);
}

bool is_domain(std::string_view text) {
    constexpr std::size_t label_limit = 63;
    if (text.empty() || text.size() > device::domain_length_limit) return false;
    return std::ranges::all_of(split(text, '.'), [](std::string_view label) {
        return !label.empty() && label.size() <= label_limit && !label.starts_with('-') &&
               !label.ends_with('-') && std::ranges::all_of(label, is_domain_letter);
    });
}

}  // namespace causeway::service
