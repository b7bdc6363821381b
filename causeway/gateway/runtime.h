// The running gateway: sockets, TUN, certificate, threads, signals; from the first line to the
// last.

#pragma once

#include <string>

namespace causeway::gateway {

struct Config;

/// Runs the gateway until SIGTERM or SIGINT. `config` has been checked; `config_path` is read again
/// on SIGHUP. Call it with one thread running and no secrets on the heap but those of `config`.
///
/// Returns the exit status: 0 after a clean end, 2 for a configuration that the machine refuses
/// (a certificate that cannot be read, an address that is not ours, a name that is taken), 70 for
/// everything else. What failed was reported on stderr and in the log by then.
int run_gateway(Config config, const std::string& config_path);

}  // namespace causeway::gateway
