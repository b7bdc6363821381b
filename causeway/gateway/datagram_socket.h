// The UDP sockets of the gateway: for each address one for every shard, all bound to the same port.
// The kernel keeps the datagrams of one source together at one of them (SO_REUSEPORT, socket(7)).

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/gateway/config.h"

#include <vector>

namespace causeway::gateway {

/// The sockets of each shard, in the order of `Config::listen`; none where datagrams are switched
/// off. Fails with configurationFailed <- the errno.
Result<std::vector<std::vector<Fd>>> open_datagram_sockets(const Config& config,
                                                           std::size_t shard_count);

}  // namespace causeway::gateway
