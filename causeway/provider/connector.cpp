#include "causeway/provider/connector.h"

#include "causeway/base/text.h"
#include "causeway/provider/local_address.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <optional>

namespace causeway::provider {
namespace {

/// Which failure of several tells most about the server: one that came from it, then silence, then
/// what the network on the way said, then what this machine knew by itself.
int weight(const Attempt& attempt) {
    if (attempt.cause) return 0;
    switch (attempt.number) {
        case ECONNREFUSED: return 6;
        case ECONNRESET: return 5;
        case 0:
        case ETIMEDOUT: return 4;
        case EHOSTUNREACH:
        case ELOOP: return 3;
        case ENETUNREACH:
        case EAFNOSUPPORT:
        case EADDRNOTAVAIL: return 1;
        default: return 2;
    }
}

bool is_without_route(const Attempt& attempt) { return weight(attempt) == 1; }

std::string outcome(const Attempt& attempt) {
    if (attempt.cause) return attempt.cause->detail;
    switch (attempt.number) {
        case 0:
        case ETIMEDOUT: return "no answer";
        case ECONNREFUSED: return "refused";
        case ECONNRESET: return "reset";
        case EHOSTUNREACH: return "host unreachable";
        case ELOOP: return "reached through the tunnel only";
        case ENETUNREACH: return "network unreachable";
        case EAFNOSUPPORT: return "address family not supported";
        case EADDRNOTAVAIL: return "no address of this machine to use";
        case EACCES:
        case EPERM: return "forbidden on this machine";
        default: return fmt::format("errno {}", attempt.number);
    }
}

std::string headline(const Attempt& main, bool offline, bool alone,
                     std::chrono::milliseconds waited) {
    const auto place = main.endpoint.text();
    const auto others = alone ? "" : ", nor at any other of its addresses";
    if (offline) return "no route leads to " + place + (alone ? "" : " or any other address");
    switch (main.number) {
        case ECONNREFUSED: return fmt::format("nothing accepts connections at {}{}", place, others);
        case ECONNRESET: return fmt::format("{} reset the connection while it was made", place);
        case EHOSTUNREACH:
            return fmt::format("the network has no way to the host {}",
                               main.endpoint.address.text());
        case ELOOP: return fmt::format("the route to {} leads into the tunnel itself", place);
        case 0:
        case ETIMEDOUT:
            return fmt::format("no answer from {} within {}{}", place, spoken(waited), others);
        case EACCES:
        case EPERM: return fmt::format("this machine forbids connections to {}", place);
        default: return fmt::format("no connection to {}", place);
    }
}

}  // namespace

std::vector<IpAddress> in_turn(std::vector<IpAddress> addresses) {
    std::vector<IpAddress> families[2];
    for (const auto& address : addresses) families[address.is_v4() ? 1 : 0].push_back(address);
    std::vector<IpAddress> order;
    for (std::size_t i = 0; order.size() < addresses.size(); ++i)
        for (const auto& family : families)
            if (i < family.size()) order.push_back(family[i]);
    return order;
}

Error connect_failure(const std::vector<Attempt>& attempts, std::chrono::milliseconds waited) {
    const auto& main = *std::ranges::max_element(
        attempts, [](const auto& a, const auto& b) { return weight(a) < weight(b); });
    const bool offline = std::ranges::all_of(attempts, is_without_route);
    if (main.cause)
        return Error{Vpn::configurationFailed, "the socket to the gateway could not be prepared"}
            .because(*main.cause);

    std::vector<std::string> tried;
    for (const auto& attempt : attempts)
        tried.push_back(attempt.endpoint.text() + " " + outcome(attempt));
    const bool loops = main.number == ELOOP;
    Error error{offline ? Vpn::noNetworkAvailable
                : loops ? Vpn::unrecoverableNetworkChange
                        : Vpn::serverNotResponding,
                headline(main, offline, attempts.size() == 1, waited)};
    error.with("address", main.endpoint.text()).with("tried", join(tried, ", "));

    if (loops) return error;

    auto fact = system_error(main.number ? main.number : ETIMEDOUT, "connect");
    if (main.number == ECONNREFUSED)
        return std::move(error).because(Error{
            Tls::errSSLConnectionRefused,
            "the host answered that nobody listens on port " + std::to_string(main.endpoint.port)}
                                            .because(std::move(fact)));
    if (main.number == ECONNRESET)
        return std::move(error).because(
            Error{Tls::errSSLTransportReset, "the connection was reset before it was used"}.because(
                std::move(fact)));
    return std::move(error).because(std::move(fact));
}

class Connector::Work {
public:
    Work(EventLoop& loop, const Deadlines& deadlines, std::vector<IpAddress> addresses,
         std::uint16_t port, Protect protect, Done done, IsInside is_inside)
        : loop_(loop),
          deadlines_(deadlines),
          addresses_(in_turn(std::move(addresses))),
          port_(port),
          protect_(std::move(protect)),
          done_(std::move(done)),
          is_inside_(std::move(is_inside)) {
        limit_ = loop_.at(Clock::now() + deadlines_.connect, [this] { out_of_time(); });
        next_soon(std::chrono::milliseconds(0));
    }

private:
    struct Try {
        Fd socket;
        EventLoop::Watch watch;
        std::size_t attempt;  // index in attempts_
    };

