#include "causeway/provider/name_lookup.h"

#include "causeway/base/text.h"
#include "causeway/provider/name_lookup_error.h"
#include "causeway/provider/name_query.h"
#include "causeway/provider/route_probe.h"

#include <algorithm>
#include <optional>

namespace causeway::provider {
namespace {

bool settles(NameAnswer answer) {
    return answer == NameAnswer::found || answer == NameAnswer::no_such_name ||
           answer == NameAnswer::no_address;
}

/// Nothing when one of the addresses can be tried at all.
bool only_unreachable_ipv6(const std::vector<IpAddress>& addresses) {
    return std::ranges::all_of(addresses, [](const IpAddress& address) {
        return !address.is_v4() && route_fault({address, 443}) != 0;
    });
}

}  // namespace

class NameLookup::Work {
public:
    Work(EventLoop& loop, const ResolverSettings& settings, const Deadlines& deadlines,
         std::string name, Protect protect, Done done)
        : loop_(loop),
          settings_(settings),
          deadlines_(deadlines),
          name_(std::move(name)),
          candidates_(candidates_for(name_, settings_)),
          protect_(std::move(protect)),
          done_(std::move(done)) {}

    void start() {
        if (const auto literal = IpAddress::parse(name_))
            return finish_soon(Resolved{{*literal}, ""});
        if (auto known = addresses_in_hosts(settings_.hosts, name_); !known.empty())
            return finish_soon(Resolved{std::move(known), "hosts file"});
        if (settings_.servers.empty())
            return finish_soon(std::unexpected(no_resolver(name_, settings_)));
        limit_ = loop_.at(Clock::now() + deadlines_.resolve, [this] { out_of_time(); });
        ask();
    }

private:
    void ask() {
        const auto& server = settings_.servers[server_];
        query_ = std::make_unique<NameQuery>(loop_, server, candidates_[candidate_],
                                             deadlines_.name_server, protect_,
                                             [this](NameReply reply) { heard(std::move(reply)); });
    }

    void heard(NameReply reply) {
        const auto& server = settings_.servers[server_];
        if (reply.answer == NameAnswer::found) return found(std::move(reply.addresses), server);
        const auto candidate = candidates_[candidate_];
        const bool settled = settles(reply.answer);
        replies_.push_back(statement(server, candidate, std::move(reply)));
        if (settled) {
            // The next candidate is asked of the same server: it answers.
            if (++candidate_ < candidates_.size()) return ask_soon();
        } else if (++server_ < settings_.servers.size()) {
            return ask_soon();
        }
        finish(std::unexpected(resolution_failure(name_, replies_)));
    }

    void found(std::vector<IpAddress> addresses, const NameServer& server) {
        if (addresses.size() > address_limit) addresses.resize(address_limit);
        if (only_unreachable_ipv6(addresses))
            return finish(std::unexpected(only_ipv6(name_, server, addresses)));
        finish(Resolved{std::move(addresses), server.text()});
    }

    void out_of_time() {
        query_.reset();
        replies_.push_back(statement(settings_.servers[server_], candidates_[candidate_],
                                     {NameAnswer::no_answer, {}, {}}));
        finish(std::unexpected(resolution_failure(name_, replies_)));
    }

    /// From a fresh stack: the query that called is replaced.
    void ask_soon() {
        next_ = loop_.at(Clock::now(), [this] { ask(); });
    }

    void finish_soon(Result<Resolved> result) {
        next_ = loop_.at(Clock::now(), [this, result = std::move(result)]() mutable {
            finish(std::move(result));
        });
    }

    void finish(Result<Resolved> result) {
        auto done = std::move(done_);
        limit_.reset();
        done(std::move(result));  // may destroy this
    }

    EventLoop& loop_;
    ResolverSettings settings_;
    Deadlines deadlines_;
    std::string name_;
    std::vector<std::string> candidates_;
    Protect protect_;
    Done done_;
    std::unique_ptr<NameQuery> query_;
    EventLoop::Timer limit_;
    EventLoop::Timer next_;
    std::size_t candidate_ = 0;
    std::size_t server_ = 0;
    std::vector<ServerStatement> replies_;
};

NameLookup::NameLookup(EventLoop& loop, const ResolverSettings& settings,
                       const Deadlines& deadlines, std::string name, Protect protect, Done done)
    : work_(std::make_unique<Work>(loop, settings, deadlines, std::move(name), std::move(protect),
                                   std::move(done))) {
    work_->start();
}

NameLookup::~NameLookup() = default;

}  // namespace causeway::provider
