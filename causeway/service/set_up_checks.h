// All checks of `set_up`, in the order in which they are promised.

#pragma once

#include "causeway/device/users.h"
#include "causeway/error/error.h"
#include "causeway/service/ask.h"
#include "causeway/service/consents.h"
#include "causeway/service/lockdowns.h"
#include "causeway/service/policy.h"
#include "causeway/service/session_table.h"
#include "causeway/service/vpn_config.h"

#include <vector>

namespace causeway::service {

/// What is wanted, with this machine's users.
struct WantedVpn {
    VpnConfig config;
    std::vector<device::UserRange> users;
};

/// What a set-up is held against.
struct SetUpRules {
    const Policy& policy;
    const Consents& consents;
    const SessionTable& sessions;
    const Lockdowns& lockdowns;
};

/// Nothing has changed before they are over. Fails with PROHIBITED_BY_POLICY, PARAMETER_ERROR,
/// INVALID_PARAMETER_VALUE, PERMISSION_DENIED, VPN_CREATION_DENIED, VPN_ALREADY_EXISTS or
/// CAPABILITY_NOT_SUPPORTED, in this order.
Result<WantedVpn> check_set_up(const Ask& ask, const SetUpRules& rules);

}  // namespace causeway::service
