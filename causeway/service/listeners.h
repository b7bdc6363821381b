// Who is told of the sessions' ups and downs.

#pragma once

#include "causeway/service/caller.h"
#include "causeway/service/session.h"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace causeway::service {

class Listeners {
public:
    /// Sends an event to a connection.
    using Tell = std::function<void(ConnectionId, const std::string& json)>;

    explicit Listeners(Tell tell) : tell_(std::move(tell)) {}

    /// Told of its own sessions from now on; root of all.
    void add(ConnectionId connection, const Caller& caller) { listeners_[connection] = caller; }
    void remove(ConnectionId connection) { listeners_.erase(connection); }

    void session_up(const Session& session);
    /// A session that never came up has nothing to tell but to who asked for it.
    void session_down(const Session& session);
    /// Those who may know what concerns `owner`.
    void tell(const Caller& owner, const nlohmann::ordered_json& event);

private:
    void announce(const char* event, const Session& session, std::string_view reason);

    Tell tell_;
    std::map<ConnectionId, Caller> listeners_;
};

}  // namespace causeway::service
