// Name servers by resolvconf, of either making (openresolv, Debian's own).

#pragma once

#include "causeway/device/network_settings.h"
#include "causeway/error/error.h"

#include <string>

namespace causeway::device {

/// Where resolvconf is, or "" without one. systemd-resolved's namesake does not count.
std::string resolvconf_program();

/// Registers the servers under the interface's name, before all others. Fails like `run_program`;
/// ENOENT when there is no such program.
Result<void> add_resolvconf_servers(const std::string& interface, const DnsSettings& settings);
/// No failure when there are none.
Result<void> remove_resolvconf_servers(const std::string& interface);

}  // namespace causeway::device
