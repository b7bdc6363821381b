#include "causeway/gateway/auth_service.h"

#include "causeway/base/event_loop.h"
#include "causeway/base/text.h"
#include "causeway/error/json.h"
#include "causeway/gateway/password.h"
#include "causeway/gateway/users.h"
#include "causeway/ipc/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace causeway::gateway {
namespace {

using Json = nlohmann::json;

struct Job {
    std::uint64_t number = 0;
    std::string user;
    Secret password;
    std::shared_ptr<const Users> users;  ///< As they were when the check was asked for.
};

/// A few threads that compute hashes, one each at a time, in the order of arrival.
class HashThreads {
public:
    using Checked = std::function<void(std::uint64_t number, const std::shared_ptr<const Users>&,
                                       const std::string& user, Result<PasswordVerdict>)>;

    /// `checked` is called in one of the threads.
    HashThreads(std::size_t count, const PasswordChecker& checker, Checked checked)
        : checker_(checker), checked_(std::move(checked)) {
        for (std::size_t i = 0; i < count; ++i)
            threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }

    /// False when too many wait.
    bool add(Job job) {
        const std::lock_guard lock(mutex_);
        if (jobs_.size() >= AuthLimits::waiting) return false;
        jobs_.push_back(std::move(job));
        arrived_.notify_one();
        return true;
    }

private:
    void work(const std::stop_token& stop) {
        while (auto job = next(stop))
            checked_(job->number, job->users, job->user,
                     checker_.check(job->users->find(job->user), job->password));
    }

    std::optional<Job> next(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        if (!arrived_.wait(lock, stop, [&] { return !jobs_.empty(); })) return std::nullopt;
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        return job;
    }

