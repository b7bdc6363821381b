#include "causeway/service/lockdown_watch.h"

#include <sys/epoll.h>

namespace causeway::service {
namespace {

/// Between news and the look: whoever changes much is waited for, and whoever flushes for ever
/// costs little.
constexpr auto pause = std::chrono::milliseconds(50);

}  // namespace

LockdownWatch::LockdownWatch(EventLoop& loop, Lockdowns& lockdowns, Say say)
    : loop_(loop), lockdowns_(lockdowns), say_(std::move(say)) {
    auto monitor = device::Monitor::open(0, 0);
    if (!monitor) {
        say_("what is closed is not watched: " + monitor.error().detail);
        return;
    }
    monitor_ = std::move(*monitor);
    watch_ = loop_.watch(monitor_->fd(), EPOLLIN, [this](auto) { on_news(); });
}

void LockdownWatch::on_news() {
    if (!monitor_->drain() || !lockdowns_.is_closed() || timer_) return;
    timer_ = loop_.at(Clock::now() + pause, [this] { look(); });
}

void LockdownWatch::look() {
    timer_.reset();
    const auto words = lockdowns_.look_after();
    if (!words) return say_("what is closed could not be looked after: " + words.error().detail);
    for (const auto& sentence : *words) say_(sentence);
}

}  // namespace causeway::service
