// The failures of resolving a name, in words: pure functions from what the servers said.

#pragma once

#include "causeway/error/error.h"
#include "causeway/provider/name_query.h"
#include "causeway/provider/resolver_settings.h"

#include <string>
#include <vector>

namespace causeway::provider {

/// What one server did when it was asked for one name.
struct ServerStatement {
    NameServer server;
    std::string name;
    NameAnswer answer;
    std::optional<Error> cause = {};
    int route_fault = 0;  ///< the errno when no route leads to the server
};

ServerStatement statement(const NameServer& server, std::string name, NameReply reply);

/// When nobody gave an address; `statements` holds at least one, in the order of asking.
Error resolution_failure(const std::string& name, const std::vector<ServerStatement>& statements);

Error no_resolver(const std::string& name, const ResolverSettings& settings);

Error only_ipv6(const std::string& name, const NameServer& server,
                const std::vector<IpAddress>& addresses);

}  // namespace causeway::provider
