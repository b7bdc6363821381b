// Brings up many clients at once and says how that went.
//
//     load_driver GATEWAY:PORT --ping ADDRESS --pin PIN
//                 (--user NAME --password-file FILE | --certificate FILE --key FILE)
//                 [--clients 300] [--at-once 32] [--rounds 3] [--hold SECONDS] [--timeout 120]
//                 [--traffic ADDRESS:PORT --own ADDRESS]
//
// One line of JSON: clients, up, failed (each failure with its count), seconds until all were up,
// sessions a second, and the round trips of further pings while all are up. Exit status 0 when all
// came up and every ping was answered, 70 otherwise.
//
// --traffic: load_peer's address and port in the tunnel. Each client then opens a datagram channel,
// the first from the address --own and the others from those behind it, a further line says how
// many of them carry, and each line of standard input is an order (see Order::parse) that is
// answered with a line of JSON. The end of standard input takes the place of --hold.

#include "causeway/base/event_loop.h"
#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/error/report.h"
#include "tests/load/load_client.h"
#include "tests/load/load_traffic.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace causeway::load {
namespace {

struct Options {
    std::string gateway;
    std::string server_name = "vpn.test";
    std::string ping;
    std::string user = "alice";
    std::string password_file;
    std::string certificate;
    std::string key;
    std::string pin;
    std::string version;
    std::size_t clients = 300;
    std::size_t at_once = 32;
    std::size_t rounds = 3;
    int hold = 0;
    int timeout = 120;
    std::string traffic;
    std::string own;
};

double seconds(Clock::duration length) { return std::chrono::duration<double>(length).count(); }

/// Starts clients, a few at a time, then lets all ping a few rounds, then ends them.
class Driver {
public:
    Driver(const Options& options, LoadSettings settings)
        : options_(options), settings_(std::move(settings)) {}

    /// Before `run`.
    Result<void> prepare_traffic(Traffic::Settings settings) {
        auto opened = Traffic::open(loop_, std::move(settings));
        if (!opened) return pass(opened);
        traffic_ = std::move(*opened);
        return {};
    }

    int run() {
        started_ = Clock::now();
        for (std::size_t i = 0; i < options_.clients; ++i)
            clients_.push_back(std::make_unique<LoadClient>(
                loop_, settings_, [this](LoadClient& client) { on_up(client); },
                [this](LoadClient& client) { on_ended(client); }));
        for (std::size_t i = 0; i < std::min(options_.at_once, clients_.size()); ++i) start_next();
        limit_ = loop_.at(started_ + std::chrono::seconds(options_.timeout), [this] {
            if (traffic_ && up_ > 0) return begin_traffic();
            loop_.stop();
        });
        loop_.run();
        return report();
    }

private:
    void start_next() {
        if (next_ < clients_.size()) clients_[next_++]->start();
    }

    void on_up(LoadClient& client) {
        if (has_traffic_) return;  // too late
        if (round_ > 0) {
            round_trips_.push_back(seconds(client.round_trip()));
            if (--answers_missing_ == 0) end_of_round();
            return;
        }
        ++up_;
        start_next();
        end_of_start();
    }

    void on_ended(const LoadClient& client) {
        if (has_traffic_) return;  // its channel says so
        ++failures_[client.failure() ? sentence(*client.failure()) : "told to go"];
        ++failed_;
        if (round_ > 0) return loop_.stop();
        // Not from inside the client's own event.
        loop_.post([this] {
            start_next();
            end_of_start();
        });
    }

    void end_of_start() {
        if (round_ > 0 || up_ + failed_ < clients_.size()) return;
        all_up_ = Clock::now();
        end_of_round();
    }

    void end_of_round() {
        if (round_++ >= options_.rounds || up_ == 0) {
            if (traffic_ && up_ > 0) return begin_traffic();
            hold_ = loop_.at(Clock::now() + std::chrono::seconds(options_.hold),
                             [this] { loop_.stop(); });
            return;
        }
        answers_missing_ = up_;
        loop_.post([this] {
            for (const auto& client : clients_)
                if (client->step() == Step::up) client->ping_again();
        });
    }

    // Traffic

