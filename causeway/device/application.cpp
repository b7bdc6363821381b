#include "causeway/device/application.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace causeway::device {
namespace {

/// Where the unified hierarchy is mounted; "" when it is not.
std::string unified_hierarchy() {
    const auto mounts = read_file("/proc/self/mounts", 1 << 20).value_or("");
    for (const auto line : split(mounts, '\n')) {
        const auto words = split(line, ' ');
        if (words.size() > 2 && words[2] == "cgroup2") return std::string(words[1]);
    }
    return {};
}

/// "a-b.slice" lies in "a.slice".
std::string folder_of_slice(std::string_view unit) {
    std::string folder;
    for (auto dash = unit.find('-'); dash != std::string_view::npos;
         dash = unit.find('-', dash + 1))
        folder += fmt::format("/{}.slice", unit.substr(0, dash));
    return fmt::format("{}/{}", folder, unit);
}

/// A union: `{}` would make only its first member zero.
bpf_attr no_attributes() {
    bpf_attr attributes;
    std::memset(&attributes, 0, sizeof attributes);
    return attributes;
}

int bpf(bpf_cmd command, bpf_attr& attributes) {
    return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

Fd load_program(std::uint32_t mark) {
    const std::array<bpf_insn, 4> code = {{
        {BPF_ALU | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, static_cast<std::int32_t>(mark)},
        {BPF_STX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_2, offsetof(bpf_sock, mark), 0},
        // The socket may be made.
        {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
    }};
    auto attributes = no_attributes();
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_SOCK;
    attributes.expected_attach_type = BPF_CGROUP_INET_SOCK_CREATE;
    attributes.insns = reinterpret_cast<std::uint64_t>(code.data());
    attributes.insn_cnt = code.size();
    attributes.license = reinterpret_cast<std::uint64_t>("Apache-2.0");
    return Fd(bpf(BPF_PROG_LOAD, attributes));
}

}  // namespace

std::string cgroup_of(const std::string& application) {
    if (application.starts_with('/')) return application;
    const auto root = unified_hierarchy();
    auto folder = fmt::format("{}/system.slice/{}", root, application);
    return !root.empty() && access(folder.c_str(), F_OK) == 0 ? folder : std::string();
}

std::string folder_of_cgroup(const std::string& name) {
    const auto root = unified_hierarchy();
    std::string folder = root + name;
    if (!name.starts_with('/'))
        folder =
            root + (name.ends_with(".slice") ? folder_of_slice(name) : "/system.slice/" + name);
    struct statfs facts{};
    const bool is_there =
        statfs(folder.c_str(), &facts) == 0 && facts.f_type == CGROUP2_SUPER_MAGIC;
    return !root.empty() && is_there ? folder : std::string();
}

bool has_unified_hierarchy() { return !unified_hierarchy().empty(); }

Result<Fd> mark_new_sockets(const std::string& folder, std::uint32_t mark) {
    const auto failed = [&](const char* call) {
        return std::unexpected(system_error(errno, call).with("cgroup", folder));
    };
    const Fd cgroup(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!cgroup) return failed("open");
    const Fd program = load_program(mark);
    if (!program) return failed("bpf BPF_PROG_LOAD");
    auto attributes = no_attributes();
    attributes.link_create.prog_fd = static_cast<std::uint32_t>(program.get());
    attributes.link_create.target_fd = static_cast<std::uint32_t>(cgroup.get());
    attributes.link_create.attach_type = BPF_CGROUP_INET_SOCK_CREATE;
    Fd link(bpf(BPF_LINK_CREATE, attributes));
    if (!link) return failed("bpf BPF_LINK_CREATE");
    return link;
}

}  // namespace causeway::device
