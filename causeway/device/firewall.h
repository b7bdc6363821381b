// A table of the kernel's firewall (nf_tables) as a plain value: sets, chains, rules.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/device/address_range.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace causeway::device {

/// Tables of ours begin with this.
inline constexpr std::string_view firewall_prefix = "causeway-";

// Expressions of a rule. They use one register: a load fills it, what follows judges it, and the
// rule ends when the judgement is no.

struct LoadMeta {
    enum class Key : std::uint8_t { out_link, mark, user, family, transport, ether_type };
    Key key;
    bool operator==(const LoadMeta&) const = default;
};
struct LoadBytes {
    enum class Header : std::uint8_t { network, transport };
    Header header;
    std::uint32_t offset;
    std::uint32_t size;
    bool operator==(const LoadBytes&) const = default;
};
struct Mask {
    Bytes mask;
    bool operator==(const Mask&) const = default;
};
/// Before ordering a number that the kernel keeps in its own byte order.
struct ToNetworkOrder {
    bool operator==(const ToNetworkOrder&) const = default;
};
struct Compare {
    enum class How : std::uint8_t { equal, at_least, at_most };
    How how;
    Bytes value;
    bool operator==(const Compare&) const = default;
};
struct IsInSet {
    std::string set;
    bool operator==(const IsInSet&) const = default;
};
struct Count {
    bool operator==(const Count&) const = default;
};
enum class Verdict : std::uint8_t { accept, drop, reject };

using Expression =
    std::variant<LoadMeta, LoadBytes, Mask, ToNetworkOrder, Compare, IsInSet, Count, Verdict>;
using FirewallRule = std::vector<Expression>;

struct FirewallSet {
    std::string name;
    Family family;
    std::vector<AddressRange> ranges;
    /// The elements are single addresses and vanish after this time; the kernel sees to it.
    std::optional<std::chrono::milliseconds> lifetime = {};

    bool operator==(const FirewallSet&) const = default;
};

struct FirewallChain {
    /// Where packets are looked at: as their program sends them, as they pass through this machine,
    /// when it is decided by which link they go, and as frames on their way to a link.
    enum class Hook : std::uint8_t { output, forward, postrouting, egress };
    std::string name;
    Hook hook;
    std::int32_t priority;
    Verdict policy;
    std::vector<std::string> links = {};  ///< For egress.
    std::vector<FirewallRule> rules = {};

    bool operator==(const FirewallChain&) const = default;
};

struct FirewallTable {
    enum class Kind : std::uint8_t { packets, frames };  ///< "inet" or "netdev".
    std::string name;
    Kind kind;
    std::vector<FirewallSet> sets;
    std::vector<FirewallChain> chains;

    bool operator==(const FirewallTable&) const = default;
};

/// "mark & ffff0000 == 43570000 accept"
std::string text(const FirewallRule& rule);

}  // namespace causeway::device
