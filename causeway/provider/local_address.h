// The address this machine has towards the gateway, and whether it still has it.

#pragma once

#include "causeway/base/address.h"

#include <optional>

namespace causeway::provider {

/// Of a connected socket.
std::optional<IpAddress> local_address(int socket);

/// Whether packets can still be sent from there.
bool is_ours(const IpAddress& address);

}  // namespace causeway::provider
