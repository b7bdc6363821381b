// Which rule sends a destination where, and why: the sessions' tables, looked through in the order
// in which the kernel does.

#pragma once

#include "causeway/base/address.h"
#include "causeway/device/plan.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace causeway::service {

/// A tunnel that is up.
struct RoutedTunnel {
    std::uint64_t session;
    std::string interface;
    device::RunNumbers numbers;
    const device::Plan* plan;
};

struct RouteVerdict {
    enum class Way : std::uint8_t { outside, tunnel, blocked };

    Way way = Way::outside;
    /// The tunnel whose table decided, and its route; none: the machine's own routes did.
    const RoutedTunnel* tunnel = nullptr;
    std::optional<device::Route> route;
    /// Tables that were looked at before and said: go on.
    std::vector<std::string> passed;
};

/// For a socket without a mark of ours: protected ones are outside.
RouteVerdict explain_route(const IpAddress& destination, const std::vector<RoutedTunnel>& tunnels);

/// With what the kernel says, asked now; sends nothing.
nlohmann::ordered_json json_of(const IpAddress& destination, const RouteVerdict& verdict);

}  // namespace causeway::service
