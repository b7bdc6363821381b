#include "causeway/gateway/auth_client.h"

#include "causeway/base/text.h"
#include "causeway/error/json.h"
#include "causeway/gateway/auth_process.h"
#include "causeway/gateway/auth_service.h"
#include "causeway/gateway/reasons.h"
#include "causeway/ipc/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace causeway::gateway {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr auto start_patience = 5s;
/// A process that owes answers and gives none for so long is taken for stuck.
constexpr auto answer_patience = 20s;
constexpr auto shortest_pause = 100ms;
constexpr auto longest_pause = 30s;
/// A process that lived so long earned a restart without a pause.
constexpr auto healthy_life = 10s;

/// A pipe that holds the password and nothing else. Fails with the errno.
std::expected<Fd, int> pipe_of(const Secret& password) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return std::unexpected(errno);
    Fd reading(ends[0]);
    const Fd writing(ends[1]);
    // Longer ones are nobody's: cut, they are refused like any other wrong password.
    const auto text = password.reveal().substr(0, AuthLimits::password);
    const auto written = write(writing.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size())) return std::unexpected(errno);
    return reading;
}

Error check_failed(Error why) {
    return refusal(Reason::password_check_failed).because(std::move(why));
}

/// One question to the process that has no answer yet.
struct Question {
    enum class Kind : std::uint8_t { password, look_up, users } kind;
    std::string subject;  ///< The user, or the file.
    AuthClient::Answered answered;
    std::move_only_function<void(Result<void>)> loaded;
};

Result<Account> account_of(const Question& question, const Json& json) {
    const std::string verdict = json.value("verdict", std::string());
    if (verdict == "locked")
        return std::unexpected(refusal(Reason::user_locked, {}, {{"user", question.subject}}));
    if (verdict == "refused")
        return std::unexpected(refusal(question.kind == Question::Kind::password
                                           ? Reason::wrong_password
                                           : Reason::certificate_user_unknown,
                                       {}, {{"user", question.subject}}));
    if (verdict != "accepted")
        return std::unexpected(check_failed(
            Error{Vpn::pluginFailed, "causeway-auth gave an answer that makes no sense"}));
    Account account{question.subject, {}};
    if (const auto groups = json.find("groups"); groups != json.end() && groups->is_array())
        for (const Json& group : *groups)
            if (group.is_string()) account.groups.push_back(group.get<std::string>());
    return account;
}

/// The failure in an answer, if there is one.
std::optional<Error> error_in(const Json& json) {
    const auto found = json.find("error");
    if (found == json.end()) return std::nullopt;
    auto error = error_from_text(found->dump());
    if (error) return std::move(*error);
    return Error{Vpn::pluginFailed, "causeway-auth sent a failure that cannot be read"}.because(
        std::move(error).error());
}

}  // namespace

struct AuthClient::State : std::enable_shared_from_this<State> {
    EventLoop& loop;
    AuthSettings settings;
    AuthProcess process;
    std::optional<ipc::Channel> channel;
    EventLoop::Watch watch;
    EventLoop::Timer restart_timer;
    EventLoop::Timer silence_timer;
    Fd users_file;  ///< As it was when it was read last: the right to open it may be gone by now.
    std::map<std::uint64_t, Question> questions;
    std::uint64_t last_number = 0;
    Instant started;
    Instant last_answer;
    std::chrono::milliseconds pause = shortest_pause;
    std::optional<Error> down_because;
    bool is_closed = false;
    std::atomic<std::size_t> deaths = 0;
    std::atomic<int> process_number = -1;

    State(EventLoop& in, AuthSettings with) : loop(in), settings(std::move(with)) {}

    Result<void> launch() {
        std::array<int, 2> ends{};
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
            return fail(Vpn::pluginFailed, "causeway-auth cannot be started",
                        system_error(errno, "socketpair"));
        Fd ours(ends[0]);
        auto child = AuthProcess::start(settings.program, Fd(ends[1]), settings.threads);
        if (!child) return pass(child);
        process = std::move(*child);
        process_number = process.number();
        channel.emplace(std::move(ours));
        started = last_answer = Clock::now();
        down_because.reset();
        watch = loop.watch(channel->fd(), EPOLLIN, [this](std::uint32_t) { readable(); });
        return {};
    }

