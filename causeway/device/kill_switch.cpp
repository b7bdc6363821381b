#include "causeway/device/kill_switch.h"

#include "causeway/device/protect.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace causeway::device {
namespace {

using Hook = FirewallChain::Hook;
using Key = LoadMeta::Key;
using How = Compare::How;

/// The loopback interface has this index in every network namespace.
constexpr std::uint32_t loopback = 1;

/// Behind whatever else there is: what others rewrite or reroute is seen as it leaves.
constexpr std::int32_t last_of_all = 300;

constexpr std::uint16_t domain_port = 53;
constexpr std::uint16_t domain_over_tls_port = 853;

Bytes host_order(std::uint32_t number) {
    Bytes bytes(sizeof number);
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
}
Bytes network_order_16(std::uint16_t number) {
    Bytes bytes;
    put_big_endian_16(bytes, number);
    return bytes;
}
Bytes network_order_32(std::uint32_t number) {
    Bytes bytes;
    put_big_endian_32(bytes, number);
    return bytes;
}
Bytes one_byte(std::uint8_t number) { return {std::byte{number}}; }

Compare is(Bytes value) { return {How::equal, std::move(value)}; }

FirewallRule operator+(FirewallRule rule, const FirewallRule& more) {
    rule.insert(rule.end(), more.begin(), more.end());
    return rule;
}

bool has(const std::vector<Family>& families, Family family) {
    return std::ranges::find(families, family) != families.end();
}

std::string set_name(std::string_view what, Family family) {
    return std::string(what) + (family == Family::ipv4 ? "4" : "6");
}

/// One chain while its rules are written.
class ChainWriter {
public:
    ChainWriter(const KillSwitch& wanted, Hook hook) : wanted_(wanted), hook_(hook) {}

    std::vector<FirewallRule> rules() {
        if (hook_ != Hook::egress) pass_inside();
        if (hook_ != Hook::forward) pass_own();
        for (const auto family : {Family::ipv4, Family::ipv6}) {
            if (!has(wanted_.families, family)) continue;
            if (hook_ != Hook::forward) pass_what_links_need(family);
            pass_outside(family);
            if (hook_ != Hook::forward) pass_portal(family);
        }
        hold_back_the_rest();
        return std::move(rules_);
    }

private:
    void add(FirewallRule rule) { rules_.push_back(std::move(rule)); }
    void pass(FirewallRule rule) { add(std::move(rule) + FirewallRule{Verdict::accept}); }

    FirewallRule of(Family family) const {
        // Frames have a type; a packet that is being made may not have one yet.
        if (hook_ == Hook::egress) return of_type(family == Family::ipv4 ? ETH_P_IP : ETH_P_IPV6);
        return {LoadMeta{Key::family}, is(one_byte(family == Family::ipv4 ? AF_INET : AF_INET6))};
    }
    static FirewallRule of_type(std::uint16_t type) {
        return {LoadMeta{Key::ether_type}, is(network_order_16(type))};
    }
    static FirewallRule over(std::uint8_t transport) {
        return {LoadMeta{Key::transport}, is(one_byte(transport))};
    }
    static LoadBytes destination(Family family) {
        using enum LoadBytes::Header;
        return family == Family::ipv4 ? LoadBytes{network, 16, 4} : LoadBytes{network, 24, 16};
    }
    static FirewallRule to_port(std::uint16_t port) {
        return {LoadBytes{LoadBytes::Header::transport, 2, 2}, is(network_order_16(port))};
    }
    static FirewallRule between_ports(std::uint16_t from, std::uint16_t to) {
        return {LoadBytes{LoadBytes::Header::transport, 0, 4},
                is(network_order_32(static_cast<std::uint32_t>(from) << 16 | to))};
    }
    /// fe80::/10
    static FirewallRule to_link_local() {
        return {LoadBytes{LoadBytes::Header::network, 24, 2}, Mask{network_order_16(0xffc0)},
                is(network_order_16(0xfe80))};
    }

    void pass_inside() {
        pass({LoadMeta{Key::out_link}, is(host_order(loopback))});
        for (const int tunnel : wanted_.tunnels)
            pass({LoadMeta{Key::out_link}, is(host_order(static_cast<std::uint32_t>(tunnel)))});
    }

    /// Sockets that are protected, of this tunnel and of others.
    void pass_own() {
        pass({LoadMeta{Key::mark}, Mask{host_order(mark_mask)}, is(host_order(mark_base))});
    }

