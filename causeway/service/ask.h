// One call of the service: who asks for what, and what it is answered with.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/service/caller.h"
#include "causeway/service/request.h"
#include "causeway/service/session.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// What a request is answered with.
struct Answer {
    nlohmann::ordered_json result = nlohmann::ordered_json::object();
    std::vector<Fd> descriptors = {};
};

/// Who asks, and with what.
struct Ask {
    ConnectionId connection;
    int socket;  ///< Of the connection, while it lasts; -1 for one of the bus.
    Caller caller;
    Request request;
    std::vector<Fd> descriptors;
    bool has_too_many_descriptors = false;
    int process = -1;           ///< A pidfd of the caller's, where the bus has named one.
    std::string bus_name = {};  ///< Of a caller of the bus.
};

/// INVALID_PARAMETER_VALUE for one field of a request.
std::unexpected<Error> illegal_value(std::string field, std::string value, std::string allowed);

/// One's own, and everybody's for who administers.
bool may_see(const Caller& caller, const Caller& owner);
/// NOT_SYSTEM_CALLER: other users' sessions are for root.
std::unexpected<Error> others_session(std::string_view call);

}  // namespace causeway::service
