#include "causeway/program/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

namespace causeway::program {
namespace {

struct Identity {
    uid_t user = 0;
    gid_t group = 0;
    std::string name;
};

std::unexpected<Error> refused(const char* call, std::string what) {
    return fail(Vpn::configurationFailed, std::move(what), system_error(errno, call));
}

Result<Identity> look_up(const RunAs& run_as) {
    const passwd* user = nullptr;
    if (run_as.user.empty()) {
        user = getpwnam("causeway");
        if (user == nullptr) user = getpwnam("nobody");
    } else {
        user = getpwnam(run_as.user.c_str());
    }
    if (user == nullptr)
        return fail(Vpn::configurationFailed,
                    fmt::format("there is no user \"{}\" to run as",
                                run_as.user.empty() ? "nobody" : run_as.user),
                    Evidence{{"key", "run_as_user"}, {"value", run_as.user}});
    Identity identity{user->pw_uid, user->pw_gid, user->pw_name};
    if (run_as.group.empty()) return identity;

    const group* named = getgrnam(run_as.group.c_str());
    if (named == nullptr)
        return fail(Vpn::configurationFailed,
                    fmt::format("there is no group \"{}\" to run as", run_as.group),
                    Evidence{{"key", "run_as_group"}, {"value", run_as.group}});
    identity.group = named->gr_gid;
    return identity;
}

std::string own_name() {
    const auto* user = getpwuid(geteuid());
    return user != nullptr ? user->pw_name : std::to_string(geteuid());
}

/// True when the kernel has no such user here: a user namespace that maps only its maker.
bool is_not_mapped(int number) { return number == EINVAL || number == EPERM; }

/// Before the capability that it takes (CAP_SETPCAP) goes with the rest; without it, a process that
/// gets no new privileges cannot use the set anyway.
void empty_bounding_set() {
    for (int capability = 0; capability <= CAP_LAST_CAP; ++capability)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

/// Keeps the capabilities of `kept` (a bit each) that the process has, and no way to others.
Result<void> keep_capabilities(std::uint64_t kept) {
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> capabilities{};
    if (kept != 0 && syscall(SYS_capget, &header, capabilities.data()) != 0)
        return refused("capget", "this process cannot tell its capabilities");
    capabilities[0].permitted &= static_cast<__u32>(kept);
    capabilities[1].permitted &= static_cast<__u32>(kept >> 32);
    for (auto& data : capabilities) {
        data.effective = data.permitted;
        data.inheritable = 0;
    }
    if (syscall(SYS_capset, &header, capabilities.data()) != 0)
        return refused("capset", "this process cannot give up its capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refused("prctl", "this process cannot give up new privileges");
    return {};
}

/// Empty when done; else why this machine cannot.
Result<std::optional<std::string>> become(const Identity& identity) {
    const bool left_groups = setgroups(0, nullptr) == 0;
    if (!left_groups && !is_not_mapped(errno))
        return refused("setgroups", "this process cannot leave its groups");
    const bool is_done = left_groups &&
                         setresgid(identity.group, identity.group, identity.group) == 0 &&
                         setresuid(identity.user, identity.user, identity.user) == 0;
    if (is_done) return std::nullopt;
    if (!is_not_mapped(errno))
        return refused("setresuid", fmt::format("this process cannot become {}", identity.name));
    return fmt::format(
        "stays user {}, without other capabilities than it needs: this user namespace has no user "
        "{} to become",
        own_name(), identity.name);
}

}  // namespace

Result<void> keep_only(std::uint64_t capabilities) {
    empty_bounding_set();
    return keep_capabilities(capabilities);
}

Result<void> drop_capabilities() { return keep_only(0); }

Result<void> protect_memory() {
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return refused("setrlimit", "core files cannot be switched off");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return refused("prctl", "this process's memory cannot be protected");
    return {};
}

Result<Dropped> drop_privileges(const RunAs& run_as, std::uint64_t kept) {
    Dropped dropped;
    if (geteuid() == 0) {
        auto identity = look_up(run_as);
        if (!identity) return pass(identity);
        if (kept != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
            return refused("prctl", "its rights cannot be kept");
        empty_bounding_set();
        auto obstacle = become(*identity);
        if (!obstacle) return pass(obstacle);
        if (*obstacle) dropped.notes.push_back(std::move(**obstacle));
    } else if (!run_as.user.empty() && own_name() != run_as.user) {
        dropped.notes.push_back(
            fmt::format("stays user {}: only root can become {}", own_name(), run_as.user));
    }
    if (auto done = keep_only(kept); !done) return pass(done);
    if (auto done = protect_memory(); !done) return pass(done);
    dropped.user = own_name();
    return dropped;
}

bool has_user(const std::string& name) { return getpwnam(name.c_str()) != nullptr; }

}  // namespace causeway::program
