#include "causeway/device/netlink_firewall.h"

#include "causeway/device/firewall_batch.h"
#include "causeway/device/netlink_message.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace causeway::device {
namespace {

using Kind = FirewallTable::Kind;

constexpr std::array both_kinds = {Kind::packets, Kind::frames};

/// NFT_TABLE_F_OWNER and NFT_TABLE_F_PERSIST (Linux 6.10, so not in older headers): nobody else may
/// change the table, and it outlives us. The first without the second would open the machine when
/// we are killed.
constexpr std::uint32_t own_and_outlive = 0x2 | 0x4;

constexpr const char* trial_name = "causeway-trial";

std::uint16_t type_of(int what) {
    return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | what);
}

/// "inet table" or "netdev table" as a question.
struct Question : NetlinkMessage {
    Question(int what, Kind kind, int flags) : NetlinkMessage(type_of(what), flags) {
        fixed<nfgenmsg>().nfgen_family = family_of(kind);
    }
};

std::string text_in(const nlmsghdr& message, int type) {
    std::string text;
    for_each_attribute(message, sizeof(nfgenmsg), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == type) text = mnl_attr_get_str(&attribute);
    });
    return text;
}

ByteView value_of(const nlattr& attribute) {
    return {static_cast<const std::byte*>(mnl_attr_get_payload(&attribute)),
            mnl_attr_get_payload_len(&attribute)};
}

/// A rule's expressions in hexadecimal digits, without what its counters have counted.
std::string expressions_in(const nlmsghdr& rule) {
    std::string text;
    for_each_attribute(rule, sizeof(nfgenmsg), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) != NFTA_RULE_EXPRESSIONS) return;
        for_each_inside(attribute, [&](const nlattr& expression) {
            const auto bytes = value_of(expression);
            text += as_text(bytes).find("counter") == std::string_view::npos ? hex(bytes) : "count";
            text += ' ';
        });
    });
    return text;
}

}  // namespace

Result<NetlinkFirewall> NetlinkFirewall::open() {
    auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
    if (!socket) return pass(socket);
    return NetlinkFirewall(std::move(*socket));
}

bool NetlinkFirewall::accepts(const FirewallTable& table, std::uint32_t flags) {
    FirewallBatch batch([this] { return socket_.next(); });
    batch.add_table(table, flags);
    return commit(batch).has_value();
}

FirewallReach NetlinkFirewall::reach() {
    using Hook = FirewallChain::Hook;
    const FirewallRule refuses = {Count{}, Verdict::reject};
    const FirewallTable packets{trial_name,
                                Kind::packets,
                                {},
                                {{"output", Hook::output, 0, Verdict::accept, {}, {refuses}}}};
    flags_ = own_and_outlive;
    if (!accepts(packets, flags_)) {
        flags_ = 0;
        if (!accepts(packets, flags_)) return FirewallReach::none;
    }
    const FirewallTable frames{
        trial_name, Kind::frames, {}, {{"egress", Hook::egress, 0, Verdict::accept, {"lo"}, {}}}};
    return accepts(frames, flags_) ? FirewallReach::frames : FirewallReach::packets;
}

Result<void> NetlinkFirewall::commit(FirewallBatch& batch) {
    return socket_.exchange(batch.bytes(), batch.last(), [](const nlmsghdr&) {}, batch.head());
}

Result<bool> NetlinkFirewall::has(Kind kind, const std::string& name) {
    Question question(NFT_MSG_GETTABLE, kind, 0);
    question.put(NFTA_TABLE_NAME, name);
    auto asked = socket_.transact(question.bytes());
    if (asked) return true;
    if (is_errno(asked.error(), ENOENT)) return false;
    return pass(asked);
}

Result<bool> NetlinkFirewall::add_removal(FirewallBatch& batch, const std::string& name) {
    bool any = false;
    for (const auto kind : both_kinds) {
        auto there = has(kind, name);
        if (!there) return there;
        if (*there) batch.remove_table(kind, name);
        any |= *there;
    }
    return any;
}

Result<void> NetlinkFirewall::replace(const std::string& name,
                                      std::span<const FirewallTable> tables) {
    FirewallBatch batch([this] { return socket_.next(); });
    if (auto removed = add_removal(batch, name); !removed) return pass(removed);
    for (const auto& table : tables) batch.add_table(table, flags_);
    batch.end();
    return commit(batch);
}

