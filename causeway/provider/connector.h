// TCP to the first address that answers, of all a name has, in both families (RFC 8305).

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/provider/limits.h"
#include "causeway/provider/protect.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace causeway::provider {

struct Connection {
    Fd socket;  ///< non-blocking, Nagle's delay off
    Endpoint remote;
};

/// The order to try addresses in: families in turn, IPv6 first (RFC 8305 section 4).
std::vector<IpAddress> in_turn(std::vector<IpAddress> addresses);

/// Tries each address a stagger after the one before, or at once when that one failed. `done` is
/// called once, from the loop; destroying the connector before that ends it in silence. Fails with
///
/// - noNetworkAvailable when no route leads to any address
/// - unrecoverableNetworkChange when the route leads into the tunnel that is to be taken up again
/// - serverNotResponding on errSSLConnectionRefused, EHOSTUNREACH, ETIMEDOUT …: the fact that says
///   most about the server; the evidence `tried` has every address with what happened there.
class Connector {
public:
    using Done = std::move_only_function<void(Result<Connection>)>;
    /// Whether an address of this machine is the tunnel's own: what leaves from there would have to
    /// travel in the tunnel that it is to carry.
    using IsInside = std::function<bool(const IpAddress& local)>;

    Connector(EventLoop& loop, const Deadlines& deadlines, std::vector<IpAddress> addresses,
              std::uint16_t port, Protect protect, Done done, IsInside is_inside = {});
    ~Connector();

private:
    class Work;
    std::unique_ptr<Work> work_;
};

/// What became of one address: 0 stands for one that was still being tried.
struct Attempt {
    Endpoint endpoint;
    int number = 0;                   ///< errno; ELOOP: the route leads into the tunnel
    std::optional<Error> cause = {};  ///< when the socket was refused before it was used
};

/// The failure in words; pure. `waited`: how long, when the time ran out.
Error connect_failure(const std::vector<Attempt>& attempts, std::chrono::milliseconds waited);

}  // namespace causeway::provider
