// Notices that addresses of this machine come and go, so that a session can follow at once and need
// not wait for a silence.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"
#include "causeway/error/error.h"

namespace causeway::provider {

class AddressWatch {
public:
    /// To be opened before the sandbox, which forbids sockets of this kind. Fails with the errno of
    /// socket(2) or bind(2).
    static Result<AddressWatch> open();

    /// Calls `changed` from the loop, once for all changes that came together.
    void start(EventLoop& loop, EventLoop::Action changed);

private:
    explicit AddressWatch(Fd socket) : socket_(std::move(socket)) {}

    Fd socket_;
    EventLoop::Watch watch_;
};

}  // namespace causeway::provider
