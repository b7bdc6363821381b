// A TLS connection to a gateway, from its name: resolve, connect, handshake.

#pragma once

#include "causeway/error/error.h"
#include "causeway/protocol/url.h"
#include "causeway/provider/farewells.h"
#include "causeway/provider/link.h"
#include "causeway/provider/protect.h"
#include "causeway/provider/settings.h"
#include "causeway/provider/trail.h"

#include <functional>
#include <memory>
#include <vector>

namespace causeway::provider {

/// What all steps of a connection share. Outlives them.
struct Environment {
    EventLoop& loop;
    const Settings& settings;
    Trail& trail;
    Farewells& farewells;
    Protect protect = {};
    /// See Connector::IsInside.
    std::function<bool(const IpAddress& local)> is_inside = {};
};

/// `done` is called once, from the loop, with a link that is ready; destroying the opening before
/// that ends it in silence. Fails with what NameLookup and Connector fail with, and with the VPN
/// code of a failed handshake on the channel's code.
class Opening {
public:
    using Done = std::move_only_function<void(Result<std::unique_ptr<Link>>)>;

    /// `known`: addresses to use without asking for the name; when none of them lets us in, it is
    /// asked for.
    Opening(Environment& environment, const protocol::Url& gateway, std::vector<IpAddress> known,
            Done done);
    ~Opening();

private:
    class Work;
    std::unique_ptr<Work> work_;
};

}  // namespace causeway::provider
