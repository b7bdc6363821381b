#include "causeway/provider/dial.h"

namespace causeway::provider {

class Dial::Work {
public:
    Work(Environment& environment, Hold hold, Done done)
        : environment_(environment), hold_(std::move(hold)), done_(std::move(done)) {}

    void log_in(Prompter& prompter) {
        login_ = std::make_unique<Login>(environment_, prompter, [this](Result<Admission> result) {
            if (!result) return finish(std::unexpected(std::move(result).error()));
            pass_ = {std::move(result->cookie), std::move(result->gateway),
                     std::move(result->known)};
            link_ = std::move(result->link);
            if (link_)
                enter();
            else
                open();
        });
    }

    void come_back(Pass pass) {
        pass_ = std::move(pass);
        open();
    }

private:
    void open() {
        opening_ = std::make_unique<Opening>(
            environment_, pass_.gateway, pass_.known, [this](auto result) {
                if (!result) return finish(std::unexpected(std::move(result).error()));
                link_ = std::move(*result);
                pass_.known = {link_->remote().address};
                if (hold_)
                    hold_([this] { enter(); });
                else
                    enter();
            });
    }

    void enter() {
        entrance_ = std::make_unique<Entrance>(
            environment_, pass_.gateway, pass_.cookie, std::move(link_), [this](auto result) {
                if (!result) return finish(std::unexpected(std::move(result).error()));
                finish(Dialed{std::move(*result), std::move(pass_)});
            });
    }

    void finish(Result<Dialed> result) {
        auto done = std::move(done_);
        done(std::move(result));  // may destroy this
    }

    Environment& environment_;
    Hold hold_;
    Done done_;
    Pass pass_;
    std::unique_ptr<Login> login_;
    std::unique_ptr<Opening> opening_;
    std::unique_ptr<Link> link_;
    std::unique_ptr<Entrance> entrance_;
};

Dial::Dial(Environment& environment, Prompter& prompter, Done done)
    : work_(std::make_unique<Work>(environment, Hold{}, std::move(done))) {
    work_->log_in(prompter);
}

Dial::Dial(Environment& environment, Pass pass, Hold hold, Done done)
    : work_(std::make_unique<Work>(environment, std::move(hold), std::move(done))) {
    work_->come_back(std::move(pass));
}

Dial::~Dial() = default;

}  // namespace causeway::provider
