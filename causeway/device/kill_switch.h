// The kill switch: a table of the firewall that lets nothing leave beside the tunnel.
//
//     program --> output ----+--> postrouting --> egress --> link
//     forwarded --> forward -+                      ^
//                                 packet socket ----'
//
// Each of the four looks at every packet and frame, whatever its route, its socket or the age of
// its flow. What may pass is in one list, in kill_switch.cpp. Where nothing else is said, both
// families are closed to everybody.
//
// What it cannot see: frames of a protocol other than IP (a packet socket of root may send what it
// likes in them), AF_XDP sockets, and what other machines send.

#pragma once

#include "causeway/device/firewall.h"
#include "causeway/device/users.h"

#include <string>
#include <vector>

namespace causeway::device {

/// A hotel's or a train's page that asks for consent before the network is open: one user may
/// reach it by HTTP and HTTPS, for a while.
struct Portal {
    std::uint32_t user;
    std::vector<IpAddress> addresses;
    std::chrono::milliseconds lifetime = std::chrono::minutes(5);  ///< At most portal_limit.

    bool operator==(const Portal&) const = default;
};

struct KillSwitch {
    std::string table;  ///< Its name.
    std::vector<Family> families = {Family::ipv4, Family::ipv6};
    std::vector<int> tunnels = {};  ///< Links by which everything may leave.
    /// Links whose frames are looked at too, if the kernel can.
    std::vector<std::string> links = {};
    std::vector<Prefix> outside = {};  ///< Destinations that are reached beside the tunnel.
    /// Name servers among them may be asked, and what stays on a link by its address passes: for
    /// a family that a tunnel does not carry, and no more than that.
    bool is_lenient = false;
    std::vector<UserRange> users = {};  ///< Whose packets are held back; empty: everybody's.
    /// Only packets with this mark are held back.
    std::optional<std::uint32_t> mark = {};
    std::optional<Portal> portal = {};

    bool operator==(const KillSwitch&) const = default;
};

/// The tables of the firewall that make it so: packets, and frames when there are links.
std::vector<FirewallTable> tables_of(const KillSwitch& wanted);

}  // namespace causeway::device
