// The worker process: one connection, no rights, everything that comes from the network.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/ipc/channel.h"
#include "causeway/provider/settings.h"

namespace causeway::provider {

/// Both of one interface, as datapath/tun_lanes.h wants them.
struct TunQueues {
    Fd express;
    Fd bulk;
};

/// Runs in a process of its own, forked by the owner of the device, until the connection ends, the
/// owner wants it to, or is gone. Signals that a terminal sends to everybody are left to the owner.
/// Returns the process's exit status: 0, also after a failure that was told.
int run_worker(Settings settings, ipc::Channel channel, TunQueues tun);

}  // namespace causeway::provider
