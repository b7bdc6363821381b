#include "causeway/base/event_loop.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <thread>

namespace causeway {
namespace {

using namespace std::chrono_literals;

std::pair<Fd, Fd> pipe_in_memory() {
    std::array<int, 2> fds{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()) == 0);
    return {Fd(fds[0]), Fd(fds[1])};
}

TEST_CASE("timers run in the order of their times, not of their making") {
    EventLoop loop;
    std::string story;
    const auto now = Clock::now();
    const auto second = loop.at(now + 2ms, [&] { story += "2"; });
    const auto third = loop.at(now + 3ms, [&] { story += "3", loop.stop(); });
    const auto first = loop.at(now + 1ms, [&] { story += "1"; });
    loop.run();
    CHECK(story == "123");
}

TEST_CASE("a timer that is destroyed does not run, even from another timer's action") {
    EventLoop loop;
    bool ran = false;
    const auto now = Clock::now();
    auto doomed = loop.at(now + 1ms, [&] { ran = true; });
    const auto killer = loop.at(now, [&] { doomed.reset(); });
    const auto end = loop.at(now + 5ms, [&] { loop.stop(); });
    loop.run();
    CHECK_FALSE(ran);
}

TEST_CASE("a watch may end itself inside its own action") {
    EventLoop loop;
    const auto [near, far] = pipe_in_memory();
    int calls = 0;
    EventLoop::Watch watch;
    watch = loop.watch(near.get(), EPOLLIN, [&](std::uint32_t) {
        ++calls;
        watch.reset();
    });
    REQUIRE(write(far.get(), "x", 1) == 1);
    const auto end = loop.at(Clock::now() + 5ms, [&] { loop.stop(); });
    loop.run();
    CHECK(calls == 1);
}

TEST_CASE("a watch whose descriptor was closed and reused does not end the new owner's watch") {
    EventLoop loop;
    auto [near, far] = pipe_in_memory();
    auto old = loop.watch(near.get(), EPOLLIN, [](std::uint32_t) {});
    const int number = near.get();
    near.reset();
    auto [again, other] = pipe_in_memory();
    REQUIRE(again.get() == number);
    bool called = false;
    const auto fresh = loop.watch(number, EPOLLIN, [&](std::uint32_t) {
        called = true;
        loop.stop();
    });
    old.reset();
    REQUIRE(write(other.get(), "x", 1) == 1);
    const auto end = loop.at(Clock::now() + 1s, [&] { loop.stop(); });
    loop.run();
    CHECK(called);
}

TEST_CASE("posted actions and stop reach a waiting loop from another thread") {
    EventLoop loop;
    bool ran = false;
    std::jthread other([&] {
        loop.post([&] { ran = true; });
        loop.stop();
    });
    loop.run();
    CHECK(ran);
}

TEST_CASE("a signal arrives as an action in the loop") {
    EventLoop loop;
    bool arrived = false;
    const auto watch = loop.on_signal(SIGUSR1, [&] {
        arrived = true;
        loop.stop();
    });
    loop.post([] { raise(SIGUSR1); });
    loop.run();
    CHECK(arrived);
}

}  // namespace
}  // namespace causeway
