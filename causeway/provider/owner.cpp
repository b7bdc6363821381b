#include "causeway/provider/owner.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <nlohmann/json.hpp>

#include <cerrno>

namespace causeway::provider {
namespace {

Error owner_gone(Error why) {
    return Error{Vpn::pluginFailed, "the program that started the worker does not answer"}.because(
        std::move(why));
}

}  // namespace

Owner::Owner(EventLoop& loop, ipc::Channel channel, EventLoop::Action stop)
    : loop_(loop), channel_(std::move(channel)), stop_(std::move(stop)) {
    watch_ = loop_.watch(channel_.fd(), EPOLLIN, [this](std::uint32_t flags) {
        if (flags & EPOLLOUT) {
            if (auto flushed = channel_.flush(); !flushed) return say_stop();
            watch_writing();
        }
        if (flags & (EPOLLIN | EPOLLHUP | EPOLLERR)) hear();
    });
}

void Owner::hear() {
    while (true) {
        auto message = channel_.receive();
        if (!message) return say_stop();
        if (!*message) return;
        if (is_stop((*message)->json())) return say_stop();
    }
}

void Owner::say_stop() {
    if (channel_.is_closed()) watch_.reset();
    if (!stop_) return watch_.reset();
    auto stop = std::move(stop_);
    stop_ = nullptr;
    stop();
}

void Owner::watch_writing() { watch_.want(channel_.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN); }

void Owner::tell(const WorkerMessage& message) {
    // An owner that is gone shows as the end of the channel, which `hear` acts upon.
    if (channel_.send(json_of(message))) watch_writing();
}

void Owner::drain() {
    // The process ends next; an owner that does not read any more loses nothing by it.
    [[maybe_unused]] const auto drained = channel_.drain(std::chrono::seconds(2));
}

Result<void> Owner::protect(int socket) {
    std::vector<Fd> descriptors;
    descriptors.emplace_back(fcntl(socket, F_DUPFD_CLOEXEC, 0));
    if (!descriptors.front()) return std::unexpected(system_error(errno, "fcntl"));
    auto answer = channel_.ask(json_of(ProtectAsked{}), std::move(descriptors), answer_limit);
    soon_ = loop_.at(Clock::now(), [this] { hear(); });
    if (!answer) return std::unexpected(owner_gone(std::move(answer).error()));
    return read_ok(answer->json());
}

Result<Typed> Owner::prompt(const protocol::AuthForm& form, std::vector<protocol::Field> fields) {
    auto answer = channel_.ask(json_of(PromptAsked{form, std::move(fields)}), {}, prompt_limit);
    soon_ = loop_.at(Clock::now(), [this] { hear(); });
    if (!answer) return std::unexpected(owner_gone(std::move(answer).error()));
    return read_typed(answer->json());
}

Result<Applied> Owner::apply(const TunnelSettings& settings) {
    auto answer = channel_.ask(json_of(ApplyAsked{settings}), {}, answer_limit);
    soon_ = loop_.at(Clock::now(), [this] { hear(); });
    if (!answer) return std::unexpected(owner_gone(std::move(answer).error()));
    return read_applied(answer->json());
}

}  // namespace causeway::provider
