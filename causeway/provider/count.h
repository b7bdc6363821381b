// What went through a session, as the numbers that programs read.

#pragma once

#include "causeway/provider/messages.h"
#include "causeway/provider/tunnel.h"

namespace causeway::provider {

/// Packets and bytes of both directions, drops by their reason, system calls and what they carried,
/// and the offloads that were on.
Counted counted(const TunnelTotals& totals, const datapath::TunLanes& tun);

}  // namespace causeway::provider
