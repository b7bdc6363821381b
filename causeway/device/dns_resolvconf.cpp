#include "causeway/device/dns_resolvconf.h"

#include "causeway/base/text.h"
#include "causeway/device/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace causeway::device {
namespace {

using namespace std::chrono_literals;

constexpr auto program_timeout = 10s;

/// Both implementations put what begins with "tun" before the machine's own interfaces.
std::string record_name(const std::string& interface) { return "tun." + interface; }

std::string resolver_text(const DnsSettings& settings) {
    std::string text;
    for (const auto& server : settings.servers)
        text += fmt::format("nameserver {}\n", server.text());
    if (!settings.search_domains.empty())
        text += fmt::format("search {}\n", join(settings.search_domains, " "));
    return text;
}

Error no_program() {
    return system_error(ENOENT, "access", "resolvconf is not on this machine any more");
}

}  // namespace

std::string resolvconf_program() {
    for (const std::string path : {"/usr/local/sbin/resolvconf", "/usr/sbin/resolvconf",
                                   "/sbin/resolvconf", "/usr/bin/resolvconf", "/bin/resolvconf"}) {
        if (access(path.c_str(), X_OK) != 0) continue;
        std::error_code ignored;
        if (std::filesystem::canonical(path, ignored).filename() == "resolvectl") continue;
        return path;
    }
    return {};
}

Result<void> add_resolvconf_servers(const std::string& interface, const DnsSettings& settings) {
    const std::string program = resolvconf_program();
    if (program.empty()) return std::unexpected(no_program());
    return run_program({program, "-a", record_name(interface), "-m", "0", "-x"},
                       resolver_text(settings), program_timeout);
}

Result<void> remove_resolvconf_servers(const std::string& interface) {
    const std::string program = resolvconf_program();
    if (program.empty()) return std::unexpected(no_program());
    auto removed = run_program({program, "-d", record_name(interface)}, {}, program_timeout);
    if (removed) return removed;
    // openresolv fails where it knows of no such record, as after a restart of the machine, unless
    // it is told to ignore that.
    if (run_program({program, "-f", "-d", record_name(interface)}, {}, program_timeout)) return {};
    return removed;
}

}  // namespace causeway::device
