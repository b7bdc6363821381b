// What a tunnel wants of this machine: addresses, routes, name servers.

#pragma once

#include "causeway/base/address.h"
#include "causeway/device/users.h"
#include "causeway/error/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace causeway::device {

struct DnsSettings {
    std::vector<IpAddress> servers;
    std::vector<std::string> search_domains;
    /// With any: only names below these go to the servers, unless `tunnel_all`.
    std::vector<std::string> split_domains;
    /// All names go to the servers, whatever the routes say.
    bool tunnel_all = false;
    /// Another process tells the resolver: here only the way to the servers is made.
    bool is_told_elsewhere = false;

    bool operator==(const DnsSettings&) const = default;
};

/// Nothing may leave beside the tunnel, whatever the routes say and whoever dies.
struct KillSwitchSettings {
    /// Networks of this machine's surroundings that are reached all the same, but for name queries.
    std::vector<Prefix> lan;
    /// Other interfaces by which everything may leave: further tunnels.
    std::vector<std::string> tunnels;

    bool operator==(const KillSwitchSettings&) const = default;
};

/// Programs that the tunnel is for, or is not for.
struct ApplicationSettings {
    enum class Way : std::uint8_t { inside, outside };
    Way way = Way::inside;  ///< Only these use the tunnel; or all others do.
    /// Each a folder of the unified cgroup hierarchy or the name of a systemd unit: the sockets
    /// that its processes make while the tunnel is up.
    std::vector<std::string> names;

    bool operator==(const ApplicationSettings&) const = default;
};

struct NetworkSettings {
    /// The name of the TUN, which exists.
    std::string interface;
    /// The tunnel's own addresses, each with the length of the network it is on (32 and 128 for
    /// none): that network is reached through the tunnel too.
    std::vector<Prefix> addresses;
    int mtu = 1400;  ///< 576..65535, with an IPv6 address at least 1280.

    /// Networks reached through the tunnel. 0.0.0.0/0 or ::/0 makes a full tunnel: then nothing
    /// leaves beside it, in either family, also after the tunnel has died.
    std::vector<Prefix> included;
    /// Networks reached as if there were no tunnel.
    std::vector<Prefix> excluded;
    /// Where the tunnel itself leads: reached outside.
    std::vector<IpAddress> gateways;
    /// A full tunnel blocks the family it has no address in, unless this is set.
    bool allow_other_family = false;
    /// A split tunnel blocks it too.
    bool block_other_family = false;

    DnsSettings dns;

    /// Whose packets the tunnel is for; empty: everybody's. Name servers are always everybody's.
    std::vector<UserRange> users = {};
    /// Not inside and users at a time.
    std::optional<ApplicationSettings> applications = {};
    std::optional<KillSwitchSettings> kill_switch = {};

    bool operator==(const NetworkSettings&) const = default;
};

/// Whether all of it is within the limits and makes sense. The settings come from a gateway, so
/// every value is checked. Fails with configurationFailed <- INVALID_PARAMETER_VALUE; evidence:
/// `field`, `value`; several faults: the first one, with all of them in evidence `faults`.
Result<void> check(const NetworkSettings& settings);

/// True with a default route among the included ones.
bool is_full_tunnel(const NetworkSettings& settings);

}  // namespace causeway::device
