#include "causeway/provider/opening.h"

#include "causeway/base/text.h"
#include "causeway/provider/connector.h"
#include "causeway/provider/handshake_failure.h"
#include "causeway/provider/name_lookup.h"

#include <fmt/format.h>

namespace causeway::provider {
namespace {

std::string list(const std::vector<IpAddress>& addresses) {
    std::vector<std::string> texts;
    for (const auto& address : addresses) texts.push_back(address.text());
    return join(texts, ", ");
}

}  // namespace

class Opening::Work {
public:
    Work(Environment& environment, const protocol::Url& gateway, Done done)
        : environment_(environment), gateway_(gateway), done_(std::move(done)) {}

    void start(std::vector<IpAddress> known) {
        if (known.empty()) return resolve();
        may_resolve_ = true;
        connect(std::move(known));
    }

private:
    void resolve() {
        may_resolve_ = false;
        environment_.trail.enter(Phase::resolve);
        lookup_ = std::make_unique<NameLookup>(
            environment_.loop, environment_.settings.resolver, environment_.settings.deadlines,
            gateway_.host, environment_.protect, [this](Result<Resolved> result) {
                if (!result) return fail_with(std::move(result).error());
                environment_.trail.note(list(result->addresses));
                connect(std::move(result->addresses));
            });
    }

    void connect(std::vector<IpAddress> addresses) {
        environment_.trail.enter(Phase::connect);
        connector_ = std::make_unique<Connector>(
            environment_.loop, environment_.settings.deadlines, std::move(addresses), gateway_.port,
            environment_.protect,
            [this](Result<Connection> result) {
                if (result) return shake_hands(std::move(*result));
                if (!may_resolve_) return fail_with(std::move(result).error());
                environment_.trail.note(result.error().detail);
                resolve();
            },
            environment_.is_inside);
    }

    void shake_hands(Connection connection) {
        environment_.trail.note(connection.remote.text());
        environment_.trail.enter(Phase::tls);
        link_ = std::make_unique<Link>(environment_.loop, std::move(connection),
                                       environment_.settings.channel, gateway_.host,
                                       [this](LinkEvent event) { heard(std::move(event)); });
    }

    void heard(LinkEvent event) {
        if (std::holds_alternative<LinkReady>(event)) {
            const auto& summary = link_->summary();
            environment_.trail.note(
                fmt::format("{}, {}", tls::name(summary.version), summary.suite_name));
            return finish(std::move(link_));
        }
        auto* ended = std::get_if<LinkEnded>(&event);
        if (!ended) return;
        auto error = handshake_failure(environment_.settings, gateway_.host, link_->facts(),
                                       std::move(ended->why));
        error.with("address", link_->remote().text());
        environment_.farewells.dismiss(std::move(link_));  // its last word may be an alert
        fail_with(std::move(error));
    }

    void fail_with(Error error) {
        environment_.trail.note(error.detail);
        finish(std::unexpected(std::move(error)));
    }

    void finish(Result<std::unique_ptr<Link>> result) {
        auto done = std::move(done_);
        done(std::move(result));  // may destroy this
    }

    Environment& environment_;
    protocol::Url gateway_;
    Done done_;
    bool may_resolve_ = false;
    std::unique_ptr<NameLookup> lookup_;
    std::unique_ptr<Connector> connector_;
    std::unique_ptr<Link> link_;
};

Opening::Opening(Environment& environment, const protocol::Url& gateway,
                 std::vector<IpAddress> known, Done done)
    : work_(std::make_unique<Work>(environment, gateway, std::move(done))) {
    work_->start(std::move(known));
}

Opening::~Opening() = default;

}  // namespace causeway::provider
