// The other end of the gateway's control socket: what `causeway-gateway sessions` and its sisters
// do.

#pragma once

#include <string>

namespace causeway::gateway {

/// One question to a running gateway.
struct ControlCommand {
    /// "sessions", "bans", "disconnect", "unban" or "incident".
    std::string verb;
    /// What the verb is about: a session's id or "user:NAME" for disconnect, an address for unban,
    /// an incident's id for incident; empty for the others.
    std::string argument;
    /// Prints the answer as JSON instead of a table.
    bool json = false;
};

/// Asks the gateway that listens on `socket_path` and prints its answer. Returns the exit status:
/// 0, 2 for something that the gateway does not know (no such session), or that of the failure.
int run_control_command(const std::string& socket_path, const ControlCommand& command);

}  // namespace causeway::gateway
