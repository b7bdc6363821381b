#include "causeway/service/vpn_config.h"
#include "causeway/service/json.h"

#include "causeway/service/limits.h"
#include "causeway/service/vpn_config_json.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

namespace causeway::service {
namespace {

/// The configuration that each row changes, by the rules of RFC 7396.
const Json& plain() {
    static const Json json = Json::parse(
        R"({"addresses":[{"address":{"address":"10.8.0.2","family":1},"prefixLength":24}]})");
    return json;
}

struct Wrong {
    Service code;
    std::string patch;
    std::string field;
    std::string words;  ///< In the sentence of that fault.
};

constexpr auto bad_shape = Service::PARAMETER_ERROR;
constexpr auto bad_value = Service::INVALID_PARAMETER_VALUE;

std::string link(std::string_view address, std::string_view length) {
    return fmt::format(R"({{"address":{{"address":"{}"}},"prefixLength":{}}})", address, length);
}
std::string own(std::string_view address, std::string_view length) {
    return fmt::format(R"({{"addresses":[{}]}})", link(address, length));
}
std::string both_families(std::string_view more) {
    return fmt::format(R"({{"addresses":[{},{}],{}}})", link("10.8.0.2", "24"),
                       link("fd00::2", "64"), more);
}
std::string route(std::string_view address, std::string_view length, std::string_view more = "") {
    return fmt::format(R"({{"routes":[{{"destination":{}{}{}}}]}})", link(address, length),
                       more.empty() ? "" : ",", more);
}
std::string texts(std::string_view field, std::string_view text) {
    return fmt::format(R"({{"{}":["{}"]}})", field, text);
}
std::string many(std::string_view field, std::size_t count, const char* form) {
    Json list = Json::array();
    for (std::size_t i = 0; i < count; ++i)
        list.push_back(fmt::format(fmt::runtime(form), i / 250, i % 250 + 1));
    return Json{{std::string(field), list}}.dump();
}
std::string many_addresses(std::size_t count) {
    Json list = Json::array();
    for (std::size_t i = 0; i < count; ++i)
        list.push_back(Json::parse(link(fmt::format("10.8.{}.{}", i / 200, i % 200 + 1), "32")));
    return Json{{"addresses", list}}.dump();
}
std::string many_routes(std::size_t count) {
    Json list = Json::array();
    for (std::size_t i = 0; i < count; ++i)
        list.push_back({{"destination",
                         Json::parse(link(fmt::format("10.{}.{}.0", i / 200, i % 200), "24"))}});
    return Json{{"routes", list}}.dump();
}

std::vector<Wrong> wrong_values() {
    const std::string address = "addresses[0].address.address";
    const std::string prefix = "addresses[0].prefixLength";
    const std::string to = "routes[0].destination.address.address";
    const std::string to_prefix = "routes[0].destination.prefixLength";
    return {
        // Addresses
        {bad_value, R"({"addresses":[]})", "addresses", "at least one"},
        {bad_value, own("", "24"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("10.8.0", "24"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("10.8.0.256", "24"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("10.8.0.02", "24"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("10.8.0.2/24", "24"), address, "an IPv4 or IPv6 address"},
        {bad_value, own(" 10.8.0.2", "24"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("10.8.0.2.", "24"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("vpn.example.com", "24"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("fd00:::2", "64"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("fd00::2%eth0", "64"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("[fd00::2]", "64"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("fd00::2\\u0000", "64"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("10.8.0.2\\n", "24"), address, "an IPv4 or IPv6 address"},
        {bad_value, own("0.0.0.0", "8"), address, "unspecified"},
        {bad_value, own("::", "64"), address, "unspecified"},
        {bad_value, own("127.0.0.1", "8"), address, "loopback"},
        {bad_value, own("127.255.0.9", "32"), address, "loopback"},
        {bad_value, own("::1", "128"), address, "loopback"},
        {bad_value, own("224.0.0.5", "24"), address, "multicast"},
        {bad_value, own("239.255.255.250", "32"), address, "multicast"},
        {bad_value, own("ff02::1", "64"), address, "multicast"},
        {bad_value, own("255.255.255.255", "32"), address, "broadcast"},
        {bad_value, own("::ffff:10.8.0.2", "96"), address, "mapped"},
        {bad_value, own("10.8.0.0", "24"), address, "a host in 10.8.0.0/24"},
        {bad_value, own("10.8.0.255", "24"), address, "a host in 10.8.0.0/24"},
        {bad_value, own("10.8.0.4", "30"), address, "a host in 10.8.0.4/30"},
        {bad_value, own("10.8.0.7", "30"), address, "a host in 10.8.0.4/30"},
        {bad_value, own("10.255.255.255", "8"), address, "a host in 10.0.0.0/8"},
        {bad_value, own("10.8.0.2", "0"), prefix, "1 to 32"},
        {bad_value, own("10.8.0.2", "33"), prefix, "1 to 32"},
        {bad_value, own("10.8.0.2", "-1"), prefix, "1 to 32"},
        {bad_value, own("10.8.0.2", "257"), prefix, "1 to 32"},
        {bad_value, own("10.8.0.2", "128"), prefix, "1 to 32"},
        {bad_value, own("10.8.0.2", "4294967320"), prefix, "1 to 32"},
        {bad_value, own("10.8.0.2", "18446744073709551615"), prefix, "1 to 32"},
        {bad_value, own("fd00::2", "0"), prefix, "1 to 128"},
        {bad_value, own("fd00::2", "129"), prefix, "1 to 128"},
        {bad_value, own("fd00::2", "-64"), prefix, "1 to 128"},
        {bad_value,
         fmt::format(R"({{"addresses":[{},{}]}})", link("10.8.0.2", "24"), link("10.8.0.2", "24")),
         "addresses[1].address.address", "given once; addresses[0].address has it"},
        {bad_value,
         fmt::format(R"({{"addresses":[{},{}]}})", link("fd00::2", "64"), link("fd00:0::2", "128")),
         "addresses[1].address.address", "given once"},
        {bad_value,
         R"({"addresses":[{"address":{"address":"10.8.0.2","family":2},"prefixLength":24}]})",
         "addresses[0].address.family", "1, since 10.8.0.2 is IPv4"},
        {bad_value,
         R"({"addresses":[{"address":{"address":"fd00::2","family":1},"prefixLength":64}]})",
         "addresses[0].address.family", "2, since fd00::2 is IPv6"},
        {bad_value,
         R"({"addresses":[{"address":{"address":"10.8.0.2","family":0},"prefixLength":24}]})",
         "addresses[0].address.family", "1 to 2"},
        {bad_value,
         R"({"addresses":[{"address":{"address":"fd00::2","family":10},"prefixLength":64}]})",
         "addresses[0].address.family", "1 to 2"},
        {bad_value,
         R"({"addresses":[{"address":{"address":"10.8.0.2","port":8080},"prefixLength":24}]})",
         "addresses[0].address.port", "8080, allowed is 0"},
        {bad_value,
         R"({"addresses":[{"address":{"address":"10.8.0.2","port":-1},"prefixLength":24}]})",
         "addresses[0].address.port", "allowed is 0"},
        {bad_value, many_addresses(address_limit + 1), "addresses",
         fmt::format("a list of {}, allowed is at most {}", address_limit + 1, address_limit)},

        // Routes
        {bad_value, route("", "8"), to, "an IPv4 or IPv6 address"},
        {bad_value, route("default", "0"), to, "an IPv4 or IPv6 address"},
        {bad_value, route("10.9.0.0/16", "16"), to, "an IPv4 or IPv6 address"},
        {bad_value, route("10.9.0.1", "24"), to, "10.9.0.0, without bits behind the prefix of 24"},
        {bad_value, route("10.9.0.0", "8"), to, "10.0.0.0, without bits behind the prefix of 8"},
        {bad_value, route("128.0.0.0", "0"), to, "0.0.0.0, without bits behind the prefix of 0"},
        {bad_value, route("0.0.0.1", "0"), to, "0.0.0.0, without bits"},
        {bad_value, route("10.9.0.1", "31"), to, "10.9.0.0, without bits"},
        {bad_value, route("10.9.0.0", "33"), to_prefix, "0 to 32"},
        {bad_value, route("10.9.0.0", "-1"), to_prefix, "0 to 32"},
        {bad_value, route("10.9.0.0", "256"), to_prefix, "0 to 32"},
        {bad_value, route("fd00::", "129"), to_prefix, "0 to 128"},
        {bad_value, route("127.0.0.0", "8"), to, "packets travel to"},
        {bad_value, route("127.0.0.1", "32"), to, "packets travel to"},
        {bad_value, route("fd01::", "16"), to, "no IPv6 one"},
        {bad_value, route("::", "0"), to, "no IPv6 one"},
        {bad_value,
         R"({"addresses":[{"address":{"address":"fd00::2"},"prefixLength":64}],)"
         R"("routes":[{"destination":{"address":{"address":"10.0.0.0"},"prefixLength":8}}]})",
         to, "no IPv4 one"},
        {bad_value, both_families(R"("routes":[{"destination":)" + link("fd00::1", "64") + "}]"),
         to, "fd00::, without bits behind the prefix of 64"},
        {bad_value, both_families(R"("routes":[{"destination":)" + link("::1", "128") + "}]"), to,
         "packets travel to"},
        {bad_value,
         both_families(R"("routes":[{"destination":)" + link("::ffff:10.0.0.0", "104") + "}]"), to,
         "packets travel to"},
        {bad_value, route("10.9.0.0", "16", R"("interface":"eth0")"), "routes[0].interface",
         "empty, since a route of a VPN leads into its tunnel"},
        {bad_value, route("10.9.0.0", "16", R"("interface":"vpn-tun")"), "routes[0].interface",
         "empty"},
        {bad_value, route("10.9.0.0", "16", R"("gateway":{"address":"10.8.0.1"})"),
         "routes[0].gateway.address", "empty, since a tunnel has no next hop"},
        {bad_value, route("10.9.0.0", "16", R"("gateway":{"address":"fd00::1"})"),
         "routes[0].gateway.address", "no next hop"},
        {bad_value, route("10.9.0.0", "16", R"("gateway":{"address":"nowhere"})"),
         "routes[0].gateway.address", "an IPv4 or IPv6 address"},
        {bad_value, route("10.9.0.0", "16", R"("gateway":{"address":"","family":3})"),
         "routes[0].gateway.family", "1 to 2"},
        {bad_value, route("10.9.0.0", "16", R"("gateway":{"address":"","port":1})"),
         "routes[0].gateway.port", "allowed is 0"},
        {bad_value, route("10.9.0.0", "16", R"("hasGateway":true)"), "routes[0].hasGateway",
         "no next hop"},
        {bad_value, route("10.9.0.0", "16", R"("isDefaultRoute":true)"), "routes[0].isDefaultRoute",
         "false for the destination 10.9.0.0/16"},
        {bad_value, route("0.0.0.0", "0", R"("isDefaultRoute":false)"), "routes[0].isDefaultRoute",
         "true for the destination 0.0.0.0/0"},
        {bad_value,
         fmt::format(R"({{"routes":[{{"destination":{0}}},{{"destination":{0}}}]}})",
                     link("10.9.0.0", "16")),
         "routes[1].destination", "given once; routes[0].destination has it"},
        {bad_value,
         fmt::format(
             R"({{"routes":[{{"destination":{0}}},{{"destination":{0},"isExcludedRoute":true}}]}})",
             link("10.9.0.0", "16")),
         "routes[1].destination", "given once"},
        {bad_value,
         R"({"routes":[{"destination":{"address":{"address":"10.0.0.0","family":2},)"
         R"("prefixLength":8}}]})",
         "routes[0].destination.address.family", "1, since 10.0.0.0 is IPv4"},
        {bad_value,
         R"({"routes":[{"destination":{"address":{"address":"10.0.0.0","port":443},)"
         R"("prefixLength":8}}]})",
         "routes[0].destination.address.port", "allowed is 0"},
        {bad_value, many_routes(route_limit + 1), "routes",
         fmt::format("a list of {}, allowed is at most {}", route_limit + 1, route_limit)},
        {bad_value,
         fmt::format(R"({{"routes":[{{"destination":{}}},{{"destination":{}}},)"
                     R"({{"destination":{}}},{{"destination":{}}}]}})",
                     link("10.1.0.0", "16"), link("10.2.0.0", "16"), link("10.3.0.0", "16"),
                     link("10.4.0.0", "33")),
         "routes[3].destination.prefixLength", "33, allowed is 0 to 32"},

        // Name servers and domains
        {bad_value, texts("dnsAddresses", ""), "dnsAddresses[0]", "an IPv4 or IPv6 address"},
        {bad_value, texts("dnsAddresses", "10.8.0"), "dnsAddresses[0]", "an IPv4 or IPv6 address"},
        {bad_value, texts("dnsAddresses", "dns.example"), "dnsAddresses[0]", "IPv4 or IPv6"},
        {bad_value, texts("dnsAddresses", "10.8.0.1:53"), "dnsAddresses[0]", "IPv4 or IPv6"},
        {bad_value, texts("dnsAddresses", "10.8.0.1 10.8.0.3"), "dnsAddresses[0]", "IPv4 or IPv6"},
        {bad_value, texts("dnsAddresses", "10.8.0.1\\nnameserver 9.9.9.9"), "dnsAddresses[0]",
         "an IPv4 or IPv6 address"},
        {bad_value, texts("dnsAddresses", "0.0.0.0"), "dnsAddresses[0]", "unspecified"},
        {bad_value, texts("dnsAddresses", "127.0.0.53"), "dnsAddresses[0]", "loopback"},
        {bad_value, texts("dnsAddresses", "::1"), "dnsAddresses[0]", "loopback"},
        {bad_value, texts("dnsAddresses", "224.0.0.251"), "dnsAddresses[0]", "multicast"},
        {bad_value, texts("dnsAddresses", "ff02::fb"), "dnsAddresses[0]", "multicast"},
        {bad_value, texts("dnsAddresses", "255.255.255.255"), "dnsAddresses[0]", "broadcast"},
        {bad_value, texts("dnsAddresses", "::ffff:10.8.0.1"), "dnsAddresses[0]", "mapped"},
        {bad_value, texts("dnsAddresses", "fd00::53"), "dnsAddresses[0]", "no IPv6 one"},
        {bad_value, R"({"dnsAddresses":["10.8.0.1","10.8.0.1"]})", "dnsAddresses[1]", "given once"},
        {bad_value, R"({"dnsAddresses":["10.8.0.1","10.8.0.300"]})", "dnsAddresses[1]",
         "an IPv4 or IPv6 address"},
        {bad_value, many("dnsAddresses", dns_limit + 1, "10.9.{}.{}"), "dnsAddresses",
         fmt::format("at most {}", dns_limit)},
        {bad_value, texts("searchDomains", ""), "searchDomains[0]", "a domain"},
        {bad_value, texts("searchDomains", "."), "searchDomains[0]", "a domain"},
        {bad_value, texts("searchDomains", ".corp"), "searchDomains[0]", "a domain"},
        {bad_value, texts("searchDomains", "corp."), "searchDomains[0]", "a domain"},
        {bad_value, texts("searchDomains", "corp..example"), "searchDomains[0]", "a domain"},
        {bad_value, texts("searchDomains", "corp example"), "searchDomains[0]", "a domain"},
        {bad_value, texts("searchDomains", "-corp.example"), "searchDomains[0]", "a domain"},
        {bad_value, texts("searchDomains", "corp-.example"), "searchDomains[0]", "a domain"},
        {bad_value, texts("searchDomains", "corp/example"), "searchDomains[0]", "a domain"},
        {bad_value, texts("searchDomains", "corp\\nnameserver 9.9.9.9"), "searchDomains[0]",
         "a domain"},
        {bad_value, texts("searchDomains", "bücher.example"), "searchDomains[0]", "a domain"},
        {bad_value, texts("searchDomains", std::string(64, 'a') + ".example"), "searchDomains[0]",
         "a domain"},
        {bad_value, texts("searchDomains", std::string(254, 'a')), "searchDomains[0]", "a domain"},
        {bad_value,
         R"({"dnsAddresses":["10.8.0.1"],"searchDomains":["corp.example","CORP.example"]})",
         "searchDomains[1]", "given once"},
        {bad_value, texts("searchDomains", "corp.example"), "searchDomains", "dnsAddresses"},
        {bad_value, R"({"dnsAddresses":[],"searchDomains":["corp.example"]})", "searchDomains",
         "dnsAddresses"},
        {bad_value, texts("splitDomains", "corp..example"), "splitDomains[0]", "a domain"},
        {bad_value, texts("splitDomains", "corp.example"), "splitDomains", "dnsAddresses"},
        {bad_value, R"({"dnsAddresses":["10.8.0.1"],"splitDomains":["a.example","A.example"]})",
         "splitDomains[1]", "given once"},
        {bad_value, many("splitDomains", domain_limit + 1, "d{}x{}.example"), "splitDomains",
         fmt::format("at most {}", domain_limit)},
        {bad_value, many("searchDomains", domain_limit + 1, "d{}x{}.example"), "searchDomains",
         fmt::format("at most {}", domain_limit)},

        // MTU and families
        {bad_value, R"({"mtu":0})", "mtu", "576 to 1500"},
        {bad_value, R"({"mtu":-1400})", "mtu", "576 to 1500"},
        {bad_value, R"({"mtu":575})", "mtu", "576 to 1500"},
        {bad_value, R"({"mtu":1501})", "mtu", "576 to 1500"},
        {bad_value, R"({"mtu":65535})", "mtu", "576 to 1500"},
        {bad_value, R"({"mtu":4294968696})", "mtu", "576 to 1500"},
        {bad_value, both_families(R"("mtu":1279)"), "mtu", "1280 to 1500 with an IPv6 address"},
        {bad_value, R"({"isIPv4Accepted":false})", "isIPv4Accepted",
         "true, since addresses has an IPv4 one"},
        {bad_value, R"({"isIPv6Accepted":true})", "isIPv6Accepted",
         "false, or an IPv6 address among addresses"},
        {bad_value, both_families(R"("isIPv6Accepted":false)"), "isIPv6Accepted",
         "true, since addresses has an IPv6 one"},
        {bad_value,
         R"({"addresses":[{"address":{"address":"fd00::2"},"prefixLength":64}],)"
         R"("isIPv4Accepted":true})",
         "isIPv4Accepted", "false, or an IPv4 address"},
        {bad_value, R"({"allowFamilies":[1]})", "allowFamilies", "which carries IPv4"},
        {bad_value, R"({"allowFamilies":[0]})", "allowFamilies[0]", "1 (IPv4) or 2 (IPv6)"},
        {bad_value, R"({"allowFamilies":[10]})", "allowFamilies[0]", "1 (IPv4) or 2 (IPv6)"},
        {bad_value, R"({"allowFamilies":[2,2]})", "allowFamilies[1]", "given once"},
        {bad_value, R"({"allowFamilies":[1,2,1]})", "allowFamilies", "at most 2"},
        {bad_value, both_families(R"("allowFamilies":[2])"), "allowFamilies", "carries IPv6"},
        {bad_value, R"({"isLegacy":true,"isInternal":false})", "isInternal", "isLegacy"},

        // Who
        {bad_value, R"({"vpnId":""})", "vpnId", "1 to 64"},
        {bad_value, R"({"vpnId":"my vpn"})", "vpnId", "letters, digits"},
        {bad_value, R"({"vpnId":"a/b"})", "vpnId", "letters, digits"},
        {bad_value, R"({"vpnId":"ü"})", "vpnId", "letters, digits"},
        {bad_value, fmt::format(R"({{"vpnId":"{}"}})", std::string(65, 'a')), "vpnId", "1 to 64"},
        {bad_value, texts("trustedApplications", ""), "trustedApplications[0]", "a cgroup path"},
        {bad_value, texts("trustedApplications", "firefox"), "trustedApplications[0]",
         "a cgroup path"},
        {bad_value, texts("trustedApplications", "com.example.app"), "trustedApplications[0]",
         "a unit such as"},
        {bad_value, texts("trustedApplications", "/"), "trustedApplications[0]", "a cgroup path"},
        {bad_value, texts("trustedApplications", "/a/../b"), "trustedApplications[0]",
         "a cgroup path"},
        {bad_value, texts("trustedApplications", "/a//b"), "trustedApplications[0]",
         "a cgroup path"},
        {bad_value, texts("blockedApplications", "a b.service"), "blockedApplications[0]",
         "a cgroup path"},
        {bad_value, texts("blockedApplications", "/" + std::string(1024, 'a')),
         "blockedApplications[0]", "a cgroup path"},
        {bad_value, R"({"blockedApplications":["x.service","x.service"]})",
         "blockedApplications[1]", "given once"},
        {bad_value, R"({"trustedApplications":["a.service"],"blockedApplications":["b.service"]})",
         "blockedApplications", "none beside trustedApplications"},
        {bad_value, many("trustedApplications", application_limit + 1, "a{}-{}.service"),
         "trustedApplications", "at most 256"},
        {bad_value, many("blockedApplications", application_limit + 1, "a{}-{}.service"),
         "blockedApplications", "at most 256"},
        {bad_value, texts("users", ""), "users[0]", "a user's name"},
        {bad_value, texts("users", "two words"), "users[0]", "a user's name"},
        {bad_value, texts("users", "2000-1000"), "users[0]", "a range such as"},
        {bad_value, texts("users", "1000-"), "users[0]", "a range such as"},
        {bad_value, texts("users", std::string(33, 'a')), "users[0]", "a user's name"},
        {bad_value, R"({"users":[-1]})", "users[0]", "0 to 4294967294"},
        {bad_value, R"({"users":[4294967295]})", "users[0]", "0 to 4294967294"},
        {bad_value, R"({"users":[1000,"1000"]})", "users[1]", "given once"},
        {bad_value, many("users", user_limit + 1, "u{}x{}"), "users", "at most 256"},
    };
}

std::vector<Wrong> wrong_shapes() {
    return {
        {bad_shape, R"({"addresses":null})", "addresses", "missing, expected is a list"},
        {bad_shape, R"({"addresses":"10.8.0.2"})", "addresses", "a list"},
        {bad_shape, R"({"addresses":7})", "addresses", "a list"},
        {bad_shape, R"({"addresses":{"0":{"address":{}}}})", "addresses", "a list"},
        {bad_shape, R"({"addresses":["10.8.0.2/24"]})", "addresses[0]", "an object"},
        {bad_shape, R"({"addresses":[null]})", "addresses[0]", "an object"},
        {bad_shape, R"({"addresses":[[]]})", "addresses[0]", "an object"},
        {bad_shape, R"({"addresses":[{}]})", "addresses[0].address", "missing"},
        {bad_shape, R"({"addresses":[{"address":{"address":"10.8.0.2"}}]})",
         "addresses[0].prefixLength", "missing, expected is a whole number"},
        {bad_shape, R"({"addresses":[{"address":"10.8.0.2","prefixLength":24}]})",
         "addresses[0].address", "an object"},
        {bad_shape, R"({"addresses":[{"address":{},"prefixLength":24}]})",
         "addresses[0].address.address", "missing, expected is text"},
        {bad_shape, R"({"addresses":[{"address":{"address":1},"prefixLength":24}]})",
         "addresses[0].address.address", "text"},
        {bad_shape, R"({"addresses":[{"address":{"address":null},"prefixLength":24}]})",
         "addresses[0].address.address", "null, allowed is text"},
        {bad_shape,
         R"({"addresses":[{"address":{"address":"10.8.0.2","family":"1"},"prefixLength":24}]})",
         "addresses[0].address.family", "a whole number"},
        {bad_shape,
         R"({"addresses":[{"address":{"address":"10.8.0.2","port":"0"},"prefixLength":24}]})",
         "addresses[0].address.port", "a whole number"},
        {bad_shape,
         R"({"addresses":[{"address":{"address":"10.8.0.2","zone":1},"prefixLength":24}]})",
         "addresses[0].address.zone", "no such field"},
        {bad_shape, R"({"addresses":[{"address":{"address":"10.8.0.2"},"prefixlength":24}]})",
         "addresses[0].prefixlength", "the nearest is prefixLength"},
        {bad_shape, own("10.8.0.2", R"("24")"), "addresses[0].prefixLength", "a whole number"},
        {bad_shape, own("10.8.0.2", "24.0"), "addresses[0].prefixLength", "a whole number"},
        {bad_shape, own("10.8.0.2", "true"), "addresses[0].prefixLength", "a whole number"},
        {bad_shape, own("10.8.0.2", "1e2"), "addresses[0].prefixLength", "a whole number"},
        {bad_shape, R"({"routes":"0.0.0.0/0"})", "routes", "a list"},
        {bad_shape, R"({"routes":["0.0.0.0/0"]})", "routes[0]", "an object"},
        {bad_shape, R"({"routes":[{}]})", "routes[0].destination", "missing"},
        {bad_shape, R"({"routes":[{"destination":"10.0.0.0/8"}]})", "routes[0].destination",
         "an object"},
        {bad_shape, R"({"routes":[{"destination":{"address":{"address":"10.0.0.0"}}}]})",
         "routes[0].destination.prefixLength", "missing"},
        {bad_shape, R"({"routes":[{"destination":{"prefixLength":8}}]})",
         "routes[0].destination.address", "missing"},
        {bad_shape, route("10.9.0.0", R"("16")"), "routes[0].destination.prefixLength",
         "a whole number"},
        {bad_shape, route("10.9.0.0", "16", R"("gateway":"10.8.0.1")"), "routes[0].gateway",
         "an object"},
        {bad_shape, route("10.9.0.0", "16", R"("gateway":{})"), "routes[0].gateway.address",
         "missing"},
        {bad_shape, route("10.9.0.0", "16", R"("interface":0)"), "routes[0].interface", "text"},
        {bad_shape, route("10.9.0.0", "16", R"("hasGateway":"no")"), "routes[0].hasGateway",
         "true or false"},
        {bad_shape, route("10.9.0.0", "16", R"("isDefaultRoute":0)"), "routes[0].isDefaultRoute",
         "true or false"},
        {bad_shape, route("10.9.0.0", "16", R"("isExcludedRoute":"yes")"),
         "routes[0].isExcludedRoute", "true or false"},
        {bad_shape, route("10.9.0.0", "16", R"("isExcluded":true)"), "routes[0].isExcluded",
         "no such field"},
        {bad_shape, R"({"dnsAddresses":"10.8.0.1"})", "dnsAddresses", "a list"},
        {bad_shape, R"({"dnsAddresses":[1]})", "dnsAddresses[0]", "text"},
        {bad_shape, R"({"dnsAddresses":[{"address":"10.8.0.1"}]})", "dnsAddresses[0]", "text"},
        {bad_shape, R"({"dnsAddress":["10.8.0.1"]})", "dnsAddress", "the nearest is dnsAddresses"},
        {bad_shape, R"({"searchDomains":"corp.example"})", "searchDomains", "a list"},
        {bad_shape, R"({"searchDomains":[true]})", "searchDomains[0]", "text"},
        {bad_shape, R"({"mtu":"1400"})", "mtu", "a whole number"},
        {bad_shape, R"({"mtu":1400.5})", "mtu", "a whole number"},
        {bad_shape, R"({"MTU":1400})", "MTU", "the nearest is mtu"},
        {bad_shape, R"({"isIPv4Accepted":1})", "isIPv4Accepted", "true or false"},
        {bad_shape, R"({"isIPv6Accepted":"false"})", "isIPv6Accepted", "true or false"},
        {bad_shape, R"({"isIpv6Accepted":true})", "isIpv6Accepted", "nearest is isIPv6Accepted"},
        {bad_shape, R"({"isLegacy":0})", "isLegacy", "true or false"},
        {bad_shape, R"({"isInternal":"x"})", "isInternal", "true or false"},
        {bad_shape, R"({"isMetered":[]})", "isMetered", "true or false"},
        {bad_shape, R"({"isBlocking":{}})", "isBlocking", "true or false"},
        {bad_shape, R"({"lockdown":1})", "lockdown", "true or false"},
        {bad_shape, R"({"trustedApplications":"x.service"})", "trustedApplications", "a list"},
        {bad_shape, R"({"trustedApplications":[0]})", "trustedApplications[0]", "text"},
        {bad_shape, R"({"blockedApplications":{}})", "blockedApplications", "a list"},
        {bad_shape, R"({"vpnId":7})", "vpnId", "text"},
        {bad_shape, R"({"users":"alice"})", "users", "a list"},
        {bad_shape, R"({"users":[true]})", "users[0]", "a name or a number"},
        {bad_shape, R"({"users":[1.5]})", "users[0]", "a name or a number"},
        {bad_shape, R"({"allowFamilies":2})", "allowFamilies", "a list"},
        {bad_shape, R"({"allowFamilies":["IPv6"]})", "allowFamilies[0]", "a whole number"},
        {bad_shape, R"({"name":"office"})", "name", "no such field"},
    };
}

/// The sentence of the fault in that field, among all that are told.
std::string sentence_about(const Error& error, const std::string& field) {
    for (const auto& [key, value] : error.evidence)
        if (key.starts_with("fault_") && value.starts_with(field + " is ")) return value;
    return {};
}

void check_refused(const Wrong& row) {
    Json json = plain();
    json.merge_patch(Json::parse(row.patch));
    CAPTURE(row.field);
    CAPTURE(row.patch.substr(0, 200));
    const auto read = vpn_config_from(json);
    REQUIRE(!read.has_value());
    CHECK(read.error().code == Code(row.code));
    const auto sentence = sentence_about(read.error(), row.field);
    CHECK(sentence.find(row.words) != std::string::npos);
    CHECK(read.error().fact("field") == row.field);
    if (read.error().detail.find("missing") == std::string::npos)
        CHECK(!read.error().fact("value").empty());
    CHECK(!read.error().fact("limit").empty());
}

TEST_CASE("impossible values are refused with their field, the value and what is allowed") {
    for (const auto& row : wrong_values()) check_refused(row);
}

TEST_CASE("missing, misspelt and ill-typed fields are refused by their path") {
    for (const auto& row : wrong_shapes()) check_refused(row);
}

TEST_CASE("the table of wrong configurations is as long as promised, without repetition") {
    std::set<std::string> different;
    for (const auto& row : wrong_values()) different.insert(row.patch + row.field);
    for (const auto& row : wrong_shapes()) different.insert(row.patch + row.field);
    CHECK(different.size() == wrong_values().size() + wrong_shapes().size());
    CHECK(different.size() >= 150);
}

std::string two(std::string_view first, std::string_view second) {
    return fmt::format(R"({{"addresses":[{},{}]}})", first, second);
}

std::vector<std::string> right_ones() {
    return {
        "{}",
        own("10.8.0.2", "8"),
        own("10.8.0.2", "30"),
        own("10.8.0.0", "31"),
        own("10.8.0.1", "31"),
        own("10.8.0.2", "32"),
        own("10.8.0.0", "32"),
        own("192.168.1.77", "1"),
        own("169.254.3.4", "16"),
        own("100.64.0.9", "10"),
        own("fd00::2", "64"),
        own("fd00::", "127"),
        own("fd00::1", "127"),
        own("fd00::2", "128"),
        own("fd00::2", "1"),
        own("2001:db8::2", "48"),
        own("fe80::2", "64"),
        two(link("10.8.0.2", "24"), link("10.8.0.3", "24")),
        two(link("10.8.0.2", "24"), link("fd00::2", "64")),
        many_addresses(address_limit),
        R"({"addresses":[{"address":{"address":"fd00::2","family":2,"port":0},"prefixLength":64}]})",
        route("0.0.0.0", "0"),
        route("0.0.0.0", "0", R"("isDefaultRoute":true)"),
        route("10.0.0.0", "8", R"("isDefaultRoute":false)"),
        route("0.0.0.0", "1"),
        route("128.0.0.0", "1"),
        route("10.9.8.7", "32"),
        route("10.9.8.6", "31"),
        route("224.0.0.0", "4"),
        route("10.0.0.0", "8", R"("isExcludedRoute":true)"),
        route("2001:db8::", "32", R"("isExcludedRoute":true)"),
        route("10.0.0.0", "8", R"("interface":"","gateway":{"address":""},"hasGateway":false)"),
        route("10.0.0.0", "8", R"("gateway":{"address":"","family":1,"port":0})"),
        both_families(R"("routes":[{"destination":)" + link("::", "0") + "}]"),
        both_families(R"("routes":[{"destination":)" + link("fd00:1::", "127") + "}]"),
        both_families(R"("routes":[{"destination":)" + link("fd00:1::9", "128") + "}]"),
        many_routes(route_limit),
        R"({"routes":[]})",
        R"({"dnsAddresses":["10.8.0.1","9.9.9.9"],"searchDomains":["corp.example","a_b.example"]})",
        R"({"dnsAddresses":["10.8.0.1"],"splitDomains":["corp.example","a_b.example"]})",
        R"({"dnsAddresses":["fd00::53"],"allowFamilies":[2]})",
        both_families(R"("dnsAddresses":["fd00::53","10.8.0.1"])"),
        many("dnsAddresses", dns_limit, "10.9.{}.{}"),
        R"({"mtu":576})",
        R"({"mtu":1500})",
        both_families(R"("mtu":1280,"isIPv4Accepted":true,"isIPv6Accepted":true)"),
        R"({"isIPv4Accepted":true,"isIPv6Accepted":false})",
        R"({"isLegacy":false,"isInternal":false,"isMetered":true,"isBlocking":true})",
        R"({"vpnId":"office-1_a.b"})",
        R"({"trustedApplications":["/user.slice/app.scope","firefox@1.service"]})",
        R"({"blockedApplications":["x.slice"],"trustedApplications":[]})",
        R"({"users":["alice","1000-1999",0,4294967294,"_backup.svc"],"lockdown":true})",
        R"({"allowFamilies":[2]})",
    };
}

TEST_CASE("right configurations are read, written and read again, and the device takes them") {
    CHECK(right_ones().size() >= 40);
    for (const auto& patch : right_ones()) {
        Json json = plain();
        json.merge_patch(Json::parse(patch));
        CAPTURE(patch.substr(0, 200));
        const auto config = vpn_config_from(json);
        CHECK_MESSAGE(config.has_value(), (config ? "" : config.error().detail));
        if (!config) continue;
        const auto again = parse_vpn_config(json_text(*config));
        REQUIRE(again.has_value());
        CHECK(*again == *config);
        const auto taken = device::check(network_settings(*config, "cw0"));
        CHECK_MESSAGE(taken.has_value(), (taken ? "" : taken.error().cause->detail));
    }
}

TEST_CASE("all faults are told at once, those of the shape first") {
    const auto read = parse_vpn_config(
        R"({"addresses":[{"address":{"address":"10.8.0.0"},"prefixLength":24}],"mtu":1,)"
        R"("routes":[{"destination":{"address":{"address":"10.0.0.1"},"prefixLength":8}},7],)"
        R"("isBlocking":"yes","allowFamilies":[3]})");
    REQUIRE(!read.has_value());
    const Error& error = read.error();
    CHECK(error.code == Code(Service::PARAMETER_ERROR));
    CHECK(error.fact("faults") == "6");
    CHECK(error.fact("fault_1") == "routes[1] is 7, allowed is an object");
    CHECK(error.fact("fault_2") == "isBlocking is \"yes\", allowed is true or false");
    CHECK(error.fact("fault_3").starts_with("addresses[0].address.address is “10.8.0.0”"));
    CHECK(error.fact("fault_4").starts_with("routes[0].destination.address.address is"));
    CHECK(error.fact("fault_5") == "mtu is 1, allowed is 576 to 1500");
    CHECK(error.fact("fault_6").starts_with("allowFamilies[0] is 3"));
}

TEST_CASE("of very many faults fifty are told and all are counted") {
    Json json = plain();
    for (int i = 0; i < 200; ++i) json["routes"].push_back(i);
    const auto read = vpn_config_from(json);
    REQUIRE(!read.has_value());
    CHECK(read.error().fact("faults") == "200");
    CHECK(!read.error().fact("fault_50").empty());
    CHECK(read.error().fact("fault_51").empty());
}

TEST_CASE("what is no configuration at all is refused") {
    for (const char* text : {"", "{", "null", "[]", "7", "\"x\"", "{}{}"}) {
        const auto read = parse_vpn_config(text);
        REQUIRE(!read.has_value());
        CHECK(read.error().code == Code(Service::PARAMETER_ERROR));
    }
}

TEST_CASE("without routes everything of the families that are carried goes through the tunnel") {
    const auto config = parse_vpn_config(plain().dump());
    REQUIRE(config.has_value());
    CHECK(network_settings(*config, "cw0").included == std::vector{*Prefix::parse("0.0.0.0/0")});
    Json json = plain();
    json.merge_patch(Json::parse(both_families(R"("routes":[])")));
    const auto both = vpn_config_from(json);
    REQUIRE(both.has_value());
    CHECK(network_settings(*both, "cw0").included ==
          std::vector{*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0")});
}

TEST_CASE("what this version cannot give is said by its field") {
    auto config = *parse_vpn_config(plain().dump());
    CHECK(check_supported(config).has_value());
    config.is_legacy = true;
    const auto refused = check_supported(config);
    REQUIRE(!refused.has_value());
    CHECK(refused.error().code == Code(Service::CAPABILITY_NOT_SUPPORTED));
    CHECK(refused.error().fact("field") == "isLegacy");
}

TEST_CASE("two tunnels may not have overlapping networks or the same default route") {
    const auto with = [](const char* address, const char* routes) {
        Json json = Json::parse(own(address, "24"));
        json["routes"] = Json::parse(routes);
        return *vpn_config_from(json);
    };
    const char* some =
        R"([{"destination":{"address":{"address":"172.16.0.0"},"prefixLength":12}}])";
    const auto found = overlaps(with("10.8.0.2", "[]"), with("10.8.0.3", "[]"));
    REQUIRE(found.size() == 2);
    CHECK(found[0].field == "addresses[0]");
    CHECK(found[0].value == "10.8.0.2/24");
    CHECK(found[1].field == "routes");
    CHECK(found[1].value == "the IPv4 default route");
    CHECK(overlaps(with("10.8.0.2", some), with("10.9.0.3", "[]")).empty());
}

}  // namespace
}  // namespace causeway::service
