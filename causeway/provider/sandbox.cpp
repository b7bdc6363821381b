#include "causeway/provider/sandbox.h"

#include "causeway/provider/landlock.h"
#include "causeway/provider/system_call_filter.h"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace causeway::provider {
namespace {

std::unexpected<Error> refused(const char* call, const char* what) {
    return std::unexpected(
        Error{Service::SYSTEM_INTERNAL_ERROR, what}.because(system_error(errno, call)));
}

Result<void> drop_user(const std::string& name, std::vector<std::string>& notes) {
    if (geteuid() != 0) return {};
    const passwd* user = getpwnam(name.c_str());
    if (!user) {
        notes.push_back(fmt::format("there is no user {} to become, so root it stays", name));
        return {};
    }
    // In a user namespace with one user there is nobody else to be: EINVAL, or EPERM for groups.
    if (setgroups(0, nullptr) != 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0) {
        if (errno != EINVAL && errno != EPERM)
            return refused("setresuid", "the worker could not become another user");
        notes.push_back(fmt::format("the worker keeps its user: this namespace has no {}", name));
    }
    return {};
}

Result<void> drop_capabilities() {
    for (int capability = 0; capability <= CAP_LAST_CAP; ++capability)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM && errno != EINVAL)
            return refused("prctl", "a capability could not be given up for good");
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return refused("prctl", "ambient capabilities could not be given up");
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2]{};
    if (syscall(SYS_capset, &head, none) != 0)
        return refused("capset", "capabilities could not be given up");
    return {};
}

}  // namespace

Result<void> hide_memory() {
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return refused("setrlimit", "core files could not be forbidden");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return refused("prctl", "looking into the process could not be forbidden");
    return {};
}

Result<std::vector<std::string>> enter_sandbox(const SandboxSettings& settings) {
    std::vector<std::string> notes;
    if (auto dropped = drop_user(settings.user, notes); !dropped) return pass(dropped);
    if (auto dropped = drop_capabilities(); !dropped) return pass(dropped);
    // After the change of user, which undoes it.
    if (auto hidden = hide_memory(); !hidden) return pass(hidden);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refused("prctl", "gaining rights could not be forbidden");
    auto files = restrict_files(settings.readable);
    if (!files) return pass(files);
    if (!*files) notes.push_back("this kernel has no Landlock, so the worker may still read files");
    if (auto calls = restrict_system_calls(); !calls) return pass(calls);
    return notes;
}

}  // namespace causeway::provider
