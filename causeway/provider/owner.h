// The worker's side of the channel to the program that owns the device and the terminal.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/ipc/channel.h"
#include "causeway/provider/messages.h"

#include <functional>

namespace causeway::provider {

/// Questions wait for their answer; while they do, nothing else in this thread moves. All but
/// prompts are answered within `answer_limit`, so that takes next to no time.
class Owner {
public:
    static constexpr std::chrono::seconds answer_limit{30};
    /// A prompt waits for a person.
    static constexpr std::chrono::hours prompt_limit{1};

    /// `stop` is called when the owner wants the end, or is gone.
    Owner(EventLoop& loop, ipc::Channel channel, EventLoop::Action stop);

    void tell(const WorkerMessage& message);
    /// Waits until everything told has been written.
    void drain();

    /// Fail with the owner's answer, or pluginFailed when the owner is gone.
    Result<void> protect(int socket);
    Result<Typed> prompt(const protocol::AuthForm& form, std::vector<protocol::Field> fields);
    Result<Applied> apply(const TunnelSettings& settings);

private:
    void hear();
    void say_stop();
    void watch_writing();

    EventLoop& loop_;
    ipc::Channel channel_;
    EventLoop::Action stop_;
    EventLoop::Watch watch_;
    EventLoop::Timer soon_;
};

}  // namespace causeway::provider
