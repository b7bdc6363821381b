// Runs a program and makes one of the calls by which it changes the machine go wrong.
//
//     fault_tool count                       -- PROGRAM ARGUMENT...   says what the calls are
//     fault_tool fail NUMBER                 -- …   the call fails and changes nothing
//     fault_tool refuse NUMBER first|middle|last -- …   the kernel refuses one message of it
//     fault_tool kill-before NUMBER          -- …   SIGKILL before the call
//     fault_tool kill-after NUMBER           -- …   SIGKILL after it, before the next call of any
//     kind
//
// A seccomp filter stops the program at each call and asks this one (SECCOMP_RET_USER_NOTIF), which
// reads what it is about from the program's memory. Counted are messages to the kernel's netlink,
// questions too; calls to the TUN driver; and whatever changes files, folders and their locks. What
// was done goes to the standard error: "point NUMBER WORDS", and in the end "points COUNT". Ends
// with the program's status, 137 when it was killed.

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

enum class Fault { none, fail, refuse, kill_before, kill_after };

struct Wanted {
    Fault fault = Fault::none;
    int number = 0;
    std::string which = {};  ///< For `refuse`: "first", "middle", "last".
};

/// A call that counts.
struct Point {
    std::string words;
    int error;  ///< What a machine in trouble would answer.
    std::vector<std::size_t> messages =
        {};  ///< Where netlink messages begin, heads and ends left out.
};

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(125);
}

/// Every call, or only those that may count: what is not asked about is quicker.
void install_filter(bool all, std::vector<int>& calls) {
    std::vector<sock_filter> code = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
    if (!all)
        for (const int call : calls) {
            code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
            code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
        }
    code.push_back(BPF_STMT(BPF_RET | BPF_K, all ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW));
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("prctl");
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) <
        0)
        die("seccomp");
}

class Supervisor {
public:
    Supervisor(Wanted wanted, int listener) : wanted_(std::move(wanted)), listener_(listener) {}

    /// Until nobody is under the filter any more.
    void run() {
        while (true) {
            pollfd waiting{listener_, POLLIN, 0};
            if (poll(&waiting, 1, -1) < 0 && errno == EINTR) continue;
            if ((waiting.revents & POLLIN) == 0) break;
            seccomp_notif asked{};
            if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) {
                if (errno == ENOENT || errno == EINTR) continue;
                break;
            }
            answer(asked);
        }
        std::fprintf(stderr, "points %d\n", count_);
    }