    /// With those that are up.
    void begin_traffic() {
        has_traffic_ = true;
        limit_.reset();
        print_report();
        std::size_t opened = 0;
        for (const auto& client : clients_) {
            if (client->step() != Step::up) continue;
            if (const auto added = traffic_->add(*client); !added) {
                fmt::print(stderr, "load_driver: {}\n", sentence(added.error()));
                continue;
            }
            ++opened;
        }
        traffic_->when_settled(opened, [this] {
            const auto failure = traffic_->failure();
            if (failure) fmt::print(stderr, "load_driver: {}\n", sentence(*failure));
            say(fmt::format("{{\"carrying\":{}}}", traffic_->carrying()));
            orders_ = loop_.watch(STDIN_FILENO, EPOLLIN, [this](auto) { read_orders(); });
        });
    }

    void read_orders() {
        std::array<char, 4096> buffer;
        const auto size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (size <= 0) return loop_.stop();
        given_.append(buffer.data(), static_cast<std::size_t>(size));
        next_order();
    }

    /// One at a time, in their order.
    void next_order() {
        const auto end = given_.find('\n');
        if (end == std::string::npos || is_measuring_) return;
        const auto order = Order::parse(std::string_view(given_).substr(0, end));
        given_.erase(0, end + 1);
        if (!order) {
            fmt::print(stderr, "load_driver: this is no order\n");
            return loop_.stop();
        }
        is_measuring_ = true;
        traffic_->measure(*order, [this](const std::string& line) {
            is_measuring_ = false;
            say(line);
            next_order();
        });
    }

    static void say(const std::string& line) {
        fmt::print("{}\n", line);
        std::fflush(stdout);
    }

    int report() {
        if (!traffic_ || up_ == 0) print_report();
        for (const auto& client : clients_) client->stop();
        const bool all = up_ == clients_.size() && round_trips_.size() == up_ * options_.rounds;
        return all ? 0 : 70;
    }

    void print_report() {
        std::string failures;
        for (const auto& [text, count] : failures_) {
            std::string words = text;
            std::ranges::replace(words, '"', '\'');
            std::ranges::replace(words, '\\', '/');
            failures += fmt::format("{}\"{}\":{}", failures.empty() ? "" : ",", words, count);
        }
        std::ranges::sort(round_trips_);
        const double took =
            seconds((up_ + failed_ < clients_.size() ? Clock::now() : all_up_) - started_);
        const auto quantile = [this](double part) {
            if (round_trips_.empty()) return 0.0;
            const auto at = part * static_cast<double>(round_trips_.size() - 1);
            return round_trips_[static_cast<std::size_t>(at)] * 1000;
        };
        fmt::print(
            "{{\"clients\":{},\"up\":{},\"failed\":{},\"failures\":{{{}}},\"seconds\":{:.3f},"
            "\"sessions_per_second\":{:.1f},\"pings\":{},\"ping_ms_median\":{:.3f},"
            "\"ping_ms_p99\":{:.3f}}}\n",
            clients_.size(), up_, failed_, failures, took, static_cast<double>(up_) / took,
            round_trips_.size(), quantile(0.5), quantile(0.99));
        std::fflush(stdout);
    }

