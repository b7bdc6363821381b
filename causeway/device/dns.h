// Who answers for names on this machine, and how it is told of the tunnel's name servers.
//
// systemd-resolved when it runs and programs ask it; else resolvconf; else the resolver's file.

#pragma once

#include "causeway/device/network_settings.h"
#include "causeway/error/error.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::device {

enum class DnsBackend : std::uint8_t { systemd_resolved, resolvconf, file };

/// "systemd-resolved", "resolvconf", "file".
std::string_view name(DnsBackend backend);
std::optional<DnsBackend> dns_backend_named(std::string_view name);

/// In whose name the servers are set.
struct DnsOwner {
    std::string interface;
    int link = 0;
    std::string state_folder;  ///< Where the file back end may keep what it replaced.
    std::string lock_file;     ///< Held as long as this run lives.
};

DnsBackend choose_dns_backend();

/// How many servers are asked at most. resolvconf writes the resolver's file, which has room for 3.
std::size_t server_limit(DnsBackend backend);
/// Whether some domains can have servers of their own: a file has one list for all names.
bool splits_names(DnsBackend backend);

/// Whether `set_dns` could work, without changing anything. Fails with the raw fact, evidence
/// `dns` (the back end).
Result<void> check_dns(DnsBackend backend, const DnsOwner& owner);
/// Fails with the raw fact, evidence `dns`; then nothing has changed or `restore_dns` puts it
/// right.
Result<void> set_dns(DnsBackend backend, const DnsOwner& owner, const DnsSettings& settings);
/// Takes back what `set_dns` did for this owner; nothing to take back is no failure.
Result<void> restore_dns(DnsBackend backend, const DnsOwner& owner);

}  // namespace causeway::device