Result<void> NetlinkFirewall::remove(const std::string& name) {
    FirewallBatch batch([this] { return socket_.next(); });
    auto any = add_removal(batch, name);
    if (!any) return pass(any);
    if (!*any) return {};
    batch.end();
    return commit(batch);
}

Result<std::optional<std::string>> NetlinkFirewall::contents(const std::string& name) {
    std::string all;
    bool any = false;
    for (const auto kind : both_kinds) {
        auto there = has(kind, name);
        if (!there) return pass(there);
        if (!*there) continue;
        any = true;
        for (const auto part :
             {&NetlinkFirewall::chains, &NetlinkFirewall::rules, &NetlinkFirewall::sets}) {
            auto text = (this->*part)(kind, name);
            if (!text) return pass(text);
            all += *text;
        }
    }
    if (!any) return std::nullopt;
    return all;
}

Result<std::string> NetlinkFirewall::chains(Kind kind, const std::string& name) {
    Question question(NFT_MSG_GETCHAIN, kind, 0);
    auto found = socket_.dump(question.bytes());
    if (!found) return pass(found);
    std::string text;
    for (const auto& message : *found) {
        const auto& chain = header_in(message);
        if (text_in(chain, NFTA_CHAIN_TABLE) != name) continue;
        text += "chain " + text_in(chain, NFTA_CHAIN_NAME);
        for_each_attribute(chain, sizeof(nfgenmsg), [&](const nlattr& attribute) {
            const auto type = mnl_attr_get_type(&attribute);
            if (type == NFTA_CHAIN_POLICY) text += " policy " + hex(value_of(attribute));
            if (type == NFTA_CHAIN_HOOK && kind == Kind::packets)
                text += " hook " + hex(value_of(attribute));
        });
        text += '\n';
    }
    return text;
}

Result<std::string> NetlinkFirewall::rules(Kind kind, const std::string& name) {
    Question question(NFT_MSG_GETRULE, kind, 0);
    question.put(NFTA_RULE_TABLE, name);
    auto found = socket_.dump(question.bytes());
    if (!found) return pass(found);
    std::string text;
    for (const auto& message : *found) {
        const auto& rule = header_in(message);
        if (text_in(rule, NFTA_RULE_TABLE) != name) continue;
        text += "rule " + text_in(rule, NFTA_RULE_CHAIN) + ' ' + expressions_in(rule) + '\n';
    }
    return text;
}

Result<std::string> NetlinkFirewall::sets(Kind kind, const std::string& name) {
    Question question(NFT_MSG_GETSET, kind, 0);
    question.put(NFTA_SET_TABLE, name);
    auto found = socket_.dump(question.bytes());
    if (!found) return pass(found);
    std::string text;
    for (const auto& message : *found) {
        const auto& set = header_in(message);
        const auto set_name = text_in(set, NFTA_SET_NAME);
        std::uint32_t flags = 0;
        for_each_attribute(set, sizeof(nfgenmsg), [&](const nlattr& attribute) {
            if (mnl_attr_get_type(&attribute) == NFTA_SET_FLAGS)
                flags = big_endian_32(value_of(attribute));
        });
        text += "set " + set_name + '\n';
        if ((flags & NFT_SET_TIMEOUT) != 0) continue;
        auto elements_text = elements(kind, name, set_name);
        if (!elements_text) return elements_text;
        text += *elements_text;
    }
    return text;
}

Result<std::string> NetlinkFirewall::elements(Kind kind, const std::string& name,
                                              const std::string& set) {
    Question question(NFT_MSG_GETSETELEM, kind, 0);
    question.put(NFTA_SET_ELEM_LIST_TABLE, name);
    question.put(NFTA_SET_ELEM_LIST_SET, set);
    auto found = socket_.dump(question.bytes());
    if (!found) return pass(found);
    std::vector<std::string> keys;
    for (const auto& message : *found)
        for_each_attribute(header_in(message), sizeof(nfgenmsg), [&](const nlattr& list) {
            if (mnl_attr_get_type(&list) != NFTA_SET_ELEM_LIST_ELEMENTS) return;
            for_each_inside(list,
                            [&](const nlattr& element) { keys.push_back(hex(value_of(element))); });
        });
    std::ranges::sort(keys);
    std::string text;
    for (const auto& key : keys) text += "element " + key + '\n';
    return text;
}

}  // namespace causeway::device
