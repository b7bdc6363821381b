#include "causeway/provider/entrance.h"

#include "causeway/base/random.h"
#include "causeway/base/text.h"
#include "causeway/protocol/datagram_suites.h"
#include "causeway/provider/handshake_failure.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace causeway::provider {
namespace {

/// What the way to the gateway carries in one packet, as the kernel knows it; 0 when it does not.
int path_mtu(const Link& link) {
    const bool v4 = link.remote().address.is_v4();
    int mtu = 0;
    socklen_t size = sizeof mtu;
    const int failed = getsockopt(link.socket(), v4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6},
                                  v4 ? IP_MTU : IPV6_MTU, &mtu, &size);
    // The loopback has one more than a packet's length can say.
    return failed ? 0 : std::min(mtu, 65'535);
}

}  // namespace

class Entrance::Work {
public:
    Work(Environment& environment, const protocol::Url& gateway, std::unique_ptr<Link> link,
         Done done)
        : environment_(environment),
          gateway_(gateway),
          link_(std::move(link)),
          done_(std::move(done)) {}

    void start(const Secret& cookie) {
        environment_.trail.enter(Phase::session);
        protocol::ConnectRequest request;
        request.cookie = cookie;
        request.host = gateway_.authority();
        request.user_agent = protocol::LoginSettings{}.user_agent;
        request.hostname = environment_.settings.hostname;
        request.base_mtu = path_mtu(*link_);
        request.mtu = environment_.settings.mtu;
        request.bundles = true;
        if (environment_.settings.use_datagrams) ask_for_datagrams(request);
        const auto text = protocol::write_connect_request(request);
        link_->set_handler([this](LinkEvent event) { heard(std::move(event)); });
        link_->write(as_bytes(text.reveal()));
        const auto limit = environment_.settings.deadlines.answer;
        limit_ = environment_.loop.at(Clock::now() + limit, [this, limit] { timed_out(limit); });
    }

private:
    void ask_for_datagrams(protocol::ConnectRequest& request) {
        master_secret_ = Secret(std::string(as_text(random_bytes(protocol::master_secret_size))));
        request.datagram_ciphers = protocol::psk_negotiate;
        request.datagram12_ciphers = protocol::resumed_suite_list();
        request.master_secret = master_secret_;
        request.is_own_end = true;
    }

    void heard(LinkEvent event) {
        if (const auto* data = std::get_if<LinkData>(&event)) {
            reply_.feed(data->bytes);
            auto parameters = reply_.next();
            if (!parameters) return finish(std::unexpected(std::move(parameters).error()));
            if (*parameters) enter(std::move(**parameters));
        } else if (auto* ended = std::get_if<LinkEnded>(&event)) {
            lost(std::move(ended->why));
        }
    }

    void enter(protocol::SessionParameters parameters) {
        environment_.trail.note("session granted");
        const int wished = environment_.settings.mtu;
        if (wished > 0) {
            parameters.mtu = std::min(parameters.mtu, wished);
            if (parameters.datagram)
                parameters.datagram->mtu = std::min(parameters.datagram->mtu, wished);
        }
        link_->set_handler([](LinkEvent) {});
        finish(Entered{std::move(parameters), std::move(link_), reply_.take_rest(),
                       std::move(master_secret_)});
    }

    void lost(Error why) {
        if (is_broken(why))
            return finish(std::unexpected(handshake_failure(environment_.settings, gateway_.host,
                                                            link_->facts(), std::move(why))));
        finish(std::unexpected(
            Error{Vpn::serverNotResponding,
                  fmt::format("{} closed the connection instead of opening the session",
                              printable(gateway_.host))}
                .with("server", gateway_.host)
                .because(std::move(why))));
    }

    void timed_out(std::chrono::milliseconds limit) {
        const auto time = spoken(limit);
        finish(std::unexpected(
            Error{Vpn::serverNotResponding,
                  fmt::format("{} did not answer the request for the session within {}",
                              printable(gateway_.host), time)}
                .with("server", gateway_.host)
                .with("waited_for", "the answer to CONNECT")
                .because({Tls::errSSLNetworkTimeout, "no answer to CONNECT within " + time})));
    }

    void finish(Result<Entered> result) {
        limit_.reset();
        if (!result) {
            environment_.trail.note(result.error().detail);
            environment_.farewells.dismiss(std::move(link_));
        }
        auto done = std::move(done_);
        done(std::move(result));  // may destroy this
    }

    Environment& environment_;
    protocol::Url gateway_;
    std::unique_ptr<Link> link_;
    Done done_;
    protocol::ConnectReply reply_;
    Secret master_secret_;
    EventLoop::Timer limit_;
};

Entrance::Entrance(Environment& environment, const protocol::Url& gateway, const Secret& cookie,
                   std::unique_ptr<Link> link, Done done)
    : work_(std::make_unique<Work>(environment, gateway, std::move(link), std::move(done))) {
    work_->start(cookie);
}

Entrance::~Entrance() = default;

}  // namespace causeway::provider
