#include "causeway/service/keeper.h"

#include "causeway/error/json.h"
#include "causeway/ipc/limits.h"
#include "causeway/program/privileges.h"
#include "causeway/service/json.h"
#include "causeway/service/keeper_process.h"
#include "causeway/service/limits.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

namespace causeway::service {
namespace {

constexpr auto end_time_limit = std::chrono::seconds(3);

/// To write what belongs to root, as root had it; and to mark the sockets of programs.
constexpr std::uint64_t keeper_rights =
    std::uint64_t{1} << CAP_DAC_OVERRIDE | std::uint64_t{1} << CAP_CHOWN |
    std::uint64_t{1} << CAP_FOWNER | std::uint64_t{1} << CAP_BPF |
    std::uint64_t{1} << CAP_NET_ADMIN;

std::unexpected<Error> cannot_start(Error cause) {
    return fail(Vpn::configurationFailed, "the keeper cannot start", std::move(cause));
}

Error is_gone() { return system_error(EPIPE, "recvmsg", "the keeper ended"); }

/// Why the keeper could not do it; nothing when it could.
std::optional<Error> refusal_in(const Json& answer) {
    const auto error = answer.find("error");
    if (error == answer.end()) return std::nullopt;
    auto read = error_from_text(error->dump());
    return read ? std::move(*read) : std::move(read).error();
}

Result<std::string> result_in(const Json& answer) {
    if (auto refusal = refusal_in(answer)) return std::unexpected(std::move(*refusal));
    const auto dns = answer.find("dns");
    if (dns == answer.end() || !dns->is_string())
        return std::unexpected(system_error(EPROTO, "recvmsg", "the keeper's answer is none"));
    return dns->get<std::string>();
}

/// Locks, and sockets that a manager has opened for the service, would live as long as the keeper.
void close_others(unsigned own) {
    constexpr unsigned first = 3;
    if (own > first) close_range(first, own - 1, 0);
    close_range(std::max(own + 1, first), ~0U, 0);
}

[[noreturn]] void live(ipc::Channel channel, const std::string& state_folder) {
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) signal(number, SIG_IGN);
    close_others(static_cast<unsigned>(channel.fd()));
    if (!program::keep_only(keeper_rights) || !program::protect_memory()) _exit(70);
    keep(std::move(channel), state_folder);
    _exit(0);
}

}  // namespace

Result<std::unique_ptr<Keeper>> Keeper::start(const std::string& state_folder) {
    auto ends = ipc::Channel::pair();
    if (!ends) return cannot_start(std::move(ends).error());
    const pid_t process = fork();
    if (process < 0) return cannot_start(system_error(errno, "fork"));
    if (process == 0) {
        ends->first = std::move(ends->second);  // closes the service's end in this process
        live(std::move(ends->first), state_folder);
    }
    return std::unique_ptr<Keeper>(new Keeper(std::move(ends->first), process));
}

Keeper::~Keeper() {
    watch_.reset();
    channel_.reset();
    // It takes everything back and ends by itself. One that is stopped is root's to wake up.
    const Instant until = Clock::now() + end_time_limit;
    while (waitpid(process_, nullptr, WNOHANG) == 0 && Clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

Result<void> Keeper::recover() {
    auto answered = channel_->ask({{"recover", true}}, {}, keeper_time_limit);
    if (!answered) return pass(answered);
    auto result = result_in(answered->json());
    if (!result) return pass(result);
    return {};
}

void Keeper::attach(EventLoop& loop, std::move_only_function<void()> gone) {
    loop_ = &loop;
    gone_ = std::move(gone);
    watch_ = loop.watch(channel_->fd(), EPOLLIN, [this](auto) { on_ready(); });
}

void Keeper::set(const ResolverClient& client, const device::DnsSettings& settings, Done done) {
    Json servers = Json::array();
    for (const auto& server : settings.servers) servers.push_back(server.text());
    ask({{"set",
          {{"number", client.number},
           {"interface", client.interface},
           {"link", client.link},
           {"servers", std::move(servers)},
           {"search", settings.search_domains},
           {"split", settings.split_domains}}}},
        naming(std::move(done)));
}

void Keeper::restore(std::uint32_t number, Done done) {
    ask({{"restore", number}}, naming(std::move(done)));
}

Keeper::Answered Keeper::naming(Done done) {
    return [done = std::move(done)](Result<ipc::Message> answer) mutable {
        if (!answer) return done(pass(answer));
        done(result_in(answer->json()));
    };
}

/// As many at a time as a message carries descriptors; the first failure is told.
void Keeper::mark(const std::vector<std::string>& names, std::uint32_t mark, Marked done) {
    const std::size_t count = std::min(names.size(), ipc::descriptor_limit);
    const std::vector<std::string> now(names.begin(), names.begin() + std::ptrdiff_t(count));
    std::vector<std::string> later(names.begin() + std::ptrdiff_t(count), names.end());
    ask({{"mark", {{"mark", mark}, {"names", now}}}}, [this, done = std::move(done),
                                                       later = std::move(later), count,
                                                       mark](Result<ipc::Message> answer) mutable {
        if (!answer) return done(pass(answer));
        if (auto refusal = refusal_in(answer->json()))
            return done(std::unexpected(std::move(*refusal)));
        if (answer->descriptors.size() != count)
            return done(
                std::unexpected(system_error(EPROTO, "recvmsg", "the keeper's answer is none")));
        if (later.empty()) return done(std::move(answer->descriptors));
        this->mark(later, mark,
                   [done = std::move(done),
                    first = std::move(answer->descriptors)](Result<std::vector<Fd>> rest) mutable {
                       if (!rest) return done(pass(rest));
                       std::ranges::move(*rest, std::back_inserter(first));
                       done(std::move(first));
                   });
    });
}

void Keeper::ask(Json question, Answered done) {
    const auto number = ++asked_ + (std::uint64_t{1} << 32);  // apart from those of `recover`
    auto& waiting = waiting_[number];
    waiting.done = std::move(done);
    question["ask"] = number;
    if (!channel_ || !channel_->send(question)) {
        loop_->post([this, number] { finish(number, std::unexpected(is_gone())); });
        return;
    }
    waiting.timer = loop_->at(Clock::now() + keeper_time_limit, [this, number] {
        finish(number, std::unexpected(
                           system_error(ETIMEDOUT, "poll", "the keeper has not answered in time")));
    });
    if (channel_->wants_write()) watch_.want(EPOLLIN | EPOLLOUT);
}

void Keeper::finish(std::uint64_t number, Result<ipc::Message> result) {
    auto found = waiting_.extract(number);
    // The late answer to a question that was given up.
    if (found.empty()) return;
    found.mapped().done(std::move(result));
}

void Keeper::on_ready() {
    bool is_alive = channel_->flush().has_value();
    while (is_alive) {
        auto message = channel_->receive();
        is_alive = message.has_value();
        if (!is_alive || !*message) break;
        const Json json = (*message)->json();
        const auto number = json.find("answer");
        if (number != json.end() && number->is_number_unsigned())
            finish(number->get<std::uint64_t>(), std::move(**message));
    }
    if (is_alive) return watch_.want(channel_->wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
    watch_.reset();
    channel_.reset();
    fail_all(is_gone());
    if (gone_) std::exchange(gone_, nullptr)();
}

void Keeper::fail_all(const Error& why) {
    auto waiting = std::exchange(waiting_, {});
    for (auto& [number, each] : waiting) each.done(std::unexpected(why));
}

}  // namespace causeway::service
