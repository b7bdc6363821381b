// Whether any route leads to an address, asked of the kernel without sending anything.

#pragma once

#include "causeway/base/address.h"

namespace causeway::provider {

/// 0, or the errno the kernel would answer a packet to there with: ENETUNREACH, EAFNOSUPPORT …
int route_fault(const Endpoint& endpoint);

}  // namespace causeway::provider
