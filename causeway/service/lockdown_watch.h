// Sees to it that what is closed stays closed: for links that come, and whoever flushes the
// firewall.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/device/monitor.h"
#include "causeway/error/error.h"
#include "causeway/service/lockdowns.h"

#include <functional>
#include <optional>
#include <string_view>

namespace causeway::service {

class LockdownWatch {
public:
    using Say = std::function<void(std::string_view)>;

    /// `say` gets a sentence about each thing that was put back or could not be. Both must outlive
    /// this object.
    LockdownWatch(EventLoop& loop, Lockdowns& lockdowns, Say say);

private:
    void on_news();
    void look();

    EventLoop& loop_;
    Lockdowns& lockdowns_;
    Say say_;
    std::optional<device::Monitor> monitor_;
    EventLoop::Watch watch_;
    EventLoop::Timer timer_;
};

}  // namespace causeway::service
