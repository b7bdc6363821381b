// What a process that talks to strangers gives up before it does: every right, most of the kernel,
// nearly all files.

#pragma once

#include "causeway/error/error.h"

#include <string>
#include <vector>

namespace causeway::provider {

struct SandboxSettings {
    std::vector<std::string> readable;  ///< files and folders that may still be read
    std::string user = "nobody";        ///< to become, when this process may
};

/// Gives up, in this order: core files and being looked into (ptrace, /proc), other users' rights,
/// all capabilities, the right to gain any, files but for the readable ones (Landlock), and system
/// calls that are not needed (seccomp). Nothing of it can be had back.
///
/// What this kernel or namespace does not offer is left out, and said in the result: one sentence
/// each. Fails with SYSTEM_INTERNAL_ERROR when a step is refused that should work.
Result<std::vector<std::string>> enter_sandbox(const SandboxSettings& settings);

/// No core file, and not to be looked into by other processes of this user: for every process that
/// holds secrets. Fails with SYSTEM_INTERNAL_ERROR.
Result<void> hide_memory();

}  // namespace causeway::provider
