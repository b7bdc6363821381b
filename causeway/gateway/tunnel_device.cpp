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

Result<TunnelDevice> TunnelDevice::open(const Config& config, std::size_t queue_count) {
    const auto kind = queue_count > 1 ? device::TunQueues::several : device::TunQueues::one;
    auto tun = device::open_tun(config.interface, kind, device::shared_tun_queue_length);
    if (!tun) return pass(tun);
    TunnelDevice opened;
    opened.name = tun->name;
    if (auto added = opened.add(std::move(tun->fd)); !added) return pass(added);
    while (opened.queues.size() < queue_count) {
        auto queue = device::open_tun_queue(opened.name);
        if (!queue) return pass(queue);
        if (auto added = opened.add(std::move(*queue)); !added) return pass(added);
    }

    std::vector<Prefix> addresses;
    for (const Pool& pool : config.pools) addresses.push_back({pool.gateway, pool.network.length});
    if (auto up = device::bring_up(opened.name, addresses, config.session.mtu); !up)
        return pass(up);
    opened.warnings = forwarding_warnings(config);
    return opened;
}

Result<void> TunnelDevice::add(Fd queue) {
    auto port = datapath::TunPort::open(queue.get());
    if (!port)
        return fail(Vpn::configurationFailed, "the offloads of the tunnel's interface",
                    std::move(port).error());
    queues.push_back({std::move(queue), std::move(*port)});
    return {};
}

}  // namespace causeway::gateway
