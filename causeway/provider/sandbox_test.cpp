// The sandbox from inside: each case is a process of its own that enters it and reports by its exit
// status how far it came.

#include "causeway/provider/sandbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

namespace causeway::provider {
namespace {

/// The wait status of a child that entered the sandbox and then did `what`; 100: it could not.
int status_of(const std::function<int()>& what) {
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        if (!enter_sandbox({{"/usr/share"}})) _exit(100);
        _exit(what());
    }
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return status;
}

int exit_of(const std::function<int()>& what) {
    const int status = status_of(what);
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int errno_of_socket(int family) {
    const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 ? 0 : errno;
}

}  // namespace

TEST_CASE("in the sandbox IP sockets can be opened, others cannot") {
    CHECK(exit_of([] { return errno_of_socket(AF_INET); }) == 0);
    CHECK(exit_of([] { return errno_of_socket(AF_INET6); }) == 0);
    CHECK(exit_of([] { return errno_of_socket(AF_UNIX); }) == EPERM);
    CHECK(exit_of([] { return errno_of_socket(AF_NETLINK); }) == EPERM);
}

TEST_CASE("in the sandbox starting a program is deadly") {
    const int status = status_of([] {
        execl("/bin/true", "true", nullptr);
        return 0;
    });
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGSYS);
}

TEST_CASE("in the sandbox only the named folders can be read, and nothing can be written") {
    const auto errno_of_open = [](const char* path, int flags) {
        return open(path, flags, 0600) >= 0 ? 0 : errno;
    };
    CHECK(exit_of([&] { return errno_of_open("/usr/share", O_RDONLY | O_DIRECTORY); }) == 0);
    CHECK(exit_of([&] { return errno_of_open("/etc/passwd", O_RDONLY); }) == EACCES);
    CHECK(exit_of([&] { return errno_of_open("/tmp/causeway-x", O_WRONLY | O_CREAT); }) == EACCES);
}

TEST_CASE("in the sandbox there is no core file, no looking in, and no way to rights") {
    CHECK(exit_of([] {
              rlimit limit{};
              getrlimit(RLIMIT_CORE, &limit);
              return limit.rlim_max == 0 ? 0 : 1;
          }) == 0);
    if (geteuid() == 0) CHECK(exit_of([] { return geteuid() == 0 ? 1 : 0; }) == 0);
    CHECK(exit_of([] { return setuid(0) == 0 ? 1 : 0; }) == 0);
}

TEST_CASE("memory that is hidden stays hidden") {
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        const bool hidden = hide_memory().has_value();
        _exit(hidden && prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
}

}  // namespace causeway::provider