private:
    void answer(const seccomp_notif& asked) {
        if (kill_next_) return kill_program(asked);
        seccomp_notif_resp response{asked.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        if (const auto point = point_of(asked)) {
            ++count_;
            const bool is_it = count_ == wanted_.number;
            if (wanted_.fault == Fault::none || is_it)
                std::fprintf(stderr, "point %d %s\n", count_, point->words.c_str());
            if (is_it && wanted_.fault == Fault::kill_before) return kill_program(asked);
            if (is_it && wanted_.fault == Fault::kill_after) kill_next_ = true;
            if (is_it && wanted_.fault == Fault::fail) response = {asked.id, 0, -point->error, 0};
            if (is_it && wanted_.fault == Fault::refuse) spoil(asked, *point);
        }
        ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &response);
    }

    void kill_program(const seccomp_notif& asked) { kill(static_cast<pid_t>(asked.pid), SIGKILL); }

    std::optional<Point> point_of(const seccomp_notif& asked) {
        const auto& args = asked.data.args;
        const auto path = [&](int at) {
            return text(asked.pid, args[static_cast<std::size_t>(at)]);
        };
        switch (asked.data.nr) {
            case SYS_sendto: return netlink(asked);
            case SYS_socket:
                if (args[0] != AF_NETLINK) return std::nullopt;
                return Point{"socket of netlink", EMFILE};
            case SYS_ioctl:
                // Those of the TUN driver that set something.
                if ((args[1] >> 8 & 0xff) != 'T' || (args[1] >> 30 & 1) == 0) return std::nullopt;
                return Point{"ioctl of the TUN", ENOMEM};
            case SYS_openat:
                if ((args[2] & (O_WRONLY | O_RDWR | O_CREAT)) == 0) return std::nullopt;
                return Point{"open " + path(1), EMFILE};
            case SYS_write:
                if (!is_file(asked.pid, args[0])) return std::nullopt;
                return Point{"write", ENOSPC};
            case SYS_rename: return Point{"rename to " + path(1), EIO};
            case SYS_unlink: return Point{"unlink " + path(0), EIO};
            case SYS_mkdir: return Point{"mkdir " + path(0), ENOSPC};
            case SYS_rmdir: return Point{"rmdir " + path(0), EIO};
            case SYS_fsync: return Point{"fsync", EIO};
            case SYS_ftruncate: return Point{"ftruncate", EIO};
            case SYS_fchmod: return Point{"fchmod", EIO};
            case SYS_fchown: return Point{"fchown", EIO};
            case SYS_flock: return Point{"flock", ENOLCK};
            default: return std::nullopt;
        }
    }

    /// A message, or many, to the kernel.
    std::optional<Point> netlink(const seccomp_notif& asked) {
        const auto& args = asked.data.args;
        sa_family_t family = 0;
        if (args[4] == 0 || !read(asked.pid, args[4], &family, sizeof family) ||
            family != AF_NETLINK)
            return std::nullopt;
        std::vector<char> bytes(args[2]);
        if (!read(asked.pid, args[1], bytes.data(), bytes.size())) return std::nullopt;
        Point point{"", ENOBUFS};
        unsigned first = 0;
        for (std::size_t at = 0; at + sizeof(nlmsghdr) <= bytes.size();) {
            nlmsghdr header;
            std::memcpy(&header, &bytes[at], sizeof header);
            if (header.nlmsg_len < sizeof header) break;
            if (header.nlmsg_type != NFNL_MSG_BATCH_BEGIN &&
                header.nlmsg_type != NFNL_MSG_BATCH_END) {
                if (point.messages.empty()) first = header.nlmsg_type;
                point.messages.push_back(at);
            }
            at += NLMSG_ALIGN(header.nlmsg_len);
        }
        point.words = "netlink type " + std::to_string(first) + " messages " +
                      std::to_string(point.messages.size());
        return point;
    }

    /// Makes one of the messages one that the kernel refuses: a prefix longer than any address, a
    /// family that there is not.
    void spoil(const seccomp_notif& asked, const Point& point) {
        if (point.messages.empty()) return;
        const auto count = point.messages.size();
        const auto at = wanted_.which == "first"  ? point.messages.front()
                        : wanted_.which == "last" ? point.messages.back()
                                                  : point.messages[count / 2];
        const std::uint64_t message = asked.data.args[1] + at;
        nlmsghdr header;
        if (!read(asked.pid, message, &header, sizeof header)) return;
        const bool is_firewall = header.nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES;
        const char wrong = is_firewall ? 77 : -1;
        const std::uint64_t where = message + sizeof header + (is_firewall ? 0 : 1);
        iovec ours{const_cast<char*>(&wrong), 1};
        iovec theirs{reinterpret_cast<void*>(where), 1};
        if (process_vm_writev(static_cast<pid_t>(asked.pid), &ours, 1, &theirs, 1, 0) != 1)
            die("process_vm_writev");
    }

    static bool read(std::uint32_t pid, std::uint64_t from, void* to, std::size_t size) {
        iovec ours{to, size};
        iovec theirs{reinterpret_cast<void*>(from), size};
        return process_vm_readv(static_cast<pid_t>(pid), &ours, 1, &theirs, 1, 0) ==
               static_cast<ssize_t>(size);
    }

    /// Character by character: what lies behind a text may not be there.
    static std::string text(std::uint32_t pid, std::uint64_t from) {
        std::string words;
        char letter = 0;
        while (words.size() < 200 && read(pid, from + words.size(), &letter, 1) && letter != 0)
            words += letter;
        return words;
    }

    static bool is_file(std::uint32_t pid, std::uint64_t fd) {
        std::array<char, 64> path;
        std::array<char, 64> target{};
        std::snprintf(path.data(), path.size(), "/proc/%u/fd/%d", pid, static_cast<int>(fd));
        return fd > 2 && readlink(path.data(), target.data(), target.size() - 1) > 0 &&
               target[0] == '/' && !std::string_view(target.data()).starts_with("/dev/");
    }

    Wanted wanted_;
    int listener_;
    int count_ = 0;
    bool kill_next_ = false;
};

/// The child's listener, which it has as soon as its filter is in place.
int take_listener(pid_t child, int number) {
    const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
    if (pidfd < 0) die("pidfd_open");
    for (int attempt = 0; attempt < 20'000; ++attempt) {
        const int listener = static_cast<int>(syscall(SYS_pidfd_getfd, pidfd, number, 0));
        if (listener >= 0) {
            close(pidfd);
            return listener;
        }
        if (errno != EBADF) die("pidfd_getfd");
        usleep(100);
    }
    die("no listener");
}

int supervise(const Wanted& wanted, char** program) {
    std::vector<int> calls = {SYS_sendto, SYS_socket, SYS_ioctl, SYS_openat,    SYS_write,
                              SYS_rename, SYS_unlink, SYS_mkdir, SYS_rmdir,     SYS_fsync,
                              SYS_fchmod, SYS_fchown, SYS_flock, SYS_ftruncate, SYS_execve};
    // The next descriptor of the child will have the number that would be ours.
    const int next = dup(STDERR_FILENO);
    close(next);
    const pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        install_filter(wanted.fault == Fault::kill_after, calls);
        execv(program[0], program);
        die(program[0]);
    }
    const int listener = take_listener(child, next);
    Supervisor(wanted, listener).run();
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int wrong_usage() {
    std::fputs("fault_tool count|fail|refuse|kill-before|kill-after [NUMBER [WHICH]] -- PROGRAM…\n",
               stderr);
    return 2;
}

}  // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> words(arguments, arguments + count);
    const auto split = std::ranges::find(words, "--") - words.begin();
    if (split < 2 || split + 1 >= count) return wrong_usage();
    Wanted wanted;
    if (words[1] == "fail") wanted.fault = Fault::fail;
    if (words[1] == "refuse") wanted.fault = Fault::refuse;
    if (words[1] == "kill-before") wanted.fault = Fault::kill_before;
    if (words[1] == "kill-after") wanted.fault = Fault::kill_after;
    if (wanted.fault == Fault::none && words[1] != "count") return wrong_usage();
    if (split > 2) wanted.number = std::atoi(words[2].c_str());
    if (split > 3) wanted.which = words[3];
    return supervise(wanted, arguments + split + 1);
}
