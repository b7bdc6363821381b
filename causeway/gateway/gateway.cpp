#include "causeway/gateway/gateway.h"

#include "causeway/base/text.h"
#include "causeway/error/report.h"
#include "causeway/gateway/limits.h"
#include "causeway/gateway/reasons.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

/// causeway-auth lies beside this program.
std::string auth_program() {
    std::error_code failure;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
    return (failure ? std::filesystem::path("causeway-auth") : self.parent_path() / "causeway-auth")
        .string();
}

Party party_of(const Session& session) {
    return {session.client, session.user, session.group_name, session.number};
}

std::unexpected<Error> no_such(std::string_view what, const std::string& name) {
    return fail(Service::PARAMETER_ERROR, fmt::format("there is no {} {}", what, printable(name)));
}

/// Counts down the shards that have to answer, then goes on in the main thread with what they said.
struct Gathering {
    std::size_t missing;
    std::vector<Shard::Report> reports;
    std::move_only_function<void(std::vector<Shard::Report>)> done;
};

}  // namespace

Gateway::Gateway(std::shared_ptr<const Serving> serving, Opened opened)
    : files_(std::move(opened.files)),
      registry_(std::move(serving), std::move(opened.log)),
      logins_(waiting_login_limit),
      listening_(std::move(opened.listeners)),
      datagram_sockets_(std::move(opened.datagram_sockets)),
      control_(loop_, std::move(opened.control_socket), *this,
               registry_.serving()->config->datagram.crypto),
      being_told_(std::make_shared<std::atomic<std::size_t>>(0)) {
    const auto config = registry_.serving()->config;
    if (!config->authentication.users_file.empty())
        auth_.emplace(loop_,
                      AuthSettings{auth_program(), config->authentication.users_file,
                                   config->authentication.threads, config->authentication.queue});
    for (auto& lanes : opened.tunnel.lanes)
        shards_.push_back(std::make_unique<Shard>(Shard::Parts{
            .index = shards_.size(),
            .registry = registry_,
            .logins = logins_,
            .auth = auth_ ? &*auth_ : nullptr,
            .datagrams = datagrams_,
            .crypto = config->datagram.crypto,
            .tunnel = std::move(lanes),
            .device_failed =
                [this](const Error& error) { loop_.post([this, error] { device_failed(error); }); },
        }));
    std::vector<Shard*> all;
    for (const auto& shard : shards_) all.push_back(shard.get());
    for (const auto& shard : shards_) shard->know(all);
}

// Shards call into everything else, so their threads end first. causeway-auth's client then answers
// what was asked of it, to shards that are still there.
Gateway::~Gateway() {
    for (const auto& shard : shards_) shard->stop();
    auth_.reset();
    shards_.clear();
}

Result<void> Gateway::start_datagrams() {
    for (std::size_t i = 0; i < datagram_sockets_.size(); ++i)
        for (auto& socket : datagram_sockets_[i])
            if (auto added = shards_[i]->add_datagram_socket(std::move(socket)); !added)
                return fail(Vpn::configurationFailed, "the gateway cannot take datagrams",
                            std::move(added).error());
    datagram_sockets_.clear();
    return {};
}

Result<void> Gateway::start_authentication() {
    if (!auth_) return {};
    users_stamp_ = FileStamp::of(registry_.serving()->config->authentication.users_file);
    return auth_->start();
}

Result<void> Gateway::run(std::move_only_function<void()> ready) {
    watch_signals();
    for (const auto& shard : shards_) shard->start();
    listen();
    watch_sessions();
    ready();
    loop_.run();
    if (failure_) return std::unexpected(*failure_);
    return {};
}

void Gateway::watch_signals() {
    signals_.push_back(loop_.on_signal(SIGTERM, [this] { on_terminate(); }));
    signals_.push_back(loop_.on_signal(SIGINT, [this] { on_terminate(); }));
    signals_.push_back(loop_.on_signal(SIGHUP, [this] { on_hangup(); }));
}

// ---- Arrivals ----------------------------------------------------------------------------------

void Gateway::listen() {
    for (auto& socket : listening_)
        listeners_.push_back(std::make_unique<Listener>(
            loop_, std::move(socket), [this](Arrival arrival) { take(std::move(arrival)); },
            [this](const Error& error) {
                registry_.log().record(refusal(Reason::internal_failure).because(error),
                                       Phase::connect, {});
            }));
    listening_.clear();
}

