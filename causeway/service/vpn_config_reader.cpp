// Reads a VpnConfig from JSON and checks all of it.

#include "causeway/base/text.h"
#include "causeway/service/limits.h"
#include "causeway/service/request_object.h"
#include "causeway/service/vpn_config_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace causeway::service {
namespace {

using Json = nlohmann::json;

constexpr int published_ipv4 = 1;
constexpr int published_ipv6 = 2;

int published(Family family) { return family == Family::ipv4 ? published_ipv4 : published_ipv6; }
std::string spoken(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

/// What has been read, and where it stood.
struct Reading {
    VpnConfig config;
    bool has_sound_addresses = false;
    std::vector<std::string> places_of_routes;  ///< Of those that are not excluded.
    std::vector<std::string> places_of_servers;
};

std::string in_quotes(std::string_view text) {
    return fmt::format("\"{}\"", printable(text.substr(0, 60)));
}

std::string entry(std::string_view list, std::size_t index) {
    return fmt::format("{}[{}]", list, index);
}

/// Calls `read(entry, path)` for each object of a list; other entries are faults.
template <typename Read>
void each_object(const RequestObject& top, std::string_view name, Need need, std::size_t limit,
                 std::initializer_list<std::string_view> known, Read read) {
    const Json* list = top.list(name, need, limit);
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const Json& item = (*list)[i];
        const auto path = entry(top.path(name), i);
        if (!item.is_object())
            top.faults().misshapen(path, value_text(item), "an object");
        else
            read(RequestObject(item, path, top.faults(), known));
    }
}

/// Calls `read(text, path)` for each text of a list; other entries are faults.
template <typename Read>
void each_text(const RequestObject& top, std::string_view name, std::size_t limit, Read read) {
    const Json* list = top.list(name, Need::optional, limit);
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const Json& item = (*list)[i];
        const auto path = entry(top.path(name), i);
        if (!item.is_string())
            top.faults().misshapen(path, value_text(item), "text");
        else
            read(item.get<std::string>(), path);
    }
}

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
        net->illegal("address", in_quotes(*text), "an IPv4 or IPv6 address");
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
        return item.illegal("address.address", in_quotes(own->address.text()), std::string(fault));
    if (is_end_of_network(*own))
        return item.illegal("address.address", in_quotes(own->address.text()),
                            fmt::format("an address of a host in {}", own->network().text()));
    const auto [before, is_new] = known.emplace(own->address, place);
    if (!is_new)
        return item.illegal(
            "address.address", in_quotes(own->address.text()),
            fmt::format("an address that is given once; {} has it", before->second));
    config.addresses.push_back(*own);
}

void read_addresses(const RequestObject& top, Reading& reading) {
    std::map<IpAddress, std::string> known;
    const auto before = top.faults().count();
    each_object(top, "addresses", Need::mandatory, address_limit, {"address", "prefixLength"},
                [&](const RequestObject& item) { read_address(item, reading.config, known); });
    reading.has_sound_addresses = top.faults().count() == before;
    if (reading.has_sound_addresses && reading.config.addresses.empty())
        top.illegal("addresses", "an empty list", "at least one");
}