    void next_soon(std::chrono::milliseconds wait) {
        next_ = loop_.at(Clock::now() + wait, [this] { start_next(); });
    }

    void start_next() {
        if (attempts_.size() == addresses_.size()) {
            if (tries_.empty()) fail_now();
            return;
        }
        const Endpoint endpoint{addresses_[attempts_.size()], port_};
        attempts_.push_back({endpoint});
        start(endpoint);
    }

    void start(const Endpoint& endpoint) {
        Fd socket(::socket(endpoint.address.domain(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                           IPPROTO_TCP));
        if (!socket) return failed(errno);
        if (protect_) {
            if (auto protection = protect_(socket.get()); !protection) {
                attempts_.back().cause = std::move(protection).error();
                return failed(EPERM);
            }
        }
        const int on = 1;
        setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_storage storage;
        const auto size = endpoint.to_sockaddr(storage);
        if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0 &&
            errno != EINPROGRESS)
            return failed(errno);
        const auto local = local_address(socket.get());
        if (is_inside_ && local && is_inside_(*local)) return failed(ELOOP);
        tries_.push_back({std::move(socket), {}, attempts_.size() - 1});
        const auto at = std::prev(tries_.end());
        at->watch = loop_.watch(at->socket.get(), EPOLLOUT, [this, at](auto) { ready(at); });
        next_soon(deadlines_.stagger);
    }

    void failed(int number) {
        attempts_.back().number = number;
        next_soon(std::chrono::milliseconds(0));
    }

    void ready(std::list<Try>::iterator at) {
        int number = 0;
        socklen_t size = sizeof number;
        getsockopt(at->socket.get(), SOL_SOCKET, SO_ERROR, &number, &size);
        if (number == 0) return finish(Connection{std::move(at->socket), take(at)});
        attempts_[at->attempt].number = number;
        tries_.erase(at);
        next_soon(std::chrono::milliseconds(0));
    }

    Endpoint take(std::list<Try>::iterator at) {
        at->watch.reset();
        return attempts_[at->attempt].endpoint;
    }

    void out_of_time() { fail_now(); }

    void fail_now() { finish(std::unexpected(connect_failure(attempts_, deadlines_.connect))); }

    void finish(Result<Connection> result) {
        auto done = std::move(done_);
        limit_.reset();
        next_.reset();
        tries_.clear();           // one that answers later must not finish a second time
        done(std::move(result));  // may destroy this
    }

    EventLoop& loop_;
    Deadlines deadlines_;
    std::vector<IpAddress> addresses_;
    std::uint16_t port_;
    Protect protect_;
    Done done_;
    IsInside is_inside_;
    std::vector<Attempt> attempts_;
    std::list<Try> tries_;
    EventLoop::Timer limit_;
    EventLoop::Timer next_;
};

Connector::Connector(EventLoop& loop, const Deadlines& deadlines, std::vector<IpAddress> addresses,
                     std::uint16_t port, Protect protect, Done done, IsInside is_inside)
    : work_(std::make_unique<Work>(loop, deadlines, std::move(addresses), port, std::move(protect),
                                   std::move(done), std::move(is_inside))) {}

Connector::~Connector() = default;

}  // namespace causeway::provider
