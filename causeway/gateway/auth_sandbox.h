// The walls around causeway-auth: what is left to a process that reads passwords.

#pragma once

#include "causeway/error/error.h"

namespace causeway::gateway {

/// Gives up everything the process does not need: not dumpable, no core files, no capabilities, no
/// new privileges, and a seccomp filter for all its threads that leaves memory, waiting, the open
/// descriptors and opening files to read. Anything else ends the process with SIGSYS.
///
/// Fails with pluginFailed <- the errno.
Result<void> enter_auth_sandbox();

}  // namespace causeway::gateway
