// Protecting a program's socket: marked, and sure to be outside.

#pragma once

#include "causeway/error/error.h"
#include "causeway/service/session.h"

namespace causeway::service {

/// Fails with INVALID_SOCKET_FD (not open, not a socket, not an IP socket; bound to the tunnel's
/// interface or to its address, which a mark does not change), or SYSTEM_INTERNAL_ERROR, evidence
/// `step`: "protect".
Result<void> protect_socket(int socket, const Session& session);

}  // namespace causeway::service
