#include "causeway/base/event_loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <system_error>

namespace causeway {
namespace {

[[noreturn]] void give_up(const char* call) {
    throw std::system_error(errno, std::system_category(), call);
}

}  // namespace

struct EventLoop::Watch::State {
    std::weak_ptr<EventLoop::Shared> loop;
    int fd = -1;
    Fd owned;  // a signalfd belongs to its watch
    EventLoop::ReadyAction ready;
    bool gone = false;
};

struct EventLoop::Timer::State {
    std::weak_ptr<EventLoop::Shared> loop;
    Instant when;
    EventLoop::Action due;
};

struct EventLoop::Shared {
    Fd epoll{epoll_create1(EPOLL_CLOEXEC)};
    Fd wake{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    // Watches by descriptor, so that an event of a watch that is gone finds nobody.
    std::map<int, std::shared_ptr<Watch::State>> watches;
    std::multimap<Instant, std::shared_ptr<Timer::State>> timers;
    std::mutex mutex;  // guards `posted`
    std::vector<Action> posted;
    std::atomic<bool> stopped = false;

    void forget(Watch::State& watch) {
        if (watch.gone) return;
        watch.gone = true;
        // The number may be somebody else's by now, when its owner closed it before the watch
        // ended.
        const auto found = watches.find(watch.fd);
        if (found == watches.end() || found->second.get() != &watch) return;
        epoll_ctl(epoll.get(), EPOLL_CTL_DEL, watch.fd, nullptr);
        watches.erase(found);
    }

    void forget(const Timer::State& timer) {
        const auto [first, last] = timers.equal_range(timer.when);
        for (auto at = first; at != last; ++at) {
            if (at->second.get() != &timer) continue;
            timers.erase(at);
            return;
        }
    }

    void wake_up() {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto count = write(wake.get(), &one, sizeof one);
    }

    int milliseconds_to_wait() {
        if (timers.empty()) return -1;
        const auto left = timers.begin()->first - Clock::now();
        // Rounded up: waking a fraction early would spin until the time has come.
        const auto count = std::chrono::ceil<std::chrono::milliseconds>(left).count();
        return static_cast<int>(std::clamp<std::int64_t>(count, 0, 3'600'000));
    }

    void run_posted() {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto size = read(wake.get(), &count, sizeof count);
        std::vector<Action> actions;
        {
            const std::lock_guard lock(mutex);
            actions.swap(posted);
        }
        for (auto& action : actions) action();
    }

    void run_timers() {
        const auto now = Clock::now();
        while (!timers.empty() && timers.begin()->first <= now) {
            const auto timer = timers.begin()->second;
            timers.erase(timers.begin());
            timer->due();
        }
    }
};

EventLoop::EventLoop() : shared_(std::make_shared<Shared>()) {
    if (!shared_->epoll) give_up("epoll_create1");
    if (!shared_->wake) give_up("eventfd");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = shared_->wake.get();
    if (epoll_ctl(shared_->epoll.get(), EPOLL_CTL_ADD, shared_->wake.get(), &event) != 0)
        give_up("epoll_ctl");
}

EventLoop::~EventLoop() = default;

EventLoop::Watch EventLoop::watch(int fd, std::uint32_t flags, ReadyAction ready) {
    auto state = std::make_shared<Watch::State>();
    state->loop = shared_;
    state->fd = fd;
    state->ready = std::move(ready);
    epoll_event event{};
    event.events = flags;
    event.data.fd = fd;
    if (epoll_ctl(shared_->epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) give_up("epoll_ctl");
    shared_->watches[fd] = state;
    return Watch(std::move(state));
}

EventLoop::Timer EventLoop::at(Instant when, Action due) {
    auto state = std::make_shared<Timer::State>();
    state->loop = shared_;
    state->when = when;
    state->due = std::move(due);
    shared_->timers.emplace(when, state);
    return Timer(std::move(state));
}

EventLoop::Watch EventLoop::on_signal(int number, Action arrived) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    if (const int failure = pthread_sigmask(SIG_BLOCK, &set, nullptr); failure != 0) {
        errno = failure;
        give_up("pthread_sigmask");
    }
    Fd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) give_up("signalfd");
    const int descriptor = fd.get();
    auto result =
        watch(descriptor, EPOLLIN, [descriptor, arrived = std::move(arrived)](auto) mutable {
            signalfd_siginfo info;
            if (read(descriptor, &info, sizeof info) == sizeof info) arrived();
        });
    result.state_->owned = std::move(fd);
    return result;
}

void EventLoop::post(Action action) {
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->posted.push_back(std::move(action));
    }
    shared_->wake_up();
}

void EventLoop::stop() {
    shared_->stopped = true;
    shared_->wake_up();
}

void EventLoop::run() {
    const auto shared = shared_;
    std::array<epoll_event, 64> events;
    while (!shared->stopped) {
        const int count =
            epoll_wait(shared->epoll.get(), events.data(), static_cast<int>(events.size()),
                       shared->milliseconds_to_wait());
        if (count < 0 && errno != EINTR) give_up("epoll_wait");
        for (int i = 0; i < count; ++i) {
            const auto& event = events[static_cast<std::size_t>(i)];
            if (event.data.fd == shared->wake.get()) continue;
            const auto found = shared->watches.find(event.data.fd);
            if (found == shared->watches.end()) continue;
            const auto watch = found->second;  // keeps the action alive while it runs
            watch->ready(event.events);
        }
        shared->run_posted();
        shared->run_timers();
    }
    shared->run_posted();
    shared->stopped = false;
}

EventLoop::Watch& EventLoop::Watch::operator=(Watch&& other) noexcept {
    if (this != &other) {
        reset();
        state_ = std::move(other.state_);
    }
    return *this;
}

EventLoop::Watch::~Watch() { reset(); }

void EventLoop::Watch::want(std::uint32_t flags) {
    const auto loop = state_ ? state_->loop.lock() : nullptr;
    if (!loop || state_->gone) return;
    epoll_event event{};
    event.events = flags;
    event.data.fd = state_->fd;
    epoll_ctl(loop->epoll.get(), EPOLL_CTL_MOD, state_->fd, &event);
}

void EventLoop::Watch::reset() {
    if (!state_) return;
    if (const auto loop = state_->loop.lock()) loop->forget(*state_);
    state_.reset();
}

EventLoop::Timer& EventLoop::Timer::operator=(Timer&& other) noexcept {
    if (this != &other) {
        reset();
        state_ = std::move(other.state_);
    }
    return *this;
}

EventLoop::Timer::~Timer() { reset(); }

void EventLoop::Timer::reset() {
    if (!state_) return;
    if (const auto loop = state_->loop.lock()) loop->forget(*state_);
    state_.reset();
}

}  // namespace causeway
