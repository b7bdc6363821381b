// One thread's waiting: descriptors, timers and signals, each with what to do when it is time.
//
// The protocol parts are free of I/O; a loop like this carries the bytes and the time to them.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/base/fd.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace causeway {

/// epoll(7) behind three verbs. Everything registered is owned by the handle that was returned:
/// destroying the handle ends it, also from inside any callback. Not for use by two threads, but
/// for `post` and `stop`.
class EventLoop {
public:
    using Action = std::move_only_function<void()>;
    /// Called with the EPOLL… flags that are set.
    using ReadyAction = std::move_only_function<void(std::uint32_t)>;

    class Watch;
    class Timer;

    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Calls `ready` while any of `flags` (EPOLLIN, EPOLLOUT, …) holds for `fd`: level-triggered.
    /// The descriptor stays the caller's and must outlive the watch.
    [[nodiscard]] Watch watch(int fd, std::uint32_t flags, ReadyAction ready);

    /// Calls `due` once, at `when` or soon after.
    [[nodiscard]] Timer at(Instant when, Action due);

    /// Blocks the signal for this thread (call before starting others) and calls `arrived` in the
    /// loop instead.
    [[nodiscard]] Watch on_signal(int number, Action arrived);

    /// Runs `action` in the loop's thread, after what runs now. From any thread.
    void post(Action action);

    /// Runs until `stop`. What was posted before `stop` still runs.
    void run();
    /// From any thread, also before `run`.
    void stop();

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

/// Keeps a descriptor watched. Movable; ends when destroyed.
class EventLoop::Watch {
public:
    struct State;
    Watch() = default;
    Watch(Watch&&) noexcept = default;
    Watch& operator=(Watch&& other) noexcept;
    ~Watch();

    /// Waits for other flags from now on; 0 pauses.
    void want(std::uint32_t flags);
    explicit operator bool() const { return state_ != nullptr; }
    void reset();

private:
    friend class EventLoop;
    explicit Watch(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

/// Keeps a timer set. Movable; cancels when destroyed.
class EventLoop::Timer {
public:
    struct State;
    Timer() = default;
    Timer(Timer&&) noexcept = default;
    Timer& operator=(Timer&& other) noexcept;
    ~Timer();

    explicit operator bool() const { return state_ != nullptr; }
    void reset();

private:
    friend class EventLoop;
    explicit Timer(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

}  // namespace causeway