void Gateway::take(Arrival arrival) {
    notice_changed_users();
    const auto now = Clock::now();
    const auto from = arrival.client;
    std::optional<Unwelcome> refused;
    if (const auto welcome = registry_.not_banned(from.address, now); !welcome) {
        refused = unwelcome(welcome.error());
        if (!refused) return;
    }
    if (const auto opened = registry_.connection_opened(from.address); !opened) {
        registry_.record(opened.error(), Phase::connect, {from, {}, {}, 0}, now);
        return;
    }
    least_loaded().adopt(std::move(arrival), registry_.serving(), std::move(refused));
}

std::optional<Unwelcome> Gateway::unwelcome(const Error& ban) {
    if (*being_told_ >= banned_told_limit) return std::nullopt;
    ++*being_told_;
    return Unwelcome{ban,
                     std::shared_ptr<void>(nullptr, [count = being_told_](void*) { --*count; })};
}

Shard& Gateway::least_loaded() {
    return **std::ranges::min_element(shards_, {}, [](const auto& shard) { return shard->load(); });
}

// ---- Ends --------------------------------------------------------------------------------------

void Gateway::watch_sessions() {
    // Timeouts are told in whole seconds, so looking once a second is enough for all of them.
    sessions_due_ = loop_.at(Clock::now() + std::chrono::seconds(1), [this] {
        end_due_sessions();
        watch_sessions();
    });
}

void Gateway::end_due_sessions() {
    for (const auto& [session, why] : registry_.advance(Clock::now()))
        end_session(session, why, [] {});
}

void Gateway::end_session(const Session& ended, Reason why, std::move_only_function<void()> done) {
    const auto told =
        registry_.record(refusal(why), Phase::disconnect, party_of(ended), Clock::now());
    if (!ended.transport) return done();
    shards_[ended.transport->shard]->tell_and_close(
        ended.transport->connection, why, told,
        [this, done = std::move(done)]() mutable { loop_.post(std::move(done)); });
}

void Gateway::on_terminate() {
    if (is_ending_) return;
    is_ending_ = true;
    listeners_.clear();
    give_up_ = loop_.at(Clock::now() + shutdown_time_limit, [this] { loop_.stop(); });
    shards_to_empty_ = shards_.size();
    for (const auto& shard : shards_)
        shard->end_all(Reason::shutdown, [this] { loop_.post([this] { shard_is_empty(); }); });
}

void Gateway::shard_is_empty() {
    if (--shards_to_empty_ > 0) return;
    // Those without a connection: nobody to tell, but it belongs into the record.
    for (const Session& session : registry_.sessions())
        if (registry_.end(session.number, Reason::shutdown, Clock::now()))
            registry_.log().record(refusal(Reason::shutdown), Phase::disconnect, party_of(session));
    loop_.stop();
}

void Gateway::device_failed(Error error) {
    if (failure_) return;
    failure_ = Error{Vpn::configurationFailed, "the gateway's tunnel interface failed"}.because(
        std::move(error));
    on_terminate();
}

// ---- Reload ------------------------------------------------------------------------------------

/// The keeper where there is one: this process has no right to most of the files any more.
FileOpener Gateway::opener() {
    return [this](const std::string& path) -> std::expected<Fd, int> {
        return files_ ? files_->open(path) : open_for_reading(path);
    };
}

void Gateway::on_hangup() {
    if (is_ending_) return;
    const auto running = registry_.serving();
    const std::string& path = running->config->path;
    const auto text = read_opened(opener(), path, config_size_limit);
    if (!text)
        return reload_is_done(fail(Vpn::configurationFailed, fmt::format("cannot read {}", path),
                                   system_error(text.error(), "open")));
    auto config = parse_config(*text, path);
    if (!config) return reload_is_done(pass(config));
    if (auto possible = check_reloadable(*running->config, *config); !possible)
        return reload_is_done(possible);
    auto serving = make_serving(std::move(*config), wall_now(), opener());
    if (!serving) return reload_is_done(pass(serving));
    auto reopened = registry_.log().reopen();
    if (!reopened) return reload_is_done(reopened);
    if (!auth_ || (*serving)->config->authentication.users_file.empty()) {
        registry_.change(std::move(*serving));
        return reload_is_done({});
    }
    // All or nothing: the new rules hold once the new users are there too.
    const std::string users_file = (*serving)->config->authentication.users_file;
    users_stamp_ = FileStamp::of(users_file);
    auth_->reload(users_file, [this, wanted = std::move(*serving)](Result<void> outcome) {
        if (outcome) registry_.change(wanted);
        reload_is_done(outcome);
    });
}

