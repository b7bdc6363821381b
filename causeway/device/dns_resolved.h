// Name servers by systemd-resolved, over D-Bus. What is set hangs on the link and goes with it.

#pragma once

#include "causeway/device/network_settings.h"
#include "causeway/error/error.h"

namespace causeway::device {

/// True when it has its name on the system bus.
bool resolved_runs();

/// Sets servers and domains of a link, and whether names that fit no domain go there. Fails with
/// an errno that fits what the bus said, evidence `dbus_error`.
Result<void> set_link_servers(int link, const DnsSettings& settings);
/// Takes back everything that was set on the link; no failure when the link has gone.
Result<void> revert_link_servers(int link);

}  // namespace causeway::device