    const PasswordChecker& checker_;
    Checked checked_;
    std::mutex mutex_;
    std::condition_variable_any arrived_;
    std::deque<Job> jobs_;
    std::vector<std::jthread> threads_;  // last: they end before what they use does
};

/// What a descriptor holds, from its beginning where it has one. Fails with the errno; EFBIG.
std::expected<Secret, int> read_descriptor(int fd, std::size_t limit) {
    std::string text;
    std::array<char, 16384> buffer;
    while (true) {
        auto count = pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
        if (count < 0 && errno == ESPIPE) count = read(fd, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::unexpected(errno);
        if (count == 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (text.size() > limit) return std::unexpected(EFBIG);
    }
    explicit_bzero(buffer.data(), buffer.size());
    return Secret(std::move(text));
}

std::string text_member(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_member(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

Json failed(std::uint64_t number, const Error& error) {
    return {{"number", number}, {"error", Json::parse(json_text(error))}};
}

std::string_view verdict_name(PasswordVerdict verdict) {
    switch (verdict) {
        case PasswordVerdict::accepted: return "accepted";
        case PasswordVerdict::locked: return "locked";
        case PasswordVerdict::refused: return "refused";
    }
    return "refused";
}

Json verdict(std::uint64_t number, PasswordVerdict found, const User* user) {
    Json answer{{"number", number}, {"verdict", verdict_name(found)}};
    if (user && found == PasswordVerdict::accepted) answer["groups"] = user->groups;
    return answer;
}

class Service {
public:
    Service(Fd socket, const PasswordChecker& checker, std::size_t threads)
        : channel_(std::move(socket)),
          threads_(threads, checker,
                   [this](std::uint64_t number, const std::shared_ptr<const Users>& users,
                          const std::string& user, Result<PasswordVerdict> found) {
                       checked(number, users, user, std::move(found));
                   }) {}

    Result<void> run(const std::function<Result<void>()>& before_service) {
        if (auto ready = before_service(); !ready) {
            send(failed(0, ready.error()));
            return ready;
        }
        watch_ = loop_.watch(channel_.fd(), EPOLLIN, [this](std::uint32_t) { readable(); });
        loop_.run();
        if (failure_) return std::unexpected(*failure_);
        return {};
    }

private:
    void checked(std::uint64_t number, const std::shared_ptr<const Users>& users,
                 const std::string& user, Result<PasswordVerdict> found) {
        Json answer =
            found ? verdict(number, *found, users->find(user)) : failed(number, found.error());
        loop_.post([this, answer = std::move(answer)] { send(answer); });
    }

    void readable() {
        if (auto written = channel_.flush(); !written) return end(std::move(written).error());
        while (true) {
            auto message = channel_.receive();
            if (!message) return end(std::move(message).error());
            if (!*message) break;
            handle(**message);
        }
        watch_.want(channel_.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }

    void send(const Json& answer, std::vector<Fd> descriptors = {}) {
        if (auto sent = channel_.send(answer, std::move(descriptors)); !sent)
            return end(std::move(sent).error());
        if (watch_) watch_.want(channel_.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }

    void end(Error error) {
        if (!channel_.is_closed())
            failure_ = Error{Vpn::pluginFailed, "the channel to the gateway broke"}.because(
                std::move(error));
        watch_.reset();
        loop_.stop();
    }

    void handle(ipc::Message& message) {
        const Json json = message.json();
        const std::string what = text_member(json, "do");
        const std::uint64_t number = number_member(json, "number");
        if (what == "users")
            load_users(number, text_member(json, "file"), std::move(message.descriptors));
        else if (what == "check")
            check(number, text_member(json, "user"), std::move(message.descriptors));
        else if (what == "look-up")
            look_up(number, text_member(json, "user"));
        else
            send(failed(number, Error{Vpn::pluginFailed, fmt::format("causeway-auth has no \"{}\"",
                                                                     printable(what))}));
    }

    void load_users(std::uint64_t number, const std::string& file, std::vector<Fd> descriptors) {
        const bool is_opened_here = descriptors.empty();
        Fd fd = is_opened_here ? Fd(open(file.c_str(), O_RDONLY | O_CLOEXEC))
                               : std::move(descriptors.front());
        const auto unreadable = [&](int error_number, const char* call) {
            return Error{Vpn::configurationFailed,
                         fmt::format("the users file {} cannot be read", printable(file))}
                .because(system_error(error_number, call).with("file", file));
        };
        if (!fd) return send(failed(number, remembered(unreadable(errno, "open"))));
        const auto text = read_descriptor(fd.get(), AuthLimits::users_file);
        if (!text) return send(failed(number, remembered(unreadable(text.error(), "read"))));
        auto users = Users::parse(text->reveal(), file);
        if (!users) return send(failed(number, remembered(std::move(users).error())));

        users_ = std::make_shared<const Users>(std::move(*users));
        std::vector<Fd> opened;
        if (is_opened_here) opened.push_back(std::move(fd));
        send({{"number", number}, {"users", users_->size()}}, std::move(opened));
    }

    /// Why there are no users, for those who ask before there are any.
    const Error& remembered(Error why) {
        no_users_ = std::move(why);
        return no_users_;
    }

    void check(std::uint64_t number, std::string user, std::vector<Fd> descriptors) {
        if (!users_) return send(failed(number, no_users_));
        if (descriptors.empty())
            return send(failed(number, Error{Vpn::pluginFailed, "no password came with a check"}));
        auto password = read_descriptor(descriptors.front().get(), AuthLimits::password);
        if (!password)
            return send(
                failed(number, Error{Vpn::pluginFailed, "a password could not be read"}.because(
                                   system_error(password.error(), "read"))));
        Job job{number, std::move(user), std::move(*password), users_};
        if (!threads_.add(std::move(job)))
            send(failed(number, Error{Vpn::pluginFailed, "too many password checks wait"}));
    }

    void look_up(std::uint64_t number, const std::string& name) {
        if (!users_) return send(failed(number, no_users_));
        const User* user = users_->find(name);
        const auto found = !user          ? PasswordVerdict::refused
                           : user->locked ? PasswordVerdict::locked
                                          : PasswordVerdict::accepted;
        send(verdict(number, found, user));
    }

    EventLoop loop_;
    ipc::Channel channel_;
    EventLoop::Watch watch_;
    std::shared_ptr<const Users> users_;
    Error no_users_{Vpn::pluginFailed, "causeway-auth was given no users file yet"};
    std::optional<Error> failure_;
    HashThreads threads_;  // last: it uses the loop
};

}  // namespace

Result<void> serve_authentication(Fd socket, std::size_t threads,
                                  const std::function<Result<void>()>& before_service) {
    auto checker = PasswordChecker::create();
    if (!checker) return pass(checker);
    Service service(std::move(socket), *checker,
                    std::clamp<std::size_t>(threads, 1, AuthLimits::threads));
    return service.run(before_service);
}

}  // namespace causeway::gateway