/// `causeway-gateway user lock` takes effect for the next client, without a signal. The checks of
/// that client are asked for after the file, and causeway-auth keeps the order.
void Gateway::notice_changed_users() {
    if (!auth_) return;
    const std::string users_file = registry_.serving()->config->authentication.users_file;
    const auto stamp = FileStamp::of(users_file);
    if (!stamp || stamp == users_stamp_) return;
    users_stamp_ = stamp;
    auth_->reload(users_file, [this](const Result<void>& outcome) {
        if (!outcome) return reload_is_done(outcome);
        registry_.log().note("users-reloaded", {});
    });
}

void Gateway::reload_is_done(const Result<void>& outcome) {
    if (!outcome) {
        const Error refused = Error{Vpn::configurationFailed,
                                    "the reload was refused and the gateway goes on as before"}
                                  .because(outcome.error());
        registry_.log().record(refused, Phase::profile, {});
        return fmt::print(stderr, "causeway-gateway: reload refused: {}\n",
                          sentence(outcome.error()));
    }
    registry_.log().note("reloaded", {});
    for (const auto& warning : registry_.serving()->warnings)
        registry_.log().note("warning", {}, {{"text", warning}});
}

// ---- Operations --------------------------------------------------------------------------------

void Gateway::look_at_shards(std::move_only_function<void(std::vector<Shard::Report>)> done) {
    auto gathering = std::make_shared<Gathering>();
    gathering->missing = shards_.size();
    gathering->reports.resize(shards_.size());
    gathering->done = std::move(done);
    for (std::size_t i = 0; i < shards_.size(); ++i)
        shards_[i]->look([this, gathering, i](Shard::Report report) {
            loop_.post([gathering, i, report = std::move(report)]() mutable {
                gathering->reports[i] = std::move(report);
                if (--gathering->missing == 0) gathering->done(std::move(gathering->reports));
            });
        });
}

void Gateway::list_sessions(std::move_only_function<void(std::vector<SessionView>)> done) {
    look_at_shards([this, done = std::move(done)](std::vector<Shard::Report> reports) mutable {
        std::map<SessionNumber, Shard::LiveSession> live;
        for (auto& report : reports)
            for (auto& session : report.sessions) live.emplace(session.session, session);
        std::vector<SessionView> views;
        for (auto& session : registry_.sessions()) {
            auto& view = views.emplace_back(SessionView{std::move(session), std::nullopt});
            const auto found = live.find(view.session.number);
            if (found == live.end()) continue;
            view.session.traffic += found->second.traffic;
            view.live = found->second;
        }
        done(std::move(views));
    });
}

std::vector<Ban> Gateway::list_bans() { return registry_.bans(Clock::now()); }

void Gateway::disconnect(const std::string& whom,
                         std::move_only_function<void(Result<std::vector<SessionNumber>>)> done) {
    constexpr std::string_view by_user = "user:";
    std::vector<SessionNumber> numbers;
    if (whom.starts_with(by_user)) {
        numbers = registry_.sessions_of_user(std::string_view(whom).substr(by_user.size()));
        if (numbers.empty()) return done(no_such("session of user", whom.substr(by_user.size())));
    } else {
        const auto number = parse_number<SessionNumber>(whom, 1, ~SessionNumber{0});
        if (!number || !registry_.session(*number)) return done(no_such("session", whom));
        numbers.push_back(*number);
    }

    std::vector<Session> ended;
    for (const auto number : numbers)
        if (auto session = registry_.end(number, Reason::administrator, Clock::now()))
            ended.push_back(std::move(*session));
    auto missing = std::make_shared<std::size_t>(ended.size() + 1);
    auto all_done = std::make_shared<decltype(done)>(std::move(done));
    auto one_done = [missing, all_done, numbers] {
        if (--*missing == 0) (*all_done)(numbers);
    };
    for (const auto& session : ended) end_session(session, Reason::administrator, one_done);
    one_done();
}

Result<void> Gateway::unban(const std::string& text) {
    const auto address = IpAddress::parse(text);
    if (!address)
        return fail(Service::PARAMETER_ERROR,
                    fmt::format("\"{}\" is not an IPv4 or IPv6 address", printable(text)));
    if (!registry_.unban(*address, Clock::now())) return no_such("ban of", text);
    registry_.log().note("unbanned", {}, {{"from", address->text()}});
    return {};
}

Result<std::string> Gateway::incident(const std::string& id) {
    auto line = registry_.log().find(id);
    if (!line) return no_such("incident", id);
    return std::move(*line);
}

}  // namespace causeway::gateway
