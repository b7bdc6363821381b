// What callers were refused, kept for who asks again.

#pragma once

#include "causeway/error/error.h"
#include "causeway/error/incident.h"
#include "causeway/service/caller.h"

#include <deque>
#include <string>

namespace causeway::service {

/// Holds the last `incident_limit`.
class IncidentBook {
public:
    /// Makes an incident of a refusal.
    Incident record(const Caller& caller, Error error);
    /// By its 16 digits. Fails with INVALID_PARAMETER_VALUE (not, or no longer there) or
    /// NOT_SYSTEM_CALLER (another user's).
    Result<Incident> find(const Caller& caller, const std::string& id) const;

private:
    struct Kept {
        uid_t owner;
        Incident incident;
    };
    std::deque<Kept> incidents_;
};

}  // namespace causeway::service
