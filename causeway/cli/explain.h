// `causeway explain`: what a code, a name or a number means, and what to do about it.

#pragma once

#include <span>
#include <string>

namespace CLI {
class App;
}

namespace causeway::cli {

struct Explanation {
    int status;             ///< 0; 2 when something asked for is not in the catalogue.
    std::string output;     ///< For standard output.
    std::string complaint;  ///< For standard error: what is unknown, and what is nearest to it.
};

/// Explains each of `asked`: a name in any case ("serverDead"), a number (-9814, 9814, 19), the
/// number as debuggers show it (0xFFFFD9AA), or the form of logs and headers ("tls/-9814"). A
/// number that fits several vocabularies gives all of them, VPN first; nothing asked, the whole
/// catalogue. `json` gives a list of objects instead of text.
Explanation explain(std::span<const std::string> asked, bool json);

/// Adds the subcommand; when it is chosen, it runs and leaves its exit status in `status`.
void add_explain(CLI::App& program, int& status);

}  // namespace causeway::cli
