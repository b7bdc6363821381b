// Which programs a tunnel is for: the sockets that the processes of a cgroup make get a mark.
//
// Nothing else would do: a rule of the firewall sees a packet when its source address is chosen.
// The mark is set as a socket is made, by a BPF program of four instructions, so sockets from
// before keep what they have. The program hangs on a descriptor and is gone with it.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <cstdint>
#include <functional>
#include <string>

namespace causeway::device {

/// The folder of an application in the unified cgroup hierarchy: of a systemd unit by its name
/// ("browser.service"), or the path itself. Nothing for a unit that is not there.
std::string cgroup_of(const std::string& application);

/// The folder of a cgroup by the name that the kernel has for it in /proc/PID/cgroup
/// ("/user.slice/…"), or of a systemd unit: a slice, or what is directly below system.slice.
/// Nothing when it is not there.
std::string folder_of_cgroup(const std::string& name);

/// Whether the unified cgroup hierarchy is mounted: else nothing can be told apart.
bool has_unified_hierarchy();

/// Marks every IP socket that processes in the folder, and below it, make from now on, as long as
/// the descriptor is open. Needs CAP_BPF (or CAP_SYS_ADMIN) and CAP_NET_ADMIN. Fails with the
/// errno, evidence `cgroup`.
Result<Fd> mark_new_sockets(const std::string& folder, std::uint32_t mark);

/// Who does it for a process that may not.
using SocketMarker = std::function<Result<Fd>(const std::string& folder, std::uint32_t mark)>;

}  // namespace causeway::device
