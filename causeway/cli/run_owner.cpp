#include "causeway/cli/run_owner.h"

#include "causeway/base/event_loop.h"
#include "causeway/cli/prompt.h"
#include "causeway/cli/worker_process.h"
#include "causeway/device/protect.h"
#include "causeway/device/setup.h"
#include "causeway/device/tun.h"
#include "causeway/error/exit_status.h"
#include "causeway/error/report.h"
#include "causeway/provider/messages.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/epoll.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace causeway::cli {
namespace {

// A worker that was asked to end says goodbye to the gateway first, which takes a moment; one that
// hangs is ended.
constexpr std::chrono::seconds farewell_limit{5};

// Who changes the machine's settings rarely changes one: all of it is looked at together.
constexpr std::chrono::milliseconds settling_time{100};

device::NetworkSettings network_settings(const connection::Profile& profile,
                                         const std::string& interface,
                                         const provider::TunnelSettings& wanted) {
    device::NetworkSettings settings;
    settings.interface = interface;
    settings.addresses = wanted.addresses;
    settings.mtu = wanted.mtu;
    settings.gateways = wanted.gateways;
    settings.allow_other_family = wanted.allow_other_family;
    if (profile.use_routes) {
        settings.included = wanted.included;
        settings.excluded = wanted.excluded;
    }
    if (profile.use_dns) {
        settings.dns.servers = wanted.dns_servers;
        settings.dns.search_domains = wanted.search_domains;
        settings.dns.split_domains = wanted.split_domains;
        settings.dns.tunnel_all = wanted.tunnel_all_dns;
    }
    return settings;
}

/// The owner at work, while the worker lives.
class RunOwner {
public:
    RunOwner(const connection::Profile& profile, device::Setup& setup, std::string interface,
             WorkerProcess& worker, Output& output)
        : profile_(profile),
          setup_(setup),
          interface_(std::move(interface)),
          worker_(worker),
          output_(output) {}

