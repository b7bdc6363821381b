// Locks on files and folders (flock(2)), which end with their holder however it ends.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <optional>
#include <string>

namespace causeway::device {

/// Locks a folder, waiting for a moment when somebody has it. Released when the descriptor is
/// closed. Fails with the errno, evidence `file`; EWOULDBLOCK after 5 s.
Result<Fd> lock_folder(const std::string& folder);

/// Makes the file if need be and locks it; nothing when somebody has it. What was locked is the
/// file of that name, not one that has been removed since.
Result<std::optional<Fd>> try_lock_file(const std::string& path);

/// Whether somebody has the file locked. A file that is not there is not locked.
bool is_locked(const std::string& path);

}  // namespace causeway::device
