// What needs more than the service keeps of root: a process that can set name servers and take them
// back, and load the one BPF program, and nothing else.
//
// The resolver's file belongs to root, and BPF programs need a right of their own. Before the
// service drops its privileges it forks a keeper, which understands four messages:
//
//     {"recover":true}                                          what dead runs left
//     {"set":{"number":7,"interface":"cw0","link":12,"servers":["10.8.0.1"],"search":[],"split":[]}}
//     {"restore":7}
//         -> {"dns":"file"} or {"error":{…}}
//     {"mark":{"mark":1129775105,"names":["browser.service"]}}
//         -> {"marked":1} and a descriptor for each, on which its mark hangs, or {"error":{…}}
//
// Which resolver is told (device/dns.h) it finds out each time. What it has set is in
// STATE/keeper.json before it is set. When the service is gone, however it ended, the keeper takes
// everything back and ends too.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/device/network_settings.h"
#include "causeway/error/error.h"
#include "causeway/ipc/channel.h"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace causeway::service {

/// Whose name servers: the number of a run and its interface.
struct ResolverClient {
    std::uint32_t number;
    std::string interface;
    int link;
};

class Keeper {
public:
    /// Called with the resolver's name ("file"), or why it could not be told.
    using Done = std::move_only_function<void(Result<std::string>)>;
    /// Called with what marks the sockets of each program, or why they cannot be marked.
    using Marked = std::move_only_function<void(Result<std::vector<Fd>>)>;

    /// Forks; call it while one thread runs and before anything is open that must close with this
    /// process: a lock, a socket that listens. Fails with configurationFailed <- the errno.
    static Result<std::unique_ptr<Keeper>> start(const std::string& state_folder);
    ~Keeper();
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    /// Puts right what dead runs left in the resolver. Waits for it.
    Result<void> recover();
    /// From now on answers arrive in the loop. `gone` is called once, when the keeper has ended.
    void attach(EventLoop& loop, std::move_only_function<void()> gone);

    /// `done` is called later, in the loop; with ETIMEDOUT after `keeper_time_limit`, with EPIPE
    /// when the keeper is gone; `set` with INVALID_PARAMETER_VALUE or CAPABILITY_NOT_SUPPORTED and
    /// the field, before anything has changed, when the resolver in use has no room for so many
    /// servers or no way to split names.
    void set(const ResolverClient& client, const device::DnsSettings& settings, Done done);
    void restore(std::uint32_t number, Done done);
    /// The sockets that these programs make from now on get the mark, as long as the descriptors
    /// are open. Names as in `device::folder_of_cgroup`.
    void mark(const std::vector<std::string>& names, std::uint32_t mark, Marked done);

private:
    using Answered = std::move_only_function<void(Result<ipc::Message>)>;
    struct Waiting {
        Answered done;
        EventLoop::Timer timer;
    };

    Keeper(ipc::Channel channel, pid_t process) : channel_(std::move(channel)), process_(process) {}
    void ask(nlohmann::json question, Answered done);
    static Answered naming(Done done);
    void on_ready();
    void fail_all(const Error& why);
    void finish(std::uint64_t number, Result<ipc::Message> result);

    std::optional<ipc::Channel> channel_;
    pid_t process_;
    EventLoop* loop_ = nullptr;
    EventLoop::Watch watch_;
    std::move_only_function<void()> gone_;
    std::map<std::uint64_t, Waiting> waiting_;
    std::uint64_t asked_ = 0;
};

}  // namespace causeway::service
