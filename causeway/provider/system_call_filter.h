// Which system calls a process may still make (seccomp(2)).

#pragma once

#include "causeway/error/error.h"

namespace causeway::provider {

/// From now on this process can make only the calls a worker needs: move bytes, wait, ask for the
/// time and for memory, open IP sockets. Starting a program or looking into another process kills
/// it; anything else is answered with EPERM. Needs no_new_privs. Fails with SYSTEM_INTERNAL_ERROR.
Result<void> restrict_system_calls();

}  // namespace causeway::provider
