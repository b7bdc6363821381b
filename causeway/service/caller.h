// Who is at the other end of the control socket: credentials that cannot be forged.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <sys/types.h>

#include <set>
#include <string>

namespace causeway::service {

/// As they were when it connected.
struct Caller {
    uid_t uid = 0;
    pid_t pid = 0;
    std::set<gid_t> groups;  ///< Its own and the supplementary ones.

    bool is_root() const { return uid == 0; }
};

/// Fails with the errno of getsockopt(2).
Result<Caller> caller_of(int socket);

/// A descriptor of the caller's process (pidfd_open(2)), which becomes readable when that ends.
/// Where the kernel knows (6.5), it is of the process that connected, even if its number is
/// somebody else's by now. Fails with the errno: ESRCH when it has ended.
Result<Fd> process_of(int socket, const Caller& caller);

/// "alice (uid 1000)", or "uid 1000" for one without a name.
std::string spoken(uid_t user);

}  // namespace causeway::service
