#include "causeway/provider/landlock.h"

#include "causeway/base/fd.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace causeway::provider {
namespace {

// As later kernels extended it: the header of the build machine may be older than the kernel.
struct RulesetAttributes {
    std::uint64_t files = 0;
    std::uint64_t network = 0;  // from version 4
    std::uint64_t scoped = 0;   // from version 6
};

constexpr std::uint64_t files_version_1 = (std::uint64_t{1} << 13) - 1;
constexpr std::uint64_t files_refer = std::uint64_t{1} << 13;     // version 2
constexpr std::uint64_t files_truncate = std::uint64_t{1} << 14;  // version 3
constexpr std::uint64_t network_bind_tcp = 1;
constexpr std::uint64_t scope_abstract_sockets_and_signals = 3;

std::unexpected<Error> refused(const char* call) {
    return std::unexpected(
        Error{Service::SYSTEM_INTERNAL_ERROR, "the worker's files could not be restricted"}.because(
            system_error(errno, call)));
}

Result<void> allow_reading(int ruleset, const std::string& path) {
    const Fd fd(open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!fd) return {};  // what is not there needs no rule
    struct stat facts{};
    if (fstat(fd.get(), &facts) != 0) return refused("fstat");
    landlock_path_beneath_attr rule{};
    rule.parent_fd = fd.get();
    rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
    if (S_ISDIR(facts.st_mode)) rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        return refused("landlock_add_rule");
    return {};
}

}  // namespace

Result<bool> restrict_files(const std::vector<std::string>& readable) {
    const auto version =
        syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 0) {
        if (errno == ENOSYS || errno == EOPNOTSUPP) return false;
        return refused("landlock_create_ruleset");
    }
    RulesetAttributes attributes;
    attributes.files = files_version_1;
    if (version >= 2) attributes.files |= files_refer;
    if (version >= 3) attributes.files |= files_truncate;
    if (version >= 4) attributes.network = network_bind_tcp;
    if (version >= 6) attributes.scoped = scope_abstract_sockets_and_signals;
    const std::size_t size = version >= 6   ? sizeof attributes
                             : version >= 4 ? offsetof(RulesetAttributes, scoped)
                                            : offsetof(RulesetAttributes, network);
    const Fd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
    if (!ruleset) return refused("landlock_create_ruleset");
    for (const auto& path : readable)
        if (auto allowed = allow_reading(ruleset.get(), path); !allowed) return pass(allowed);
    if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
        return refused("landlock_restrict_self");
    return true;
}

}  // namespace causeway::provider
