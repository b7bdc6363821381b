// The Unix socket that a program of ours listens on.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <string>

namespace causeway::program {

/// Binds the socket, after removing one that nobody listens on any more, and listens; anybody may
/// connect. Makes its folder when that is missing. Fails with configurationFailed <- the errno
/// (EADDRINUSE: another program listens there).
Result<Fd> listen_at(const std::string& path, int backlog);

}  // namespace causeway::program
