// Keeping a socket outside the tunnel: a mark that the tunnel's rules let pass.

#pragma once

#include "causeway/error/error.h"

#include <cstdint>

namespace causeway::device {

/// Every mark of a protected socket has this in its upper half; the lower half is the number of the
/// run.
inline constexpr std::uint32_t mark_base = 0x43570000;
/// The same of sockets that belong into one tunnel, where others do not.
inline constexpr std::uint32_t inside_mark_base = 0x43580000;
inline constexpr std::uint32_t mark_mask = 0xffff0000;

/// Whether a run marks sockets with it.
bool is_run_mark(std::uint32_t mark);

/// Marks an IP socket, so that its packets leave beside every tunnel of ours, and reads the mark
/// back. Call it before connect or bind. Needs CAP_NET_ADMIN.
/// Fails with INVALID_SOCKET_FD <- EBADF, ENOTSOCK or EAFNOSUPPORT (a socket, but not of IP),
/// VPN_CREATION_DENIED <- EPERM, or SYSTEM_INTERNAL_ERROR <- anything else.
Result<void> protect(int socket, std::uint32_t mark);

}  // namespace causeway::device
