#include "causeway/service/daemon.h"

#include "causeway/base/text.h"
#include "causeway/device/file_lock.h"
#include "causeway/device/setup.h"
#include "causeway/error/exit_status.h"
#include "causeway/error/names.h"
#include "causeway/program/listening.h"
#include "causeway/program/privileges.h"
#include "causeway/program/refusal.h"
#include "causeway/service/bus_face.h"
#include "causeway/service/keeper.h"
#include "causeway/service/limits.h"
#include "causeway/service/lockdown_watch.h"
#include "causeway/service/lockdowns.h"
#include "causeway/service/policy.h"
#include "causeway/service/ready.h"
#include "causeway/service/server.h"
#include "causeway/service/vpn_service.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

namespace causeway::service {
namespace {

constexpr std::uint64_t net_admin = std::uint64_t{1} << CAP_NET_ADMIN;
constexpr int backlog = 128;
/// The folder of the usual socket. `causeway run` of root keeps its state there too, and may have
/// made it for root alone.
constexpr const char* shared_folder = "/run/causeway";

void say(std::string_view line) { fmt::print(stderr, "causewayd: {}\n", printable(line)); }

int refuse(const Error& error, int status) {
    program::print_refusal("causewayd", error);
    return status;
}

std::unexpected<Error> cannot(std::string what, int number, const char* call,
                              const std::string& path) {
    return fail(Vpn::configurationFailed, std::move(what),
                system_error(number, call).with("file", path));
}

/// Who the service becomes; nobody when it stays who started it.
std::optional<std::string> future_user(const Policy& policy) {
    if (geteuid() != 0 || !program::has_user(policy.run_as_user)) return std::nullopt;
    return policy.run_as_user;
}

/// For the user that the service becomes, who alone may change it.
Result<void> make_state_folder(const std::string& folder, const std::optional<std::string>& user) {
    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), failure);
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return cannot("the state folder cannot be made", errno, "mkdir", folder);
    const Fd opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!opened) return cannot("the state folder cannot be used", errno, "open", folder);
    const passwd* owner = user ? getpwnam(user->c_str()) : getpwuid(geteuid());
    const uid_t uid = owner ? owner->pw_uid : geteuid();
    const gid_t gid = owner ? owner->pw_gid : getegid();
    if ((geteuid() == 0 && fchown(opened.get(), uid, gid) != 0) || fchmod(opened.get(), 0700) != 0)
        return cannot("the state folder cannot be used", errno, "fchown", folder);
    return {};
}

/// Everybody may pass through to the socket; what else lies there is readable for root alone.
Result<void> open_shared_folder(const std::string& socket) {
    if (std::filesystem::path(socket).parent_path() != shared_folder) return {};
    constexpr mode_t passable = 0755;
    if (mkdir(shared_folder, passable) != 0 && errno != EEXIST)
        return cannot("the socket's folder cannot be made", errno, "mkdir", shared_folder);
    struct stat facts{};
    if (lstat(shared_folder, &facts) != 0)
        return cannot("the socket's folder cannot be used", errno, "lstat", shared_folder);
    if (!S_ISDIR(facts.st_mode) || facts.st_uid != geteuid()) return {};
    if (chmod(shared_folder, passable) != 0)
        return cannot("the socket's folder cannot be used", errno, "chmod", shared_folder);
    return {};
}

/// Two services in one folder would take each other's runs for dead.
Result<Fd> lock_state(const std::string& folder) {
    auto lock = device::try_lock_file(folder + "/causewayd.lock");
    if (!lock)
        return fail(Vpn::configurationFailed, "the state folder cannot be locked",
                    std::move(lock).error());
    if (!*lock)
        return cannot("another causewayd uses the state folder", EWOULDBLOCK, "flock", folder);
    return std::move(**lock);
}

Result<void> check_rights() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    if (syscall(SYS_capget, &header, data.data()) == 0 && (data[0].effective & net_admin) != 0)
        return {};
    return fail(Vpn::configurationFailed, "the service needs the right to administer networks",
                Error{Service::VPN_CREATION_DENIED, "this process lacks CAP_NET_ADMIN"}.because(
                    system_error(EPERM, "capget")));
}

/// Leaves CAP_NET_ADMIN, and says who the service is from now on.
Result<std::string> drop_privileges(const std::optional<std::string>& user) {
    if (user) {
        auto dropped = program::drop_privileges({*user, {}}, net_admin);
        if (!dropped) return pass(dropped);
        for (const auto& note : dropped->notes) say(note);
        return dropped->user;
    }
    if (auto kept = program::keep_only(net_admin); !kept) return pass(kept);
    if (auto hidden = program::protect_memory(); !hidden) return pass(hidden);
    return spoken(geteuid());
}

/// What an earlier service left behind. That it could not be put right is said, and no reason not
/// to serve.
void recover(Keeper& keeper, const std::string& state_folder) {
    if (const auto names = keeper.recover(); !names)
        say("name servers that an earlier run set could not be put back: " + names.error().detail);
    const auto runs = device::recover(state_folder);
    if (!runs)
        say("what an earlier run left could not be put right: " + runs.error().detail);
    else if (*runs > 0)
        say(fmt::format("put right what {} session{} left behind", *runs, *runs == 1 ? "" : "s"));
}

