// The process causeway-auth as its parent sees it: started, asked how it ended, ended.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <sys/types.h>

#include <string>

namespace causeway::gateway {

/// A child that runs causeway-auth. Killed and waited for in the destructor.
class AuthProcess {
public:
    AuthProcess() = default;
    AuthProcess(AuthProcess&& other) noexcept;
    AuthProcess& operator=(AuthProcess&& other) noexcept;
    ~AuthProcess() { kill(); }

    /// Starts `program` with one end of `socket` pairs. Fails with pluginFailed <- the errno.
    static Result<AuthProcess> start(const std::string& program, Fd socket, std::size_t threads);

    pid_t number() const { return number_; }
    explicit operator bool() const { return number_ > 0; }

    /// Sends SIGKILL and waits.
    void kill();

    /// Waits a moment for a process that is ending, kills one that is not, and says how it ended:
    /// a fact of the process domain.
    Error ending();

private:
    explicit AuthProcess(pid_t number) : number_(number) {}
    pid_t number_ = -1;
};

}  // namespace causeway::gateway