    const Options& options_;
    LoadSettings settings_;
    EventLoop loop_;
    std::vector<std::unique_ptr<LoadClient>> clients_;
    std::size_t next_ = 0;
    std::size_t up_ = 0;
    std::size_t failed_ = 0;
    std::size_t round_ = 0;
    std::size_t answers_missing_ = 0;
    std::map<std::string, std::size_t> failures_;
    std::vector<double> round_trips_;
    EventLoop::Timer hold_;
    EventLoop::Timer limit_;
    std::unique_ptr<Traffic> traffic_;
    EventLoop::Watch orders_;
    std::string given_;
    bool has_traffic_ = false;
    bool is_measuring_ = false;
    Instant started_;
    Instant all_up_;
};

Result<std::string> read(const std::string& path) {
    auto text = read_file(path);
    if (text) return std::move(*text);
    return fail(Vpn::configurationFailed, fmt::format("{} cannot be read", path),
                system_error(text.error(), "open"));
}

Result<LoadSettings> settings_of(const Options& options) {
    LoadSettings settings;
    const auto gateway = Endpoint::parse(options.gateway);
    const auto ping = IpAddress::parse(options.ping);
    if (!gateway || !ping)
        return fail(Vpn::configurationFailed, "GATEWAY:PORT and --ping take IP addresses");
    settings.gateway = *gateway;
    settings.ping = *ping;
    settings.datagrams = !options.traffic.empty();
    settings.server_name = options.server_name;
    if (!options.password_file.empty()) {
        auto password = read(options.password_file);
        if (!password) return pass(password);
        settings.answers.emplace("username", Secret(options.user));
        settings.answers.emplace("password", Secret(std::string(trim(*password))));
    }

    tls::ClientSettings client;
    if (!options.certificate.empty()) {
        auto certificate = read(options.certificate);
        if (!certificate) return pass(certificate);
        auto key = read(options.key);
        if (!key) return pass(key);
        auto identity = tls::Identity::from_pem(*certificate, Secret(std::move(*key)));
        if (!identity) return pass(identity);
        client.identity = std::move(*identity);
    }
    auto pin = tls::Pin::parse(options.pin);
    if (!pin) return pass(pin);
    client.trust.pins.push_back(*pin);
    client.handshake_limit = std::chrono::seconds(options.timeout);
    if (!options.version.empty()) {
        const auto version = tls::parse_version(options.version);
        if (!version) return fail(Vpn::configurationFailed, "--tls takes 1.2 or 1.3");
        client.policy.maximum_version = *version;
    }
    auto context = tls::Context::client(std::move(client));
    if (!context) return pass(context);
    settings.context = std::move(*context);
    return settings;
}

/// Nothing when none is wanted.
Result<std::optional<Traffic::Settings>> traffic_of(const Options& options,
                                                    const LoadSettings& settings) {
    if (options.traffic.empty()) return std::nullopt;
    const auto peer = Endpoint::parse(options.traffic);
    const auto own = IpAddress::parse(options.own);
    if (!peer || !own || !own->is_v4())
        return fail(Vpn::configurationFailed, "--traffic and --own take IPv4 addresses");
    return Traffic::Settings{settings.gateway, *peer, *own};
}

}  // namespace
}  // namespace causeway::load

int main(int count, char** arguments) {
    using namespace causeway;
    load::Options options;
    CLI::App program("Many VPN clients at once, without a TUN");
    program.add_option("gateway", options.gateway, "ADDRESS:PORT")->required();
    program.add_option("--server-name", options.server_name);
    program.add_option("--ping", options.ping, "Inner IPv4 address that answers")->required();
    program.add_option("--user", options.user);
    auto* password = program.add_option("--password-file", options.password_file);
    auto* key = program.add_option("--key", options.key, "PEM");
    program.add_option("--certificate", options.certificate, "PEM")->excludes(password)->needs(key);
    program.add_option("--pin", options.pin, "pin-sha256:…")->required();
    program.add_option("--tls", options.version, "Highest TLS version");
    program.add_option("--clients", options.clients);
    program.add_option("--at-once", options.at_once, "Logins under way at the same time");
    program.add_option("--rounds", options.rounds, "Pings of every client while all are up");
    program.add_option("--hold", options.hold, "Seconds to stay up afterwards");
    program.add_option("--timeout", options.timeout, "Seconds for everything, but for --traffic");
    auto* own = program.add_option("--own", options.own, "The first client's address");
    program.add_option("--traffic", options.traffic, "ADDRESS:PORT of load_peer")->needs(own);
    CLI11_PARSE(program, count, arguments);

    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    auto settings = load::settings_of(options);
    if (!settings) {
        fmt::print(stderr, "load_driver: {}\n", sentence(settings.error()));
        return 2;
    }
    const auto traffic = load::traffic_of(options, *settings);
    if (!traffic) {
        fmt::print(stderr, "load_driver: {}\n", sentence(traffic.error()));
        return 2;
    }
    load::Driver driver(options, std::move(*settings));
    if (*traffic)
        if (const auto ready = driver.prepare_traffic(**traffic); !ready) {
            fmt::print(stderr, "load_driver: {}\n", sentence(ready.error()));
            return 2;
        }
    return driver.run();
}
