// The program causewayd: from root to its work and back.

#pragma once

#include <string>

namespace causeway::service {

struct DaemonOptions {
    std::string config = "/etc/causeway/service.toml";
    bool config_may_be_missing = true;  ///< Nobody asked for it by name.
    std::string state_folder = "/var/lib/causeway";
    std::string socket = "/run/causeway/control.sock";
    std::string bus = "system";  ///< An address of a D-Bus, "system" or "none".
};

/// Runs until SIGTERM or SIGINT, then undoes everything. Returns the exit status: 0; 2 for a policy
/// file that is refused; 70 for anything else.
int run_daemon(const DaemonOptions& options);

}  // namespace causeway::service