/// What the published form says besides of a route, and what can only be so in a tunnel.
void read_route_flags(const RequestObject& item, const std::optional<Prefix>& destination) {
    if (const auto interface = item.text("interface", Need::optional);
        interface && !interface->empty())
        item.illegal("interface", in_quotes(*interface),
                     "empty, since a route of a VPN leads into its tunnel");
    if (const auto gateway = read_net_address(item, "gateway", Need::optional, true))
        item.illegal("gateway.address", in_quotes(gateway->text()),
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
        return link->illegal("address.address", in_quotes(destination->address.text()),
                             fmt::format("{}, without bits behind the prefix of {}",
                                         network.address.text(), destination->length));
    if (destination->length > 0 &&
        (destination->address.is_loopback() || is_mapped(destination->address)))
        return link->illegal("address.address", in_quotes(destination->address.text()),
                             "a network that packets travel to");
    const auto [before, is_new] = known.emplace(*destination, item.path("destination"));
    if (!is_new)
        return item.illegal("destination", destination->text(),
                            fmt::format("a network that is given once; {} has it", before->second));
    if (is_excluded) return reading.config.excluded_routes.push_back(*destination);
    reading.config.routes.push_back(*destination);
    reading.places_of_routes.push_back(link->path("address.address"));
}

void read_routes(const RequestObject& top, Reading& reading) {
    std::map<Prefix, std::string> known;
    each_object(
        top, "routes", Need::optional, route_limit,
        {"interface", "destination", "gateway", "hasGateway", "isDefaultRoute", "isExcludedRoute"},
        [&](const RequestObject& item) { read_route(item, reading, known); });
}

void read_dns(const RequestObject& top, Reading& reading) {
    auto& servers = reading.config.dns_addresses;
    each_text(top, "dnsAddresses", dns_limit, [&](const std::string& text, std::string path) {
        const auto server = IpAddress::parse(text);
        if (!server) return top.faults().illegal(path, in_quotes(text), "an IPv4 or IPv6 address");
        if (const auto fault = fault_of_host(*server); !fault.empty())
            return top.faults().illegal(path, in_quotes(text), std::string(fault));
        if (std::ranges::find(servers, *server) != servers.end())
            return top.faults().illegal(path, in_quotes(text), "a server that is given once");
        servers.push_back(*server);
        reading.places_of_servers.push_back(std::move(path));
    });
}

bool is_domain_letter(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
}

void read_domains(const RequestObject& top, const char* field, std::vector<std::string>& domains) {
    std::set<std::string> known;
    each_text(top, field, domain_limit, [&](const std::string& text, std::string path) {
        if (!is_domain(text))
            return top.faults().illegal(path, in_quotes(text), "a domain such as corp.example");
        if (!known.insert(lower(text)).second)
            return top.faults().illegal(path, in_quotes(text), "a domain that is given once");
        domains.push_back(text);
    });
}

bool is_unit(std::string_view text) {
    if (!text.ends_with(".service") && !text.ends_with(".scope") && !text.ends_with(".slice"))
        return false;
    return text.find('.') > 0 && std::ranges::all_of(text, [](char c) {
               return is_domain_letter(c) || c == '.' || c == '@' || c == ':' || c == '\\';
           });
}

/// As the kernel writes it: absolute, without empty parts, "." and "..".
bool is_cgroup_path(std::string_view text) {
    if (!text.starts_with('/') || text.size() < 2 || valid_utf8(text) != text) return false;
    return std::ranges::all_of(split(text.substr(1), '/'), [](std::string_view part) {
        return !part.empty() && part != "." && part != ".." &&
               std::ranges::none_of(
                   part, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    });
}

void read_applications(const RequestObject& top, std::string_view name,
                       std::vector<std::string>& into) {
    each_text(top, name, application_limit, [&](const std::string& text, std::string path) {
        if (text.size() > application_length_limit || (!is_unit(text) && !is_cgroup_path(text)))
            return top.faults().illegal(path, in_quotes(text),
                                        "a cgroup path such as /user.slice/x.scope, or a unit such "
                                        "as x.service");
        if (std::ranges::find(into, text) != into.end())
            return top.faults().illegal(path, in_quotes(text), "an application that is given once");
        into.push_back(text);
    });
}

/// A number of a user, as it is written; 2^32 - 1 means none.
std::optional<std::uint32_t> user_number(std::string_view text) {
    return parse_number<std::uint32_t>(text, 0, 0xfffffffe);
}

bool is_user(std::string_view text) {
    constexpr std::size_t name_limit = 32;
    if (const auto dash = text.find('-'); dash != std::string_view::npos) {
        const auto first = user_number(text.substr(0, dash));
        const auto last = user_number(text.substr(dash + 1));
        if (first && last) return *first <= *last;
    }
    if (user_number(text)) return true;
    if (text.empty() || text.size() > name_limit || (text[0] >= '0' && text[0] <= '9') ||
        text[0] == '-')
        return false;
    return std::ranges::all_of(text, [](char c) { return is_domain_letter(c) || c == '.'; });
}

void read_users(const RequestObject& top, VpnConfig& config) {
    const Json* list = top.list("users", Need::optional, user_limit);
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const Json& item = (*list)[i];
        const auto path = entry("users", i);
        if (!item.is_string() && !item.is_number_integer()) {
            top.faults().misshapen(path, value_text(item), "a name or a number");
            continue;
        }
        const std::string text = item.is_string() ? item.get<std::string>() : item.dump();
        if (!is_user(text))
            top.faults().illegal(path, in_quotes(text),
                                 "a user's name, 0 to 4294967294, or a range such as 1000-1999");
        else if (std::ranges::find(config.users, text) != config.users.end())
            top.faults().illegal(path, in_quotes(text), "a user that is given once");
        else
            config.users.push_back(text);
    }
}

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
                "vpnId", in_quotes(*id),
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
    for (const auto& [field, domains] : {std::pair("searchDomains", &config.search_domains),
                                         std::pair("splitDomains", &config.split_domains)})
        if (!domains->empty() && !top.has_entries("dnsAddresses"))
            faults.illegal(field, fmt::format("a list of {}", domains->size()),
                           "none without dnsAddresses, which are asked for them");
}

/// Routes and servers of a family that does not go through the tunnel.
void check_families(const RequestObject& top, const Reading& reading) {
    const VpnConfig& config = reading.config;
    if (!reading.has_sound_addresses || config.addresses.empty()) return;
    for (std::size_t i = 0; i < config.routes.size(); ++i) {
        const auto family = config.routes[i].family();
        if (config.carries(family)) continue;
        top.faults().illegal(reading.places_of_routes[i],
                             in_quotes(config.routes[i].address.text()),
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
                             in_quotes(config.dns_addresses[i].text()),
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
    read_dns(top, reading);
    read_domains(top, "searchDomains", config.search_domains);
    read_domains(top, "splitDomains", config.split_domains);
    read_scalars(top, config);
    read_applications(top, "trustedApplications", config.trusted_applications);
    read_applications(top, "blockedApplications", config.blocked_applications);
    read_users(top, config);
    read_allowed_families(top, config);
    check_accepted(top, reading, "isIPv4Accepted", Family::ipv4);
    check_accepted(top, reading, "isIPv6Accepted", Family::ipv6);
    check_together(top, config);
    check_families(top, reading);
    if (!faults.empty()) return std::unexpected(faults.error());
    return config;
}

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

bool is_domain(std::string_view text) {
    constexpr std::size_t label_limit = 63;
    if (text.empty() || text.size() > device::domain_length_limit) return false;
    return std::ranges::all_of(split(text, '.'), [](std::string_view label) {
        return !label.empty() && label.size() <= label_limit && !label.starts_with('-') &&
               !label.ends_with('-') && std::ranges::all_of(label, is_domain_letter);
    });
}

Result<VpnConfig> vpn_config_from(const Json& json) { return read(json); }

Result<VpnConfig> parse_vpn_config(std::string_view text) {
    const auto json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) return fail(Service::PARAMETER_ERROR, "the text is not JSON");
    return read(json);
}

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
