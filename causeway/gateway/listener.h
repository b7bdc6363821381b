// Listening sockets: opened before root is given up, accepted from by the main thread.

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <functional>

namespace causeway::gateway {

/// A TCP connection that somebody made to us.
struct Arrival {
    Fd socket;        ///< Non-blocking, without delay.
    Endpoint client;  ///< IPv4 also when it came mapped into IPv6.
    Endpoint local;
};

/// One listening socket. When descriptors run out it rests for a moment instead of spinning.
class Listener {
public:
    using Arrived = std::move_only_function<void(Arrival)>;
    /// Told when accepting failed for a reason of this machine (descriptors, memory), once a pause.
    using Troubled = std::move_only_function<void(Error)>;

    /// Binds and listens. An IPv6 address takes IPv6 only, so that both families can be listened
    /// to on one port. Fails with configurationFailed <- the errno; evidence "listen".
    static Result<Fd> open(const Endpoint& at);

    /// Calls `arrived` in the loop for each connection.
    Listener(EventLoop& loop, Fd socket, Arrived arrived, Troubled troubled);

private:
    void accept_waiting();
    void rest();

    EventLoop& loop_;
    Fd socket_;
    Arrived arrived_;
    Troubled troubled_;
    EventLoop::Watch watch_;
    EventLoop::Timer rest_;
};

}  // namespace causeway::gateway
