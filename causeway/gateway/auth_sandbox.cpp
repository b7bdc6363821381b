#include "causeway/gateway/auth_sandbox.h"

#include "causeway/program/privileges.h"

#include <fcntl.h>
#include <seccomp.h>

#include <array>
#include <cerrno>
#include <memory>

namespace causeway::gateway {
namespace {

struct FilterDeleter {
    void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FilterDeleter>;

constexpr auto allowed_calls = std::to_array<int>({
    // Memory
    SCMP_SYS(brk),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    // Threads and waiting
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(tgkill),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    // Descriptors that are open
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(lseek),
    SCMP_SYS(fcntl),
    // The C library counts processors before it gives threads memory of their own; the sanitizers
    // look at memory through a pipe.
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(pipe2),
    // Salt, and the end
    SCMP_SYS(getrandom),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
});

std::unexpected<Error> refused(int number, const char* call) {
    return fail(Vpn::pluginFailed, "causeway-auth cannot lock itself in",
                system_error(-number, call));
}

Result<void> load_filter() {
    const Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS));
    if (!filter) return refused(-ENOMEM, "seccomp_init");
    // All threads: those that compute hashes run already.
    if (const int number = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1); number < 0)
        return refused(number, "seccomp_attr_set");
    for (const int call : allowed_calls)
        if (const int number = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0); number < 0)
            return refused(number, "seccomp_rule_add");
    constexpr scmp_datum_t changing = O_ACCMODE | O_CREAT | O_TRUNC;
    const int number =
        seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                         SCMP_A2(SCMP_CMP_MASKED_EQ, changing, scmp_datum_t{O_RDONLY}));
    if (number < 0) return refused(number, "seccomp_rule_add");
    if (const int loaded = seccomp_load(filter.get()); loaded < 0)
        return refused(loaded, "seccomp_load");
    return {};
}

}  // namespace

Result<void> enter_auth_sandbox() {
    auto hidden = program::protect_memory();
    if (hidden) hidden = program::drop_capabilities();
    if (!hidden)
        return fail(Vpn::pluginFailed, "causeway-auth cannot lock itself in",
                    std::move(hidden).error());
    return load_filter();
}

}  // namespace causeway::gateway
