// Which files a process may still open (landlock(7)).

#pragma once

#include "causeway/error/error.h"

#include <string>
#include <vector>

namespace causeway::provider {

/// From now on this process can read what is in or below `readable`, and open nothing else; paths
/// that do not exist are skipped. It can also listen on no TCP port and signal no other process,
/// where the kernel knows how. False when the kernel has no Landlock. Needs no_new_privs. Fails
/// with SYSTEM_INTERNAL_ERROR.
Result<bool> restrict_files(const std::vector<std::string>& readable);

}  // namespace causeway::provider
