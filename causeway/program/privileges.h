// Giving up root: after sockets, TUN and files are open, before the first byte from the network.

#pragma once

#include "causeway/error/error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace causeway::program {

/// Who the process becomes.
struct RunAs {
    std::string user;   ///< Empty: "causeway" when there is such a user, else "nobody".
    std::string group;  ///< Empty: the primary group of the user.
};

/// What is left afterwards, in sentences for the log: "runs as nobody" and, where the machine
/// forbids that, why it could not.
struct Dropped {
    std::string user;  ///< Name, or number for one without a name.
    std::vector<std::string> notes;
};

/// Makes the process another user without groups, capabilities (but for `kept`, a bit each, as
/// far as it has them), core files or a way to get privileges back; not dumpable from then on. A
/// process that is no root keeps its user. In a user namespace that has no other user, root stays
/// root of that namespace without capabilities, and the notes say so. Call it while one thread
/// runs.
///
/// Fails with configurationFailed: an unknown user or group; or what the kernel refused, with its
/// errno.
Result<Dropped> drop_privileges(const RunAs& run_as, std::uint64_t kept = 0);

/// Gives up all capabilities but these for ever, and new privileges by running other programs.
/// Fails with configurationFailed <- the errno.
Result<void> keep_only(std::uint64_t capabilities);
/// `keep_only` none.
Result<void> drop_capabilities();

/// Whether this machine has a user of that name.
bool has_user(const std::string& name);

/// No core files, no ptrace by others: for a process that holds keys. Fails with
/// configurationFailed <- the errno.
Result<void> protect_memory();

}  // namespace causeway::program
