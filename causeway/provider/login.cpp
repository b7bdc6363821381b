#include "causeway/provider/login.h"

#include "causeway/base/text.h"
#include "causeway/provider/answers.h"
#include "causeway/provider/handshake_failure.h"
#include "causeway/tls/verdict.h"

#include <fmt/format.h>

namespace causeway::provider {
namespace {

protocol::LoginSettings login_settings(const Settings& settings) {
    protocol::LoginSettings login;
    login.gateway = settings.gateway;
    login.group = settings.group;
    login.has_certificate = settings.identity.has_value();
    return login;
}

}  // namespace

class Login::Work {
public:
    Work(Environment& environment, Prompter& prompter, Done done)
        : environment_(environment),
          prompter_(prompter),
          done_(std::move(done)),
          client_(login_settings(environment.settings)) {}

    void start() { open(environment_.settings.gateway); }

private:
    void open(const protocol::Url& gateway) {
        environment_.farewells.dismiss(std::move(link_));
        answer_limit_.reset();
        auto known = gateway.is_same_server(place_) ? known_ : std::vector<IpAddress>{};
        place_ = gateway;
        opening_ = std::make_unique<Opening>(environment_, place_, std::move(known),
                                             [this](auto result) { opened(std::move(result)); });
    }

    void opened(Result<std::unique_ptr<Link>> result) {
        if (!result) return finish(std::unexpected(std::move(result).error()));
        link_ = std::move(*result);
        known_ = {link_->remote().address};
        link_->set_handler([this](LinkEvent event) { heard(std::move(event)); });
        environment_.trail.enter(Phase::authenticate);
        client_.connected();
        go_on();
    }

    void heard(LinkEvent event) {
        if (const auto* data = std::get_if<LinkData>(&event)) {
            any_answer_ = true;
            client_.feed(data->bytes);
            go_on();
        } else if (auto* ended = std::get_if<LinkEnded>(&event)) {
            lost(std::move(ended->why));
        }
    }

    void lost(Error why) {
        const auto facts = link_->facts();
        environment_.farewells.dismiss(std::move(link_));
        // In TLS 1.3 a gateway judges our certificate after our side of the handshake is over, so
        // a channel that ends before the first answer may be its verdict. An alert always is one.
        const bool verdict =
            !any_answer_ && (facts.certificate_sent || facts.certificate_requested);
        if (is_broken(why) || (verdict && is_silent_end(why)))
            return finish(std::unexpected(
                handshake_failure(environment_.settings, place_.host, facts, std::move(why))));
        client_.connection_lost(std::move(why));
        go_on();
    }

    /// Sends what the client has to say and takes what it has found out.
    void go_on() {
        while (true) {
            send();
            auto event = client_.next();
            if (!event) return finish(std::unexpected(std::move(event).error()));
            if (!*event) break;
            if (!take(**event)) return;
        }
        set_limit();
    }

    void send() {
        while (link_ && !client_.pending().empty()) {
            const auto bytes = client_.pending();
            const auto count = std::min(bytes.size(), std::size_t{16384});
            link_->write(bytes.first(count));
            client_.sent(count);
            answer_limit_.reset();
        }
    }

    /// False when the login is over, or waits for a new connection.
    bool take(protocol::LoginEvent& event) {
        if (auto* asked = std::get_if<protocol::NeedAnswers>(&event)) return answer(*asked);
        if (auto* redirected = std::get_if<protocol::Redirected>(&event)) {
            environment_.trail.note("redirected to " + printable(redirected->target.text()));
            if (redirected->same_connection) return true;
            any_answer_ = false;
            open(redirected->target);
            return false;
        }
        if (auto* wanted = std::get_if<protocol::ReconnectWanted>(&event)) {
            open(wanted->target);
            return false;
        }
        if (auto* wanted = std::get_if<protocol::ClientCertificateWanted>(&event))
            return show_certificate(wanted->target);
        if (auto* banner = std::get_if<protocol::Banner>(&event)) {
            prompter_.show(banner->text);
            return true;
        }
        logged_in(std::get<protocol::LoggedIn>(event));
        return false;
    }

    bool show_certificate(const protocol::Url& target) {
        // One that was shown in the handshake already will not please it the second time.
        if (!environment_.settings.identity || (link_ && link_->facts().certificate_sent)) {
            client_.has_no_certificate();
            return true;
        }
        open(target);
        return false;
    }

    bool answer(protocol::NeedAnswers& asked) {
        const auto& settings = environment_.settings;
        auto gathered = gather_answers(asked.form, settings);
        if (asked.refusal && gathered.unanswered.empty()) {
            finish(std::unexpected(std::move(*asked.refusal)));
            return false;
        }
        if (!gathered.unanswered.empty() && settings.can_prompt) {
            answer_limit_.reset();
            auto typed = prompter_.ask(asked.form, gathered.unanswered);
            if (!typed) {
                finish(std::unexpected(std::move(typed).error()));
                return false;
            }
            for (auto& [name, text] : *typed) gathered.answers[name] = std::move(text);
        }
        auto answered = client_.answer(gathered.answers);
        if (answered) return true;
        finish(std::unexpected(std::move(answered).error()));
        return false;
    }

    void logged_in(protocol::LoggedIn& event) {
        environment_.trail.note("logged in");
        if (!event.banner.empty()) prompter_.show(event.banner);
        if (event.connection_ended) environment_.farewells.dismiss(std::move(link_));
        if (link_) link_->set_handler([](LinkEvent) {});
        finish(
            Admission{std::move(event.cookie), std::move(event.gateway), std::move(link_), known_});
    }

    void set_limit() {
        if (!client_.is_waiting() || !link_) return answer_limit_.reset();
        if (answer_limit_) return;  // counts from the request, however slowly the answer drips
        const auto limit = environment_.settings.deadlines.answer;
        answer_limit_ = environment_.loop.at(Clock::now() + limit, [this, limit] {
            const auto time = spoken(limit);
            Error timeout{Tls::errSSLNetworkTimeout,
                          "no answer to a request of the login within " + time};
            finish(std::unexpected(
                Error{Vpn::serverNotResponding,
                      fmt::format("{} accepted the connection, but did not answer the login "
                                  "within {}",
                                  printable(place_.host), time)}
                    .with("server", place_.host)
                    .with("waited_for", "the answer to a request of the login")
                    .because(std::move(timeout))));
        });
    }

    void finish(Result<Admission> result) {
        if (!done_) return;
        answer_limit_.reset();
        if (!result) {
            if (link_) environment_.trail.note(result.error().detail);
            environment_.farewells.dismiss(std::move(link_));
        }
        auto done = std::move(done_);
        done_ = nullptr;
        done(std::move(result));  // may destroy this
    }

    Environment& environment_;
    Prompter& prompter_;
    Done done_;
    protocol::LoginClient client_;
    protocol::Url place_;
    std::vector<IpAddress> known_;
    std::unique_ptr<Opening> opening_;
    std::unique_ptr<Link> link_;
    EventLoop::Timer answer_limit_;
    bool any_answer_ = false;
};

Login::Login(Environment& environment, Prompter& prompter, Done done)
    : work_(std::make_unique<Work>(environment, prompter, std::move(done))) {
    work_->start();
}

Login::~Login() = default;

}  // namespace causeway::provider
