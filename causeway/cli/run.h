// `causeway run`: one VPN in the foreground.

#pragma once

namespace CLI {
class App;
}

namespace causeway::cli {

/// Adds the subcommand; when it is chosen, it runs and leaves its exit status in `status`.
void add_run(CLI::App& program, int& status);

}  // namespace causeway::cli
