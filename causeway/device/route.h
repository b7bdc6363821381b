// Routes, rules and the numbers a run uses for them: plain values.

#pragma once

#include "causeway/base/address.h"
#include "causeway/device/users.h"

#include <cstdint>
#include <string>
#include <variant>

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

// Which packets a rule is for.

/// Those without a mark of ours.
struct Unmarked {
    bool operator==(const Unmarked&) const = default;
};
/// Those with one: the look-up goes on at the rule of priority `next`, where there must be one.
struct Marked {
    std::uint32_t next;
    bool operator==(const Marked&) const = default;
};
/// Those with just this mark.
struct MarkedAs {
    std::uint32_t mark;
    bool operator==(const MarkedAs&) const = default;
};
/// None; where the one before leads to.
struct Landing {
    bool operator==(const Landing&) const = default;
};
/// Those with this source or destination.
struct From {
    IpAddress address;
    bool operator==(const From&) const = default;
};
struct To {
    IpAddress address;
    bool operator==(const To&) const = default;
};

/// A rule of ours: such packets look into `table`.
struct Rule {
    using Packets = std::variant<Unmarked, Marked, MarkedAs, Landing, From, To, UserRange>;

    Family family;
    std::uint32_t table;
    std::uint32_t priority;
    Packets packets = Unmarked{};

    bool operator==(const Rule&) const = default;
};

/// "17999: not marked lookup 0x43570001"
std::string text(const Rule& rule);

}  // namespace causeway::device
