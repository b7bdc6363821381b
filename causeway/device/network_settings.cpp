#include "causeway/device/network_settings.h"

#include "causeway/base/text.h"
#include "causeway/device/limits.h"
#include "causeway/device/tun.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace causeway::device {
namespace {

constexpr std::size_t path_limit = 4095;

struct Fault {
    std::string field;
    std::string value;
    std::string why;
};
using Faults = std::vector<Fault>;

void check_count(Faults& faults, std::string field, std::size_t count, std::size_t limit) {
    if (count > limit)
        faults.push_back(
            {std::move(field), std::to_string(count),
             fmt::format("there are {} of them, at most {} are allowed", count, limit)});
}

bool is_limited_broadcast(const IpAddress& address) { return address == IpAddress::v4(0xffffffff); }

bool is_mapped(const IpAddress& address) {
    static const Prefix mapped = *Prefix::parse("::ffff:0:0/96");
    return mapped.contains(address);
}

bool is_host(const IpAddress& address) {
    return !address.is_unspecified() && !address.is_loopback() && !address.is_multicast() &&
           !is_limited_broadcast(address) && !is_mapped(address);
}

void check_address(Faults& faults, const Prefix& address) {
    if (address.length < 1 || address.length > address.address.bits())
        faults.push_back({"addresses", address.text(), "the prefix length is out of range"});
    else if (!is_host(address.address))
        faults.push_back({"addresses", address.text(), "no host may have this address"});
}

void check_addresses(Faults& faults, const std::vector<Prefix>& addresses) {
    if (addresses.empty()) faults.push_back({"addresses", "none", "a tunnel needs an address"});
    check_count(faults, "addresses", addresses.size(), address_limit);
    std::set<IpAddress> seen;
    for (const auto& address : addresses) {
        check_address(faults, address);
        if (!seen.insert(address.address).second)
            faults.push_back({"addresses", address.text(), "the address is given twice"});
    }
}

void check_route(Faults& faults, const std::string& field, const Prefix& route) {
    if (route.length < 0 || route.length > route.address.bits())
        faults.push_back({field, route.text(), "the prefix length is out of range"});
}

bool is_domain_letter(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '-' || letter == '_' || letter == '.';
}

void check_domain(Faults& faults, const std::string& field, const std::string& domain) {
    // It is written into the resolver's file: nothing that could end the line may pass.
    if (domain.empty() || domain.size() > domain_length_limit ||
        !std::ranges::all_of(domain, is_domain_letter) || domain.find("..") != std::string::npos ||
        domain.starts_with('.'))
        faults.push_back({field, printable(domain), "this is no domain name"});
}

void check_mtu(Faults& faults, const NetworkSettings& settings) {
    const bool has_v6 =
        std::ranges::any_of(settings.addresses, [](const Prefix& a) { return !a.address.is_v4(); });
    const int smallest = has_v6 ? mtu_smallest_ipv6 : mtu_smallest;
    if (settings.mtu < smallest || settings.mtu > mtu_largest)
        faults.push_back({"mtu", std::to_string(settings.mtu),
                          fmt::format("it must be {} to {}{}", smallest, mtu_largest,
                                      has_v6 ? " with an IPv6 address" : "")});
}

void check_dns_settings(Faults& faults, const DnsSettings& dns) {
    check_count(faults, "dns servers", dns.servers.size(), dns_server_limit);
    check_count(faults, "search domains", dns.search_domains.size(), dns_domain_limit);
    check_count(faults, "split domains", dns.split_domains.size(), dns_domain_limit);
    for (const auto& server : dns.servers)
        if (!is_host(server))
            faults.push_back({"dns servers", server.text(), "no name server has this address"});
    for (const auto& domain : dns.search_domains) check_domain(faults, "search domains", domain);
    for (const auto& domain : dns.split_domains) check_domain(faults, "split domains", domain);
}

void check_users(Faults& faults, const std::vector<UserRange>& users) {
    for (const auto& [first, last] : users)
        if (first > last || last == no_user)
            faults.push_back({"users", fmt::format("{}-{}", first, last), "this is no range"});
    check_count(faults, "users", merged(users).size(), user_range_limit);
}

void check_applications(Faults& faults, const NetworkSettings& settings) {
    const auto& [way, names] = *settings.applications;
    if (names.empty()) faults.push_back({"applications", "none", "there must be one"});
    check_count(faults, "applications", names.size(), application_limit);
    for (const auto& name : names)
        if (name.empty() || name.size() > path_limit || name.find('\0') != std::string::npos ||
            (!name.starts_with('/') && name.find('/') != std::string::npos))
            faults.push_back({"applications", printable(name),
                              "this is neither a path from the root nor a unit's name"});
    if (way == ApplicationSettings::Way::inside && !settings.users.empty())
        faults.push_back({"users", fmt::format("{} ranges", settings.users.size()),
                          "a tunnel is for users or for applications"});
}

void check_kill_switch(Faults& faults, const KillSwitchSettings& wanted) {
    check_count(faults, "lan", wanted.lan.size(), lan_limit);
    for (const auto& network : wanted.lan) {
        check_route(faults, "lan", network);
        if (network.length == 0)
            faults.push_back({"lan", network.text(), "this is everything, and no LAN"});
    }
    check_count(faults, "other tunnels", wanted.tunnels.size(), run_limit);
    for (const auto& tunnel : wanted.tunnels)
        if (auto name = check_interface_name(tunnel); !name)
            faults.push_back({"other tunnels", printable(tunnel), name.error().detail});
}

Faults faults_in(const NetworkSettings& settings) {
    Faults faults;
    if (auto name = check_interface_name(settings.interface); !name)
        faults.push_back({"interface", printable(settings.interface), name.error().detail});
    check_addresses(faults, settings.addresses);
    check_mtu(faults, settings);
    check_count(faults, "included routes", settings.included.size(), route_limit);
    for (const auto& route : settings.included) check_route(faults, "included routes", route);
    check_count(faults, "excluded routes", settings.excluded.size(), route_limit);
    for (const auto& route : settings.excluded) check_route(faults, "excluded routes", route);
    check_count(faults, "gateways", settings.gateways.size(), gateway_limit);
    check_dns_settings(faults, settings.dns);
    check_users(faults, settings.users);
    if (settings.applications) check_applications(faults, settings);
    if (settings.kill_switch) check_kill_switch(faults, *settings.kill_switch);
    return faults;
}

std::string sentence(const Fault& fault) {
    return fmt::format("{} \"{}\": {}", fault.field, fault.value, fault.why);
}

/// All of them, or as many as a report should carry.
std::string list(const Faults& faults) {
    constexpr std::size_t shown = 10;
    std::string text;
    for (std::size_t i = 0; i < std::min(shown, faults.size()); ++i)
        text += (i == 0 ? "" : "; ") + sentence(faults[i]);
    if (faults.size() > shown) text += fmt::format("; and {} more", faults.size() - shown);
    return text;
}

}  // namespace

Result<void> check(const NetworkSettings& settings) {
    const Faults faults = faults_in(settings);
    if (faults.empty()) return {};
    const Fault& first = faults.front();
    Error refusal{Service::INVALID_PARAMETER_VALUE,
                  sentence(first),
                  {{"field", first.field}, {"value", first.value}}};
    if (faults.size() > 1) refusal.with("faults", list(faults));
    return fail(Vpn::configurationFailed, "the tunnel's network settings are not usable",
                std::move(refusal));
}

bool is_full_tunnel(const NetworkSettings& settings) {
    return std::ranges::any_of(settings.included, [](const Prefix& p) { return p.length == 0; });
}

}  // namespace causeway::device
