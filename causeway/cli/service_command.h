// `causeway service`: what the machine's VPN service knows, and ending a session.

#pragma once

namespace CLI {
class App;
}

namespace causeway::cli {

/// Adds the subcommand with its verbs; when one is chosen, it runs and leaves its exit status in
/// `status`.
void add_service(CLI::App& program, int& status);

}  // namespace causeway::cli
