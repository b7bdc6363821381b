// A connection to a D-Bus, carried by our own event loop.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/error/error.h"

#include <sdbus-c++/IConnection.h>

#include <functional>
#include <memory>
#include <string>

namespace causeway::service {

class BusLink {
public:
    /// `gone` is called once, from the loop, with the reason. `address` is "system" or an address
    /// such as "unix:path=/run/dbus/system_bus_socket". Waits for the bus; fails with the bus's
    /// word as a raw fact.
    static Result<std::unique_ptr<BusLink>> open(EventLoop& loop, const std::string& address,
                                                 std::function<void(const std::string&)> gone);
    ~BusLink();

    sdbus::IConnection& connection() { return *connection_; }
    /// What was sent outside of what the loop calls here may be waiting to be written: call this
    /// after it.
    void sent() { arm(); }

private:
    BusLink(EventLoop& loop, std::unique_ptr<sdbus::IConnection> connection,
            std::function<void(const std::string&)> gone);
    void pump();
    void arm();
    void end(const std::string& why);

    EventLoop& loop_;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::function<void(const std::string&)> gone_;
    EventLoop::Watch watch_;
    EventLoop::Timer timer_;
};

/// A failure of the bus as a raw fact: the errno that its name means, and the name as evidence.
Error bus_failure(const std::string& name, const std::string& message, std::string call);

}  // namespace causeway::service
