// The sessions there are: which one is meant, and what another one leaves room for.

#pragma once

#include "causeway/error/error.h"
#include "causeway/service/ask.h"
#include "causeway/service/session.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace causeway::service {

class SessionTable {
public:
    using Sessions = std::map<std::uint64_t, std::unique_ptr<Session>>;

    /// Takes a place for the caller's VPN before anything is changed.
    Session& reserve(const Ask& ask, VpnConfig config);
    /// Null when there is none.
    std::unique_ptr<Session> remove(std::uint64_t id);

    Session* find(std::uint64_t id);
    bool contains(std::uint64_t id) const { return sessions_.contains(id); }
    /// By the 16 digits. Fails with INVALID_PARAMETER_VALUE.
    Result<Session*> named(const std::string& id);
    std::vector<std::uint64_t> of(ConnectionId connection) const;
    std::vector<std::uint64_t> ids() const;
    const Sessions& all() const { return sessions_; }
    bool empty() const { return sessions_.empty(); }

    /// What is impossible beside the VPNs that are up: INVALID_PARAMETER_VALUE.
    Result<void> check_others(const VpnConfig& config) const;
    /// Fails with VPN_ALREADY_EXISTS: whose, since when.
    Result<void> check_slot(const VpnConfig& config, const Caller& caller) const;

private:
    Sessions sessions_;
};

}  // namespace causeway::service
