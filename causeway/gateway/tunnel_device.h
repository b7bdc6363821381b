// The one TUN that all clients share: a pair of queues for each shard.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/datapath/tun_lanes.h"
#include "causeway/error/error.h"
#include "causeway/gateway/config.h"

#include <string>
#include <vector>

namespace causeway::gateway {

/// What one shard reads and writes.
struct TunnelLanes {
    Fd express;
    Fd bulk;
    datapath::TunLanes port;
};

/// An interface with its addresses (the gateway's own of each pool) and MTU, up. It vanishes when
/// the last of them is closed.
struct TunnelDevice {
    std::string name;
    std::vector<TunnelLanes> lanes;
    /// What does not keep the gateway from serving: no forwarding in a family that has a pool.
    std::vector<std::string> warnings;

    /// Fails with configurationFailed <- what the service of this machine refused (device/tun.h).
    static Result<TunnelDevice> open(const Config& config, std::size_t shard_count);

private:
    Result<void> add(Fd express, Fd bulk);
};

}  // namespace causeway::gateway