    /// Without these a link has no address and no neighbours, and the tunnel no way. Their ports
    /// and raw sockets are root's.
    void pass_what_links_need(Family family) {
        if (family == Family::ipv4) {
            pass(of(family) + over(IPPROTO_UDP) + between_ports(68, 67));
            return;
        }
        const auto dhcp = of(family) + over(IPPROTO_UDP) + between_ports(546, 547);
        const auto servers = copy(IpAddress::parse("ff02::1:2")->bytes());
        pass(dhcp + FirewallRule{destination(family), is(servers)});
        pass(dhcp + to_link_local());
        // RFC 4861: router solicitation, neighbour solicitation and advertisement; a hop limit of
        // 255 cannot have come through a router.
        for (const auto type : std::array<std::uint8_t, 3>{133, 135, 136})
            pass(of(family) + over(IPPROTO_ICMPV6) +
                 FirewallRule{LoadBytes{LoadBytes::Header::transport, 0, 1}, is(one_byte(type)),
                              LoadBytes{LoadBytes::Header::network, 7, 1}, is(one_byte(255))});
    }

    void pass_outside(Family family) {
        if (wanted_.is_lenient && family == Family::ipv6) {
            pass(of(family) + to_link_local());
            pass(of(family) + FirewallRule{LoadBytes{LoadBytes::Header::network, 24, 2},
                                           is(network_order_16(0xff02))});
        }
        if (ranges_of(wanted_.outside, family).empty()) return;
        // A printer may be reached beside the tunnel; what is asked of the router's name server
        // would tell where the tunnel's packets go.
        if (!wanted_.is_lenient)
            for (const auto transport : std::array<std::uint8_t, 2>{IPPROTO_UDP, IPPROTO_TCP})
                for (const auto port : {domain_port, domain_over_tls_port})
                    hold_back(of(family) + over(transport) + to_port(port));
        pass(of(family) + FirewallRule{destination(family), IsInSet{set_name("outside", family)}});
    }

    void pass_portal(Family family) {
        if (!wanted_.portal) return;
        for (const auto port : std::array<std::uint16_t, 2>{80, 443})
            pass(of(family) +
                 FirewallRule{LoadMeta{Key::user}, is(host_order(wanted_.portal->user)),
                              destination(family), IsInSet{set_name("portal", family)}} +
                 over(IPPROTO_TCP) + to_port(port));
    }

    void hold_back_the_rest() {
        for (const auto family : wanted_.families) hold_back(of(family));
        // A packet socket may put a tag of its own before a packet; tags of the kernel's are
        // elsewhere here.
        if (hook_ == Hook::egress && wanted_.families.size() == 2 && wanted_.users.empty() &&
            !wanted_.mark)
            for (const auto type : std::array<std::uint16_t, 2>{ETH_P_8021Q, ETH_P_8021AD})
                hold_back(of_type(type));
    }

    void hold_back(FirewallRule which) {
        if (wanted_.mark)
            which.insert(which.end(), {LoadMeta{Key::mark}, is(host_order(*wanted_.mark))});
        // Who sends is told why at once, where the kernel can.
        const bool tells = hook_ == Hook::output || hook_ == Hook::forward;
        const FirewallRule end = {Count{}, tells ? Verdict::reject : Verdict::drop};
        if (wanted_.users.empty()) return add(which + end);
        for (const auto& range : merged(wanted_.users))
            add(which +
                FirewallRule{LoadMeta{Key::user}, ToNetworkOrder{},
                             Compare{How::at_least, network_order_32(range.first)},
                             Compare{How::at_most, network_order_32(range.last)}} +
                end);
    }

    const KillSwitch& wanted_;
    Hook hook_;
    std::vector<FirewallRule> rules_;
};

std::vector<FirewallSet> sets_of(const KillSwitch& wanted) {
    std::vector<FirewallSet> sets;
    for (const auto family : wanted.families) {
        if (auto ranges = ranges_of(wanted.outside, family); !ranges.empty())
            sets.push_back({set_name("outside", family), family, std::move(ranges)});
        if (!wanted.portal) continue;
        FirewallSet portal{set_name("portal", family), family, {}, wanted.portal->lifetime};
        for (const auto& address : wanted.portal->addresses)
            if (address.family() == family) portal.ranges.push_back({address, {}});
        sets.push_back(std::move(portal));
    }
    return sets;
}

FirewallChain chain_of(const KillSwitch& wanted, std::string name, Hook hook,
                       std::int32_t priority) {
    return {std::move(name), hook, priority,
            Verdict::accept, {},   ChainWriter(wanted, hook).rules()};
}

}  // namespace

std::vector<FirewallTable> tables_of(const KillSwitch& wanted) {
    std::vector<FirewallTable> tables;
    tables.push_back({wanted.table,
                      FirewallTable::Kind::packets,
                      sets_of(wanted),
                      {chain_of(wanted, "output", Hook::output, 0),
                       chain_of(wanted, "forward", Hook::forward, 0),
                       chain_of(wanted, "postrouting", Hook::postrouting, last_of_all)}});
    if (wanted.links.empty()) return tables;
    auto frames = chain_of(wanted, "egress", Hook::egress, last_of_all);
    frames.links = wanted.links;
    tables.push_back(
        {wanted.table, FirewallTable::Kind::frames, sets_of(wanted), {std::move(frames)}});
    return tables;
}

}  // namespace causeway::device
