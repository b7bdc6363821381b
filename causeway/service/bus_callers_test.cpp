#include "causeway/service/bus_callers.h"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace causeway::service {
namespace {

using sdbus::Variant;
using Credentials = std::map<std::string, Variant>;

Credentials of(pid_t process) {
    return {{"UnixUserID", Variant(std::uint32_t{4001})},
            {"ProcessID", Variant(static_cast<std::uint32_t>(process))},
            {"UnixGroupIDs", Variant(std::vector<std::uint32_t>{4001, 100})},
            {"LinuxSecurityLabel", Variant(std::vector<std::uint8_t>{0})}};
}

bool has_ended(const Fd& process) {
    pollfd waiting{process.get(), POLLIN, 0};
    return poll(&waiting, 1, 0) == 1;
}

/// A process that has ended, and is not collected yet.
pid_t ended_process() {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    siginfo_t info{};
    REQUIRE(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
    return child;
}

TEST_CASE("the bus's words make a caller: user, groups, and the process by its number") {
    const auto caller = bus_caller_from(of(getpid()));
    REQUIRE(caller.has_value());
    CHECK(caller->caller.uid == 4001);
    CHECK(caller->caller.pid == getpid());
    CHECK(caller->caller.groups == std::set<gid_t>{100, 4001});
    CHECK(caller->process);
    CHECK(!has_ended(caller->process));
}

TEST_CASE("a process that the bus gives as a descriptor is that one, whatever has its number") {
    const pid_t child = ended_process();
    auto credentials = of(getpid());
    const Fd descriptor(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
    REQUIRE(descriptor);
    credentials["ProcessFD"] = Variant(sdbus::UnixFd(descriptor.get()));
    const auto caller = bus_caller_from(credentials);
    REQUIRE(caller.has_value());
    CHECK(has_ended(caller->process));
    CHECK(caller->process.get() != descriptor.get());
    waitpid(child, nullptr, 0);
}

TEST_CASE("without a user or a process there is no caller; without groups there is") {
    for (const char* key : {"UnixUserID", "ProcessID"}) {
        auto credentials = of(getpid());
        credentials.erase(key);
        const auto caller = bus_caller_from(credentials);
        REQUIRE(!caller.has_value());
        CHECK(caller.error().fact("errno") == "ENODATA");
    }
    auto mistyped = of(getpid());
    mistyped["UnixUserID"] = Variant(std::string("0"));
    CHECK(!bus_caller_from(mistyped).has_value());
    auto credentials = of(getpid());
    credentials.erase("UnixGroupIDs");
    CHECK(bus_caller_from(credentials)->caller.groups.empty());
}

TEST_CASE("a process that has gone has no descriptor") {
    const pid_t child = ended_process();
    waitpid(child, nullptr, 0);
    const auto caller = bus_caller_from(of(child));
    REQUIRE(caller.has_value());
    CHECK(!caller->process);
}

}  // namespace
}  // namespace causeway::service
