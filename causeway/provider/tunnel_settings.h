// What a session's parameters ask of this machine; pure.

#pragma once

#include "causeway/protocol/session_parameters.h"
#include "causeway/provider/messages.h"

namespace causeway::provider {

/// No routes named means all of each family the session has an address in.
TunnelSettings tunnel_settings(const protocol::SessionParameters& parameters,
                               const IpAddress& gateway);

}  // namespace causeway::provider
