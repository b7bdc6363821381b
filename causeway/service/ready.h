// Telling the service manager, where there is one: readiness, and that the loop runs
// (sd_notify(3)).

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"

#include <chrono>
#include <string_view>

namespace causeway::service {

/// The one socket that the manager has opened for this process (sd_listen_fds(3)), close-on-exec;
/// none when it has opened none.
Fd socket_from_manager();

/// Sends one line to $NOTIFY_SOCKET; without one, nothing.
void tell_manager(std::string_view line);

/// Tells the manager twice in each $WATCHDOG_USEC that the loop goes round.
class Watchdog {
public:
    explicit Watchdog(EventLoop& loop);

private:
    void beat();

    EventLoop& loop_;
    std::chrono::microseconds interval_{0};
    EventLoop::Timer timer_;
};

}  // namespace causeway::service
