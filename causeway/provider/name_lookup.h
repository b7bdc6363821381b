// A host name into addresses, of both families, with the knowledge of who said what.
//
// An address as a name needs nobody. Then the hosts file, then the name servers in their order: the
// first that knows the name, or knows that there is no such name, ends it. A server that fails,
// refuses or stays silent is left for the next one, and what it did is kept for the report.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/error/error.h"
#include "causeway/provider/limits.h"
#include "causeway/provider/protect.h"
#include "causeway/provider/resolver_settings.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace causeway::provider {

struct Resolved {
    std::vector<IpAddress> addresses;  ///< at least one
    std::string source;                ///< "hosts file", "192.0.2.53"; empty for an address as name
};

/// One name being resolved. `done` is called once, from the loop; destroying it before
/// that ends it in silence. Fails with
///
/// - serverAddressResolutionFailed on the server's answer (resolver/NXDOMAIN, …): no such name, no
///   address, failure, refusal, nobody answered, no resolver configured, or only IPv6 addresses on
///   a machine that has no way out in IPv6. The evidence names the server and what it did.
/// - noNetworkAvailable when no route leads to any name server.
class NameLookup {
public:
    using Done = std::move_only_function<void(Result<Resolved>)>;

    NameLookup(EventLoop& loop, const ResolverSettings& settings, const Deadlines& deadlines,
               std::string name, Protect protect, Done done);
    ~NameLookup();

private:
    class Work;
    std::unique_ptr<Work> work_;
};

}  // namespace causeway::provider
