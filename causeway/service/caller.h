// Who asks, by the control socket or by the bus: credentials that cannot be forged.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <sys/types.h>

#include <optional>
#include <set>
#include <string>

namespace causeway::service {

/// As they were when it connected.
struct Caller {
    uid_t uid = 0;
    pid_t pid = 0;
    std::set<gid_t> groups = {};  ///< Its own and the supplementary ones.

    // What an authority has given for one request, beyond the policy file.
    bool may_own = false;
    bool may_consent = false;  ///< To his own programs.
    bool may_administer = false;

    bool is_root() const { return uid == 0; }
    /// Acts for others.
    bool administers() const { return is_root() || may_administer; }
};

/// Fails with the errno of getsockopt(2).
Result<Caller> caller_of(int socket);

/// A descriptor of the caller's process (pidfd_open(2)), which becomes readable when that ends.
/// Where the kernel knows (6.5), it is of the process that connected, even if its number is
/// somebody else's by now. Fails with the errno: ESRCH when it has ended.
Result<Fd> process_of(int socket, const Caller& caller);

/// The same for whoever is known by number alone. Fails with the errno: ESRCH when it has ended.
Result<Fd> process_numbered(pid_t process);

/// "alice (uid 1000)", or "uid 1000" for one without a name.
std::string spoken(uid_t user);
/// A user of this machine by name, or any by number.
std::optional<uid_t> user_named(const std::string& name);

}  // namespace causeway::service
