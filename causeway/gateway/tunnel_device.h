// The one TUN that all clients share: a queue for each shard.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/datapath/tun_port.h"
#include "causeway/error/error.h"
#include "causeway/gateway/config.h"

#include <string>
#include <vector>

namespace causeway::gateway {

/// A queue and the port that reads and writes it.
struct TunnelQueue {
    Fd fd;
    datapath::TunPort port;
};

/// An interface with its addresses (the gateway's own of each pool) and MTU, up. It vanishes when
/// the last queue is closed.
struct TunnelDevice {
    std::string name;
    std::vector<TunnelQueue> queues;
    /// What does not keep the gateway from serving: no forwarding in a family that has a pool.
    std::vector<std::string> warnings;

    /// Fails with configurationFailed <- what the service of this machine refused (device/tun.h).
    static Result<TunnelDevice> open(const Config& config, std::size_t queue_count);

private:
    Result<void> add(Fd queue);
};

}  // namespace causeway::gateway
