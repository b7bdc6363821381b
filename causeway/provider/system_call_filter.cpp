#include "causeway/provider/system_call_filter.h"

#include <seccomp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>

namespace causeway::provider {
namespace {

// Descriptors, waiting, memory, time, the end; and what the C library does beside them.
constexpr std::array allowed_calls{SCMP_SYS(read),
                                   SCMP_SYS(readv),
                                   SCMP_SYS(pread64),
                                   SCMP_SYS(write),
                                   SCMP_SYS(writev),
                                   SCMP_SYS(close),
                                   SCMP_SYS(dup),
                                   SCMP_SYS(fcntl),
                                   SCMP_SYS(lseek),
                                   SCMP_SYS(fstat),
                                   SCMP_SYS(newfstatat),
                                   SCMP_SYS(statx),
                                   SCMP_SYS(openat),
                                   SCMP_SYS(readlink),
                                   SCMP_SYS(readlinkat),
                                   SCMP_SYS(access),
                                   SCMP_SYS(faccessat),
                                   SCMP_SYS(faccessat2),
                                   SCMP_SYS(getdents64),
                                   SCMP_SYS(stat),
                                   SCMP_SYS(lstat),
                                   SCMP_SYS(open),

                                   SCMP_SYS(connect),
                                   SCMP_SYS(bind),
                                   SCMP_SYS(send),
                                   SCMP_SYS(sendto),
                                   SCMP_SYS(sendmsg),
                                   SCMP_SYS(sendmmsg),
                                   SCMP_SYS(recv),
                                   SCMP_SYS(recvfrom),
                                   SCMP_SYS(recvmsg),
                                   SCMP_SYS(recvmmsg),
                                   SCMP_SYS(shutdown),
                                   SCMP_SYS(getsockname),
                                   SCMP_SYS(getpeername),
                                   SCMP_SYS(getsockopt),
                                   SCMP_SYS(setsockopt),

                                   SCMP_SYS(epoll_create1),
                                   SCMP_SYS(epoll_ctl),
                                   SCMP_SYS(epoll_wait),
                                   SCMP_SYS(epoll_pwait),
                                   SCMP_SYS(epoll_pwait2),
                                   SCMP_SYS(eventfd2),
                                   SCMP_SYS(poll),
                                   SCMP_SYS(ppoll),
                                   SCMP_SYS(select),
                                   SCMP_SYS(pselect6),

                                   SCMP_SYS(mmap),
                                   SCMP_SYS(munmap),
                                   SCMP_SYS(mremap),
                                   SCMP_SYS(mprotect),
                                   SCMP_SYS(madvise),
                                   SCMP_SYS(brk),
                                   SCMP_SYS(futex),
                                   SCMP_SYS(rseq),
                                   SCMP_SYS(set_robust_list),
                                   SCMP_SYS(membarrier),

                                   SCMP_SYS(clock_gettime),
                                   SCMP_SYS(clock_getres),
                                   SCMP_SYS(clock_nanosleep),
                                   SCMP_SYS(nanosleep),
                                   SCMP_SYS(gettimeofday),
                                   SCMP_SYS(time),
                                   SCMP_SYS(getrandom),

                                   SCMP_SYS(rt_sigaction),
                                   SCMP_SYS(rt_sigprocmask),
                                   SCMP_SYS(rt_sigreturn),
                                   SCMP_SYS(sigaltstack),
                                   SCMP_SYS(restart_syscall),
                                   SCMP_SYS(getpid),
                                   SCMP_SYS(gettid),
                                   SCMP_SYS(tgkill),
                                   SCMP_SYS(getuid),
                                   SCMP_SYS(geteuid),
                                   SCMP_SYS(getgid),
                                   SCMP_SYS(getegid),
                                   SCMP_SYS(uname),
                                   SCMP_SYS(sysinfo),
                                   SCMP_SYS(sched_yield),
                                   SCMP_SYS(sched_getaffinity),
                                   SCMP_SYS(getrusage),
                                   SCMP_SYS(prlimit64),
                                   SCMP_SYS(exit),
                                   SCMP_SYS(exit_group)};

// The sanitizers find out through a pipe whether memory may be looked at.
#ifdef __SANITIZE_ADDRESS__
constexpr std::array sanitizer_calls{SCMP_SYS(pipe), SCMP_SYS(pipe2)};
#else
constexpr std::array<int, 0> sanitizer_calls{};
#endif

// Nothing of ours asks for these: whoever does has taken the process over.
constexpr std::array deadly_calls{SCMP_SYS(execve),
                                  SCMP_SYS(execveat),
                                  SCMP_SYS(fork),
                                  SCMP_SYS(vfork),
                                  SCMP_SYS(ptrace),
                                  SCMP_SYS(process_vm_readv),
                                  SCMP_SYS(process_vm_writev)};

constexpr std::array socket_families{AF_INET, AF_INET6};

std::unexpected<Error> refused(int negative_number, const char* call) {
    return std::unexpected(
        Error{Service::SYSTEM_INTERNAL_ERROR, "the worker's system calls could not be restricted"}
            .because(system_error(-negative_number, call)));
}

Result<void> add_rules(scmp_filter_ctx filter, std::uint32_t action, std::span<const int> calls) {
    for (const int call : calls) {
        const int result = seccomp_rule_add(filter, action, call, 0);
        // EDOM: this architecture does not have the call.
        if (result != 0 && result != -EDOM) return refused(result, "seccomp_rule_add");
    }
    return {};
}

}  // namespace

Result<void> restrict_system_calls() {
    const std::unique_ptr<void, decltype(&seccomp_release)> filter(
        seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release);
    if (!filter) return refused(-ENOMEM, "seccomp_init");
    if (auto added = add_rules(filter.get(), SCMP_ACT_ALLOW, allowed_calls); !added) return added;
    if (auto added = add_rules(filter.get(), SCMP_ACT_ALLOW, sanitizer_calls); !added) return added;
    if (auto added = add_rules(filter.get(), SCMP_ACT_KILL_PROCESS, deadly_calls); !added)
        return added;
    for (const int family : socket_families) {
        // The kernel looks at the lower half of the register only.
        const scmp_arg_cmp is_family{0, SCMP_CMP_MASKED_EQ, 0xffffffff,
                                     static_cast<scmp_datum_t>(family)};
        const int result =
            seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &is_family);
        if (result != 0) return refused(result, "seccomp_rule_add_array");
    }
    if (const int result = seccomp_load(filter.get()); result != 0)
        return refused(result, "seccomp_load");
    return {};
}

}  // namespace causeway::provider
