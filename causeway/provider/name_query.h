// One name asked of one name server, for both address families at once.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/provider/limits.h"
#include "causeway/provider/protect.h"
#include "causeway/provider/resolver_settings.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace causeway::provider {

/// What a name server's answer, or its silence, comes to.
enum class NameAnswer {
    found,  ///< at least one address
    no_such_name,
    no_address,  ///< the name exists and has no address
    server_failure,
    refused,      ///< the server does not answer us
    unreachable,  ///< nothing listens there, or no route leads there
    malformed,
    no_answer,
};

struct NameReply {
    NameAnswer answer = NameAnswer::no_answer;
    std::vector<IpAddress> addresses = {};  ///< IPv6 and IPv4, as the server ordered them
    std::optional<Error> cause =
        {};  ///< when more is known than the answer: who refused the socket
};

/// Asks over UDP, twice when nothing comes, and over TCP when the answer is too long for UDP.
/// `done` is called once, from the loop; destroying the query before that ends it in silence.
class NameQuery {
public:
    using Done = std::move_only_function<void(NameReply)>;

    NameQuery(EventLoop& loop, const NameServer& server, const std::string& name,
              std::chrono::milliseconds patience, Protect protect, Done done);
    ~NameQuery();

private:
    class Work;
    std::unique_ptr<Work> work_;
};

}  // namespace causeway::provider
