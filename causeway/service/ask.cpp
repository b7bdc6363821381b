#include "causeway/service/ask.h"

#include "causeway/service/request_faults.h"

#include <fmt/format.h>

namespace causeway::service {

std::unexpected<Error> illegal_value(std::string field, std::string value, std::string allowed) {
    RequestFaults faults;
    faults.illegal(std::move(field), std::move(value), std::move(allowed));
    return std::unexpected(faults.error());
}

bool may_see(const Caller& caller, const Caller& owner) {
    return caller.administers() || caller.uid == owner.uid;
}

std::unexpected<Error> others_session(std::string_view call) {
    return fail(Service::NOT_SYSTEM_CALLER,
                fmt::format("{} of other users' sessions is for root", call),
                Evidence{{"method", std::string(call)}});
}

}  // namespace causeway::service
