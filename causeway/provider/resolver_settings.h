// What this machine says about resolving names: its name servers, search domains and hosts file.
//
// Read once, before a tunnel changes the resolver's file, so that the gateway's name is always
// asked of the network's own servers and never through the tunnel it is needed for.

#pragma once

#include "causeway/base/address.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::provider {

struct NameServer {
    IpAddress address;
    std::uint16_t port = 53;
    std::string zone = {};  ///< the interface of a link-local address ("eth0"), else empty

    std::string text()
        const;  ///< "192.0.2.53", "fe80::1%eth0", with a port other than 53 behind it
};

struct ResolverSettings {
    std::string source = "/etc/resolv.conf";  ///< where the servers are from, for reports
    std::vector<NameServer> servers;
    std::vector<std::string> search;
    int dots = 1;            ///< names with fewer dots are tried with the search domains first
    int unreadable = 0;      ///< the errno when the file could not be read (ENOENT: there is none)
    std::string hosts = {};  ///< the text of the hosts file
};

/// Of a file in the form of resolv.conf(5). Lines that mean nothing to us are skipped, as everyone
/// who reads this file does.
ResolverSettings parse_resolver_settings(std::string_view text);

/// Reads both files. A file that cannot be read is as an empty one, its errno kept.
ResolverSettings read_resolver_settings(const std::string& resolver_file = "/etc/resolv.conf",
                                        const std::string& hosts_file = "/etc/hosts");

/// The addresses of `name` in a text in the form of hosts(5), in its order; "localhost" and the
/// names below it are always the loopback (RFC 6761 section 6.3).
std::vector<IpAddress> addresses_in_hosts(std::string_view hosts, std::string_view name);

/// The full names to ask for, in order: `name` itself and `name` below each search domain.
std::vector<std::string> candidates_for(std::string_view name, const ResolverSettings& settings);

}  // namespace causeway::provider
