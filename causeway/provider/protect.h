// Keeping a socket of ours outside the tunnel.

#pragma once

#include "causeway/error/error.h"

#include <functional>

namespace causeway::provider {

/// Called with every socket before it is used, so that who owns the device can exempt it from the
/// tunnel's routes. A failure ends the attempt the socket was for.
using Protect = std::function<Result<void>(int fd)>;

}  // namespace causeway::provider
