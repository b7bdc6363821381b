// The half of `causeway run` that has rights: it owns the interface, the routes, the resolver and
// the terminal, and starts and watches the worker, which has none and talks to the network.

#pragma once

#include "causeway/cli/output.h"
#include "causeway/connection/profile.h"
#include "causeway/provider/settings.h"

namespace causeway::cli {

/// Makes the interface, starts the worker, serves it, and puts everything back. SIGINT, SIGTERM and
/// SIGHUP must be blocked. Returns the exit status.
int run_owner(const connection::Profile& profile, provider::Settings settings, Output& output);

}  // namespace causeway::cli
