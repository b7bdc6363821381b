// Routes, rules and the numbers a run uses for them: plain values.

#pragma once

#include "causeway/base/address.h"

#include <cstdint>
#include <string>

namespace causeway::device {

/// The protocol number of our routes and rules, so that they can be told from all others.
inline constexpr std::uint8_t our_protocol = 87;

enum class RouteKind : std::uint8_t {
    tunnel,       ///< Through the tunnel's interface.
    outside,      ///< "throw": the look-up goes on as if our table did not exist.
    unreachable,  ///< Nowhere.
};

struct Route {
    Prefix destination;
    RouteKind kind = RouteKind::tunnel;
    std::uint32_t metric = 0;  ///< Smaller is preferred; 0 is the kernel's default.

    bool operator==(const Route&) const = default;
};

/// "unreachable 0.0.0.0/0 metric 4278198272"
std::string text(const Route& route);

/// A rule of ours: packets without a mark of ours look into `table` first.
struct Rule {
    Family family;
    std::uint32_t table;
    std::uint32_t priority;

    bool operator==(const Rule&) const = default;
};

}  // namespace causeway::device
