// What a program wants of its tunnel: the published VpnConfig, checked.
//
// docs/service.md describes every field. Nothing here has no effect, and nothing is cut silently: a
// field that cannot be honoured is refused.

#pragma once

#include "causeway/base/address.h"
#include "causeway/device/network_settings.h"
#include "causeway/error/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

struct VpnConfig {
    /// Of several VPNs at a time: which one. Empty for the only one.
    std::string vpn_id;
    /// At least one. A family with an address is carried by the tunnel.
    std::vector<Prefix> addresses;
    /// Networks that are reached through the tunnel. None: everything of the families it carries.
    std::vector<Prefix> routes;
    /// Networks that are reached as if there were no tunnel.
    std::vector<Prefix> excluded_routes;
    std::vector<IpAddress> dns_addresses;
    std::vector<std::string> search_domains;
    /// With any: only names below these, and below the search domains, are asked of
    /// `dns_addresses`.
    std::vector<std::string> split_domains;
    int mtu = 1400;
    /// A read of the TUN waits for a packet.
    bool is_blocking = false;
    /// Told to programs that ask how dear the traffic is; nothing else.
    bool is_metered = false;
    /// The VPN that the system itself brings.
    bool is_legacy = false;
    /// Only these, or all but these: cgroup paths ("/user.slice/…") or systemd units ("x.service").
    std::vector<std::string> trusted_applications;
    std::vector<std::string> blocked_applications;
    /// Only the traffic of these: names, numbers, ranges of numbers ("1000-1999").
    std::vector<std::string> users;
    /// Families that the tunnel does not carry and that are not blocked.
    std::vector<Family> allow_families;
    /// Nothing of its users leaves beside a tunnel, whatever dies, until it is destroyed. Excluded
    /// routes are reached all the same, but for name queries.
    bool lockdown = false;

    bool operator==(const VpnConfig&) const = default;

    bool carries(Family family) const;
};

/// Reads the JSON form. Fails with PARAMETER_ERROR (a field is missing, unknown or of the wrong
/// type) or INVALID_PARAMETER_VALUE (an impossible value), with all faults at once: see
/// `RequestFaults::error`.
Result<VpnConfig> parse_vpn_config(std::string_view json);

/// The JSON form, which reads as the same configuration.
std::string json_text(const VpnConfig& config);

/// What the device is to do for it, but for users and programs, which are this machine's; the
/// resolver is told by the keeper. What `parse_vpn_config` accepts, the device accepts.
device::NetworkSettings network_settings(const VpnConfig& config, const std::string& interface);

/// "corp.example": parts of 1 to 63 letters, digits, '-' and '_', at most 253 in all.
bool is_domain(std::string_view text);

/// Programs that are not there are INVALID_PARAMETER_VALUE; a field that the kernel or this build
/// cannot give is CAPABILITY_NOT_SUPPORTED, with its name in `field`.
Result<void> check_applications(const VpnConfig& config);
Result<void> check_supported(const VpnConfig& config);
/// The folders of the programs, as the device wants them.
std::vector<std::string> application_folders(const VpnConfig& config);

/// The sessions' part: whether two tunnels could not be up at the same time. Empty when they can;
/// else what both have: "addresses[0]" and "the address 10.0.0.2".
struct Overlap {
    std::string field;
    std::string value;
};
std::vector<Overlap> overlaps(const VpnConfig& wanted, const VpnConfig& other);

}  // namespace causeway::service
