#include "causeway/gateway/tunnel_device.h"

#include "causeway/device/setup.h"
#include "causeway/device/tun.h"

#include <algorithm>

namespace causeway::gateway {
namespace {

bool has_pool(const Config& config, Family family) {
    return std::ranges::any_of(
        config.pools, [family](const Pool& pool) { return pool.network.family() == family; });
}

std::vector<std::string> forwarding_warnings(const Config& config) {
    std::vector<std::string> warnings;
    if (has_pool(config, Family::ipv4) && !device::forwards(Family::ipv4))
        warnings.emplace_back(
            "this machine does not forward IPv4: clients reach the gateway itself and nothing "
            "behind it (sysctl net.ipv4.ip_forward=1)");
    if (has_pool(config, Family::ipv6) && !device::forwards(Family::ipv6))
        warnings.emplace_back(
            "this machine does not forward IPv6: clients reach the gateway itself and nothing "
            "behind it (sysctl net.ipv6.conf.all.forwarding=1)");
    return warnings;
}

}  // namespace

Result<TunnelDevice> TunnelDevice::open(const Config& config, std::size_t shard_count) {
    auto tun = device::open_tun(config.interface, 2 * shard_count, device::shared_tun_queue_length);
    if (!tun) return pass(tun);
    TunnelDevice opened;
    opened.name = tun->name;
    for (std::size_t at = 0; at + 1 < tun->queues.size(); at += 2)
        if (auto added = opened.add(std::move(tun->queues[at]), std::move(tun->queues[at + 1]));
            !added)
            return pass(added);

    std::vector<Prefix> addresses;
    for (const Pool& pool : config.pools) addresses.push_back({pool.gateway, pool.network.length});
    if (auto up = device::bring_up(opened.name, addresses, config.session.mtu); !up)
        return pass(up);
    opened.warnings = forwarding_warnings(config);
    return opened;
}

Result<void> TunnelDevice::add(Fd express, Fd bulk) {
    auto port = datapath::TunLanes::open(express.get(), bulk.get());
    if (!port)
        return fail(Vpn::configurationFailed, "the offloads of the tunnel's interface",
                    std::move(port).error());
    lanes.push_back({std::move(express), std::move(bulk), std::move(*port)});
    return {};
}

}  // namespace causeway::gateway
