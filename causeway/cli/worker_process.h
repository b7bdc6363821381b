// The worker as a process: started by fork, watched by a pidfd, never left behind.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/device/tun.h"
#include "causeway/error/error.h"
#include "causeway/ipc/channel.h"
#include "causeway/provider/settings.h"

#include <sys/types.h>

#include <string>

namespace causeway::cli {

class WorkerProcess {
public:
    /// The child keeps the two queues of `tun`, its end of the channel and the standard
    /// descriptors, nothing else. Fails with pluginFailed <- errno.
    static Result<WorkerProcess> start(provider::Settings settings, const device::Tun& tun);

    WorkerProcess(WorkerProcess&& other) noexcept;
    WorkerProcess& operator=(WorkerProcess&&) = delete;
    /// Ends it, when it still runs.
    ~WorkerProcess();

    ipc::Channel& channel() { return channel_; }
    /// Readable once the process has ended.
    int pidfd() const { return pidfd_.get(); }

    struct Status {
        Code code;          ///< its exit status, or the signal that ended it
        std::string words;  ///< "was ended by signal 9 (SIGKILL)"
    };
    /// Waits for the end.
    Status wait();
    void kill();

private:
    WorkerProcess(pid_t pid, Fd pidfd, ipc::Channel channel);

    pid_t pid_;
    Fd pidfd_;
    ipc::Channel channel_;
};

}  // namespace causeway::cli