    // ---- Questions

    void ask(Question question, Json body, std::vector<Fd> descriptors) {
        const std::uint64_t number = ++last_number;
        body["number"] = number;
        if (questions.empty()) last_answer = Clock::now();
        questions.emplace(number, std::move(question));
        auto sent = channel->send(body, std::move(descriptors));
        if (!sent) return died(std::move(sent).error());
        watch_writing();
        mind_silence();
    }

    void ask_users(const std::string& file, std::move_only_function<void(Result<void>)> loaded) {
        std::vector<Fd> descriptors;
        auto opening = settings.open(file);
        Fd opened = opening ? std::move(*opening) : Fd();
        if (!opened && opening.error() == EACCES && file == settings.users_file && users_file)
            opened = Fd(fcntl(users_file.get(), F_DUPFD_CLOEXEC, 3));
        if (opened) {
            users_file = Fd(fcntl(opened.get(), F_DUPFD_CLOEXEC, 3));
            descriptors.push_back(std::move(opened));
        }
        ask({Question::Kind::users, file, {}, std::move(loaded)}, {{"do", "users"}, {"file", file}},
            std::move(descriptors));
    }

    void ask_account(Question question, const Secret* password) {
        if (is_closed)
            return question.answered(std::unexpected(check_failed(
                Error{Vpn::pluginFailed, "the gateway ends and checks no passwords any more"})));
        if (!channel) return question.answered(std::unexpected(check_failed(*down_because)));
        if (questions.size() >= settings.queue)
            return question.answered(
                std::unexpected(refusal(Reason::password_checks_busy, {},
                                        {{"waiting", std::to_string(questions.size())}})));
        Json body{{"do", password ? "check" : "look-up"}, {"user", question.subject}};
        std::vector<Fd> descriptors;
        if (password) {
            auto pipe = pipe_of(*password);
            if (!pipe)
                return question.answered(
                    std::unexpected(check_failed(system_error(pipe.error(), "pipe2"))));
            descriptors.push_back(std::move(*pipe));
        }
        ask(std::move(question), std::move(body), std::move(descriptors));
    }

    // ---- Answers

    void readable() {
        if (!channel) return;
        if (auto written = channel->flush(); !written) return died(std::move(written).error());
        while (channel) {
            auto message = channel->receive();
            if (!message) return died(std::move(message).error());
            if (!*message) break;
            answered(**message);
        }
        if (channel) watch_writing();
    }

    void watch_writing() { watch.want(channel->wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN); }

    void answered(ipc::Message& message) {
        const Json json = message.json();
        const auto numbered = json.find("number");
        const std::uint64_t number = numbered != json.end() && numbered->is_number_unsigned()
                                         ? numbered->get<std::uint64_t>()
                                         : 0;
        last_answer = Clock::now();
        if (number == 0) {
            // Said before it ends: it could not lock itself in.
            if (auto error = error_in(json)) down_because = std::move(error);
            return;
        }
        auto found = questions.extract(number);
        if (found.empty()) return;
        Question question = std::move(found.mapped());
        mind_silence();
        auto error = error_in(json);
        if (question.kind == Question::Kind::users)
            return users_answered(std::move(question), std::move(error), message);
        if (error) return question.answered(std::unexpected(check_failed(std::move(*error))));
        question.answered(account_of(question, json));
    }

    void users_answered(Question question, std::optional<Error> error, ipc::Message& message) {
        if (!error) {
            settings.users_file = question.subject;
            if (!message.descriptors.empty()) users_file = std::move(message.descriptors.front());
        }
        if (!question.loaded) return;
        if (error) return question.loaded(std::unexpected(std::move(*error)));
        question.loaded({});
    }

    // ---- Life and death