/// A policy that cannot be read opens nothing. Where another service runs, it is that one's affair.
void keep_closed(const std::string& state_folder) {
    const auto lock = lock_state(state_folder);
    if (!lock) return;
    const auto closed = close_without_policy(state_folder);
    if (!closed)
        say("the machine could not be closed: " + closed.error().detail);
    else if (*closed)
        say("the machine is closed, as it was left: nothing leaves it until the service runs");
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/// What stands before the loop runs.
struct Opened {
    Policy policy;
    std::unique_ptr<Keeper> keeper;
    Fd lock;
    std::unique_ptr<Lockdowns> lockdowns;
    Fd listener;
    std::string runs_as;
};

Result<Opened> open_everything(const DaemonOptions& options, Policy policy) {
    Opened opened{.policy = std::move(policy),
                  .keeper = {},
                  .lock = {},
                  .lockdowns = {},
                  .listener = {},
                  .runs_as = {}};
    if (auto rights = check_rights(); !rights) return pass(rights);
    const auto user = future_user(opened.policy);
    if (auto made = make_state_folder(options.state_folder, user); !made) return pass(made);
    // First of all: what it inherits, it would keep open.
    auto keeper = Keeper::start(options.state_folder);
    if (!keeper) return pass(keeper);
    opened.keeper = std::move(*keeper);
    auto lock = lock_state(options.state_folder);
    if (!lock) return pass(lock);
    opened.lock = std::move(*lock);
    // Before anything else is changed: a machine that shall be closed is, from here on.
    auto lockdowns = Lockdowns::start(options.state_folder, opened.policy.lockdown);
    if (!lockdowns) return pass(lockdowns);
    opened.lockdowns = std::move(*lockdowns);
    for (const auto& note : opened.lockdowns->notes()) say(note);
    opened.listener = socket_from_manager();
    if (!opened.listener) {
        if (auto passable = open_shared_folder(options.socket); !passable) return pass(passable);
        auto listener = program::listen_at(options.socket, backlog);
        if (!listener) return pass(listener);
        opened.listener = std::move(*listener);
    }
    auto runs_as = drop_privileges(user);
    if (!runs_as) return pass(runs_as);
    if (!user && geteuid() == 0)
        say(fmt::format("there is no user {} to become: stays root, with CAP_NET_ADMIN alone",
                        opened.policy.run_as_user));
    opened.runs_as = std::move(*runs_as);
    return opened;
}

/// The second face, where there is a bus. That there is none is said, and no reason not to serve.
std::unique_ptr<BusFace> open_bus(EventLoop& loop, const std::string& address,
                                  VpnService& service) {
    if (address == "none") return nullptr;
    auto face = BusFace::open(loop, address, service, [](const std::string& why) {
        say(
            fmt::format("the D-Bus has gone ({}): the sessions of its callers have ended, and the "
                        "socket is served alone until the next start",
                        why));
    });
    if (face) return std::move(*face);
    say(fmt::format("no D-Bus is served ({}: {}), but the socket", face.error().detail,
                    code_name(face.error().code)));
    return nullptr;
}

/// Ends everything once, whichever signal comes.
class Ending {
public:
    Ending(EventLoop& loop, Server& server, BusFace* bus, VpnService& service)
        : loop_(loop), server_(server), bus_(bus), service_(service) {}

    void begin() {
        if (has_begun_) return;
        has_begun_ = true;
        tell_manager("STOPPING=1");
        server_.stop();
        if (bus_) bus_->stop();
        timer_ = loop_.at(Clock::now() + shutdown_time_limit, [this] {
            say("not everything could be undone in time; the next start goes on with it");
            loop_.stop();
        });
        service_.shut_down([this] { loop_.stop(); });
    }

private:
    EventLoop& loop_;
    Server& server_;
    BusFace* bus_;
    VpnService& service_;
    EventLoop::Timer timer_;
    bool has_begun_ = false;
};

void serve(const DaemonOptions& options, Opened opened) {
    EventLoop loop;
    Server server(loop, std::move(opened.listener));
    std::unique_ptr<BusFace> bus;
    VpnService service(loop, std::move(opened.policy), options.state_folder, *opened.keeper,
                       *opened.lockdowns, [&](ConnectionId id, const std::string& json) {
                           if (id < bus_connection_first) return server.send(id, json);
                           if (bus) bus->tell(id, json);
                       });
    if (auto consents = service.load_consents(); !consents)
        say(fmt::format("who has consented cannot be read ({}: {}): nobody has",
                        printable(consents.error().fact("file")),
                        code_name(consents.error().code)));
    opened.keeper->attach(
        loop, [] { say("the keeper has ended: sessions with name servers or programs fail"); });
    bus = open_bus(loop, options.bus, service);
    Ending ending(loop, server, bus.get(), service);
    const auto term = loop.on_signal(SIGTERM, [&] { ending.begin(); });
    const auto interrupt = loop.on_signal(SIGINT, [&] { ending.begin(); });
    server.serve(service);
    LockdownWatch lockdown_watch(loop, *opened.lockdowns, say);
    Watchdog watchdog(loop);
    tell_manager("READY=1");
    say(fmt::format("ready: listens on {}, runs as {}", options.socket, opened.runs_as));
    loop.run();
    bus.reset();
}

}  // namespace

int run_daemon(const DaemonOptions& options) {
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    auto policy = load_policy(options.config, options.config_may_be_missing);
    if (!policy) {
        keep_closed(options.state_folder);
        return refuse(policy.error(), exit_usage);
    }
    auto opened = open_everything(options, std::move(*policy));
    if (!opened) return refuse(opened.error(), exit_other);
    recover(*opened->keeper, options.state_folder);
    serve(options, std::move(*opened));
    // Where its folder is not ours, the next start removes it.
    unlink(options.socket.c_str());
    return exit_success;
}

}  // namespace causeway::service