    /// The incident it ended with, or nothing after an end in order.
    std::optional<Incident> run() {
        for (const int number : {SIGINT, SIGTERM, SIGHUP})
            signals_.push_back(loop_.on_signal(number, [this] { stop(); }));
        channel_ = loop_.watch(worker_.channel().fd(), EPOLLIN, [this](std::uint32_t flags) {
            if (flags & EPOLLOUT) flush();
            if (flags & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive();
        });
        process_ = loop_.watch(worker_.pidfd(), EPOLLIN, [this](auto) { ended(); });
        loop_.run();
        // Whoever ended it need not be told that something was under way.
        if (stopping_) return std::nullopt;
        return std::move(incident_);
    }

private:
    void receive() {
        while (true) {
            auto message = worker_.channel().receive();
            if (!message) return channel_.reset();  // the end of the process follows
            if (!*message) return;
            take(**message);
        }
    }

    void take(ipc::Message& message) {
        auto said = provider::worker_message(message.json());
        if (!said) return mistrust(std::move(said).error());
        if (std::holds_alternative<provider::ProtectAsked>(*said)) return protect(message);
        if (auto* asked = std::get_if<provider::PromptAsked>(&*said)) return ask(message, *asked);
        if (auto* asked = std::get_if<provider::ApplyAsked>(&*said))
            return apply(message, asked->settings);
        show(*said);
    }

    void show(const provider::WorkerMessage& said) {
        if (auto* passed = std::get_if<provider::PhasePassed>(&said)) output_.phase(passed->step);
        if (auto* note = std::get_if<provider::Note>(&said)) output_.note(note->text);
        if (auto* shown = std::get_if<provider::BannerShown>(&said)) output_.banner(shown->text);
        if (auto* up = std::get_if<provider::Connected>(&said)) output_.connected(*up, interface_);
        if (auto* again = std::get_if<provider::Reconnecting>(&said)) output_.reconnecting(*again);
        if (auto* changed = std::get_if<provider::DatagramChanged>(&said))
            output_.datagram(*changed);
        if (auto* counted = std::get_if<provider::Counted>(&said)) output_.counted(*counted);
        if (auto* failed = std::get_if<provider::Failed>(&said)) incident_ = failed->incident;
        if (std::holds_alternative<provider::Left>(said)) left_ = true;
    }

    void answer(const ipc::Message& question, const nlohmann::json& body) {
        if (worker_.channel().answer(question, body)) flush();
    }

    void flush() {
        if (!worker_.channel().flush()) return channel_.reset();
        channel_.want(worker_.channel().wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }

    void protect(ipc::Message& message) {
        if (message.descriptors.size() != 1)
            return mistrust({Service::INVALID_SOCKET_FD, "a socket to protect was not sent along"});
        auto done = device::protect(message.descriptors.front().get(), setup_.mark());
        answer(message, done ? provider::answer_ok() : provider::answer_error(done.error()));
    }

    void apply(const ipc::Message& message, const provider::TunnelSettings& wanted) {
        const auto settings = network_settings(profile_, interface_, wanted);
        if (auto done = setup_.apply(settings); !done)
            return answer(message, provider::answer_error(done.error()));
        answer(message, provider::answer_applied({setup_.notes()}));
        watch_settings();
    }

    /// Others may flush rules and routes under the tunnel.
    void watch_settings() {
        if (settings_) return;
        auto news = setup_.watch();
        if (!news) return output_.note("changes of others are not seen: " + sentence(news.error()));
        settings_ = loop_.watch(*news, EPOLLIN, [this](auto) {
            if (setup_.has_news() && !look_)
                look_ = loop_.at(Clock::now() + settling_time, [this] { look(); });
        });
    }

    void look() {
        look_.reset();
        auto said = setup_.look_after(Clock::now());
        if (!said) return output_.note("the settings could not be read: " + sentence(said.error()));
        for (const auto& words : *said) output_.note(words);
    }

    void ask(const ipc::Message& message, const provider::PromptAsked& asked) {
        bool interrupted = false;
        auto typed = prompt(asked, worker_.pidfd(), interrupted);
        answer(message,
               typed ? provider::answer_typed(*typed) : provider::answer_error(typed.error()));
        if (interrupted) stop();
    }

    void stop() {
        if (stopping_) return worker_.kill();
        stopping_ = true;
        if (worker_.channel().send(provider::stop_message())) flush();
        patience_ = loop_.at(Clock::now() + farewell_limit, [this] { worker_.kill(); });
    }

    /// A worker that talks nonsense has been taken over or is broken: it ends here.
    void mistrust(Error why) {
        channel_.reset();
        fail_with({Vpn::pluginFailed, "the worker sent what makes no sense, and was ended"},
                  std::move(why));
        worker_.kill();
    }

    void ended() {
        const auto status = worker_.wait();
        if (channel_) receive();  // its last words
        process_.reset();
        loop_.stop();
        if (incident_ || left_) return;
        if (stopping_) return output_.note("while it was ending, the worker " + status.words);
        auto detail = fmt::format("the worker that carries the tunnel {}", status.words);
        fail_with({Vpn::pluginFailed, std::move(detail)}, {status.code, ""});
    }

    void fail_with(Error error, Error cause) {
        const auto server = fmt::format("{}:{}", profile_.gateway.host, profile_.gateway.port);
        incident_ = make_incident(profile_.gateway.text(), server, Phase::connected,
                                  std::move(error).because(std::move(cause)));
    }

    EventLoop loop_;
    const connection::Profile& profile_;
    device::Setup& setup_;
    std::string interface_;
    WorkerProcess& worker_;
    Output& output_;
    std::vector<EventLoop::Watch> signals_;
    EventLoop::Watch channel_;
    EventLoop::Watch process_;
    EventLoop::Watch settings_;
    EventLoop::Timer look_;
    EventLoop::Timer patience_;
    bool stopping_ = false;
    bool left_ = false;
    std::optional<Incident> incident_;
};

int report(Output& output, const connection::Profile& profile, Phase phase, Error error) {
    const auto server = fmt::format("{}:{}", profile.gateway.host, profile.gateway.port);
    const int status = exit_status(error);
    output.failed(make_incident(profile.gateway.text(), server, phase, std::move(error)));
    return status;
}

}  // namespace

int run_owner(const connection::Profile& profile, provider::Settings settings, Output& output) {
    auto setup = device::Setup::open(device::state_folder());
    if (!setup) return report(output, profile, Phase::device, std::move(setup).error());
    // Read again: what a dead run had left in the resolver's file is put right by now.
    settings.resolver = provider::read_resolver_settings();
    auto tun = device::open_tun(profile.interface, 2);
    if (!tun) return report(output, profile, Phase::device, std::move(tun).error());
    if (profile.use_dns)
        if (auto checked = setup->check_dns(); !checked)
            return report(output, profile, Phase::device, std::move(checked).error());

    auto worker = WorkerProcess::start(std::move(settings), *tun);
    if (!worker) return report(output, profile, Phase::device, std::move(worker).error());
    auto incident = RunOwner(profile, *setup, tun->name, *worker, output).run();

    tun->queues.clear();
    auto undone = setup->undo();
    if (incident) {
        if (!undone) output.note("not everything could be put back: " + undone.error().detail);
        output.failed(*incident);
        return exit_status(incident->error);
    }
    if (!undone) return report(output, profile, Phase::disconnect, std::move(undone).error());
    output.disconnected();
    return exit_success;
}

}  // namespace causeway::cli