    void mind_silence() {
        silence_timer.reset();
        if (questions.empty()) return;
        silence_timer = loop.at(last_answer + answer_patience, [this] {
            if (Clock::now() < last_answer + answer_patience) return mind_silence();
            process.kill();
            died(Error{Vpn::pluginFailed, "causeway-auth stopped answering"}.with(
                "silent_for", spoken(answer_patience)));
        });
    }

    /// The process is gone, or useless: everybody who waits is told, then it is started again.
    void died(Error channel_error) {
        watch.reset();
        silence_timer.reset();
        channel.reset();
        process_number = -1;
        ++deaths;
        Error why{Vpn::pluginFailed, "causeway-auth, which checks passwords, died"};
        Error below = process ? process.ending() : std::move(channel_error);
        if (down_because) below = std::move(*down_because);
        down_because = std::move(why).because(std::move(below));
        if (Clock::now() - started >= healthy_life) pause = shortest_pause;
        answer_all(*down_because);
        if (is_closed) return;
        restart_timer = loop.at(Clock::now() + pause, [this] { restart(); });
        pause = std::min<std::chrono::milliseconds>(2 * pause, longest_pause);
    }

    void answer_all(const Error& why) {
        // Answers may lead to new questions: those find that there is no channel.
        for (auto& [number, question] : std::exchange(questions, {})) {
            if (question.answered) question.answered(std::unexpected(check_failed(why)));
            if (question.loaded) question.loaded(std::unexpected(why));
        }
    }

    void restart() {
        if (auto launched = launch(); !launched) {
            down_because = std::move(launched).error();
            restart_timer = loop.at(Clock::now() + pause, [this] { restart(); });
            pause = std::min<std::chrono::milliseconds>(2 * pause, longest_pause);
            return;
        }
        ask_users(settings.users_file, {});
    }

    void close() {
        is_closed = true;
        restart_timer.reset();
        silence_timer.reset();
        watch.reset();
        channel.reset();
        process.kill();
        process_number = -1;
        answer_all(Error{Vpn::pluginFailed, "the gateway ends and checks no passwords any more"});
    }
};

AuthClient::AuthClient(EventLoop& loop, AuthSettings settings)
    : state_(std::make_shared<State>(loop, std::move(settings))) {}

AuthClient::~AuthClient() { state_->close(); }

Result<void> AuthClient::start() {
    if (auto launched = state_->launch(); !launched) return launched;
    std::optional<Result<void>> outcome;
    state_->ask_users(state_->settings.users_file,
                      [&](Result<void> loaded) { outcome = std::move(loaded); });
    const Instant patience_ends = Clock::now() + start_patience;
    while (!outcome && Clock::now() < patience_ends) {
        pollfd waiting{state_->channel->fd(), POLLIN, 0};
        poll(&waiting, 1, 50);
        state_->readable();
    }
    if (outcome && *outcome) return {};
    const bool is_silent = !outcome;
    state_->close();
    if (is_silent)
        return fail(Vpn::pluginFailed, "causeway-auth did not become ready",
                    {{"waited", spoken(start_patience)}});
    return std::move(*outcome);
}

void AuthClient::check_password(std::string user, Secret password, Answered answered) {
    state_->loop.post(
        [state = state_, password = std::move(password),
         question = Question{
             Question::Kind::password, std::move(user), std::move(answered), {}}]() mutable {
            state->ask_account(std::move(question), &password);
        });
}

void AuthClient::look_up(std::string user, Answered answered) {
    state_->loop.post(
        [state = state_,
         question = Question{
             Question::Kind::look_up, std::move(user), std::move(answered), {}}]() mutable {
            state->ask_account(std::move(question), nullptr);
        });
}

void AuthClient::reload(std::string users_file, std::move_only_function<void(Result<void>)> done) {
    if (!state_->channel) return done(std::unexpected(*state_->down_because));
    state_->ask_users(users_file, std::move(done));
}

std::size_t AuthClient::deaths() const { return state_->deaths; }
int AuthClient::process() const { return state_->process_number; }

}  // namespace causeway::gateway
