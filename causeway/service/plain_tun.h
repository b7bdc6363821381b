// The TUN of a program that brings its own tunnel: packets, with nothing in front of them.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <string>

namespace causeway::service {

/// It lives as long as a copy of the descriptor is open.
struct PlainTun {
    Fd descriptor;
    std::string name;  ///< "cw0", "cw1" …: the next that is free.
    int index = 0;
};

/// Fails with CAPABILITY_NOT_SUPPORTED <- ENOENT, ENODEV or ENXIO (no TUN in this kernel), or
/// SYSTEM_INTERNAL_ERROR <- anything else, evidence `step`: "tun".
Result<PlainTun> open_plain_tun(bool is_blocking);

/// Removes an interface that its program has made persistent and left behind. One that still has a
/// program, or that is another by now, stays.
void remove_abandoned_tun(const std::string& name, int index);

}  // namespace causeway::service
