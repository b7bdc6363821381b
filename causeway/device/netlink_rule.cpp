// The part of Netlink that speaks of rules.

#include "causeway/base/overloaded.h"
#include "causeway/device/netlink.h"
#include "causeway/device/netlink_message.h"
#include "causeway/device/protect.h"

#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <cerrno>

namespace causeway::device {
namespace {

std::uint8_t domain_of(Family family) { return family == Family::ipv4 ? AF_INET : AF_INET6; }

bool is_absence(const Error& error) {
    return is_errno(error, ENOENT) || is_errno(error, ESRCH) || is_errno(error, EAFNOSUPPORT);
}

void put_our_mark(NetlinkMessage& message) {
    message.put(FRA_FWMARK, mark_base);
    message.put(FRA_FWMASK, mark_mask);
}

void fill_rule(NetlinkMessage& message, const Rule& rule) {
    auto& info = message.fixed<fib_rule_hdr>();
    info.family = domain_of(rule.family);
    info.action = FR_ACT_TO_TBL;
    message.put(FRA_PRIORITY, rule.priority);
    message.put(FRA_TABLE, rule.table);
    message.put_byte(FRA_PROTOCOL, our_protocol);
    std::visit(overloaded{[&](const Unmarked&) {
                              info.flags = FIB_RULE_INVERT;
                              put_our_mark(message);
                          },
                          [&](const Marked& p) {
                              info.action = FR_ACT_GOTO;
                              put_our_mark(message);
                              message.put(FRA_GOTO, p.next);
                          },
                          [&](const MarkedAs& p) {
                              message.put(FRA_FWMARK, p.mark);
                              message.put(FRA_FWMASK, ~std::uint32_t{0});
                          },
                          [&](const Landing&) { info.action = FR_ACT_NOP; },
                          [&](const From& p) {
                              info.src_len = static_cast<std::uint8_t>(p.address.bits());
                              message.put(FRA_SRC, p.address);
                          },
                          [&](const To& p) {
                              info.dst_len = static_cast<std::uint8_t>(p.address.bits());
                              message.put(FRA_DST, p.address);
                          },
                          [&](const UserRange& p) {
                              const fib_rule_uid_range range{p.first, p.last};
                              message.put(FRA_UID_RANGE, std::as_bytes(std::span(&range, 1)));
                          }},
               rule.packets);
}

std::string words_for(const Rule::Packets& packets) {
    return std::visit(
        overloaded{[](const Unmarked&) { return std::string("not marked"); },
                   [](const Marked& p) { return fmt::format("marked goto {}", p.next); },
                   [](const MarkedAs& p) { return fmt::format("marked {:#x}", p.mark); },
                   [](const Landing&) { return std::string("nop"); },
                   [](const From& p) { return "from " + p.address.text(); },
                   [](const To& p) { return "to " + p.address.text(); },
                   [](const UserRange& p) { return fmt::format("users {}-{}", p.first, p.last); }},
        packets);
}

/// What a dumped rule says, attribute by attribute.
struct RuleFacts {
    std::uint32_t priority = 0, table = 0, mark = 0, mask = 0, next = 0;
    std::uint8_t protocol = 0;
    std::optional<IpAddress> source = {}, destination = {};
    std::optional<UserRange> users = {};
};

RuleFacts facts_in(const nlmsghdr& message) {
    RuleFacts facts;
    for_each_attribute(message, sizeof(fib_rule_hdr), [&](const nlattr& attribute) {
        const ByteView value{static_cast<const std::byte*>(mnl_attr_get_payload(&attribute)),
                             mnl_attr_get_payload_len(&attribute)};
        switch (mnl_attr_get_type(&attribute)) {
            case FRA_PRIORITY: facts.priority = mnl_attr_get_u32(&attribute); break;
            case FRA_TABLE: facts.table = mnl_attr_get_u32(&attribute); break;
            case FRA_FWMARK: facts.mark = mnl_attr_get_u32(&attribute); break;
            case FRA_FWMASK: facts.mask = mnl_attr_get_u32(&attribute); break;
            case FRA_GOTO: facts.next = mnl_attr_get_u32(&attribute); break;
            case FRA_PROTOCOL: facts.protocol = mnl_attr_get_u8(&attribute); break;
            case FRA_SRC: facts.source = IpAddress::from_bytes(value); break;
            case FRA_DST: facts.destination = IpAddress::from_bytes(value); break;
            case FRA_UID_RANGE: {
                fib_rule_uid_range range{};
                if (value.size() == sizeof range) std::memcpy(&range, value.data(), sizeof range);
                facts.users = UserRange{range.start, range.end};
                break;
            }
            default: break;
        }
    });
    return facts;
}

/// Nothing for a rule such as we make none.
std::optional<Rule::Packets> packets_in(const fib_rule_hdr& info, const RuleFacts& facts) {
    const bool has_mark = facts.mark == mark_base && facts.mask == mark_mask;
    const bool is_inverted = (info.flags & FIB_RULE_INVERT) != 0;
    if (info.action == FR_ACT_GOTO && has_mark && !is_inverted) return Marked{facts.next};
    if (info.action == FR_ACT_NOP) return Landing{};
    if (info.action != FR_ACT_TO_TBL) return std::nullopt;
    if (has_mark && is_inverted) return Unmarked{};
    if (!is_inverted && facts.mask == ~std::uint32_t{0}) return MarkedAs{facts.mark};
    if (is_inverted || facts.mask != 0) return std::nullopt;
    if (facts.users) return *facts.users;
    if (facts.source && info.src_len == facts.source->bits()) return From{*facts.source};
    if (facts.destination && info.dst_len == facts.destination->bits())
        return To{*facts.destination};
    return std::nullopt;
}

}  // namespace

std::string text(const Rule& rule) {
    return fmt::format("{} rule {}: {} lookup {:#x}", rule.family == Family::ipv4 ? "IPv4" : "IPv6",
                       rule.priority, words_for(rule.packets), rule.table);
}

Result<void> Netlink::add_rule(const Rule& rule) {
    NetlinkMessage message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
    fill_rule(message, rule);
    return socket_.transact(message.bytes());
}

Result<void> Netlink::remove_rule(const Rule& rule) {
    NetlinkMessage message(RTM_DELRULE, 0);
    fill_rule(message, rule);
    auto removed = socket_.transact(message.bytes());
    if (!removed && is_absence(removed.error())) return {};
    return removed;
}

Result<std::vector<Rule>> Netlink::rules(Family family, std::uint32_t table) {
    NetlinkMessage message(RTM_GETRULE, 0);
    message.fixed<fib_rule_hdr>().family = domain_of(family);
    auto found = socket_.dump(message.bytes());
    if (!found && is_absence(found.error())) return std::vector<Rule>{};
    if (!found) return pass(found);
    std::vector<Rule> rules;
    for (const auto& bytes : *found) {
        const auto& header = header_in(bytes);
        const auto& info = *static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(&header));
        const auto facts = facts_in(header);
        if (info.family != domain_of(family) || facts.protocol != our_protocol) continue;
        const auto packets = packets_in(info, facts);
        if (packets && facts.table == table)
            rules.push_back({family, table, facts.priority, *packets});
    }
    return rules;
}

}  // namespace causeway::device
