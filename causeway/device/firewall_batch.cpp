#include "causeway/device/firewall_batch.h"

#include "causeway/base/overloaded.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <array>
#include <cstring>
#include <utility>

namespace causeway::device {
namespace {

/// Elements a message: the length of a list of attributes has 16 bits.
constexpr std::size_t elements_a_message = 500;

/// What nft shows of a set: the types that it calls ipv4_addr and ipv6_addr.
constexpr std::uint32_t nft_type_ipv4 = 7;
constexpr std::uint32_t nft_type_ipv6 = 8;

std::uint32_t hook_number(FirewallChain::Hook hook) {
    switch (hook) {
        case FirewallChain::Hook::output: return NF_INET_LOCAL_OUT;
        case FirewallChain::Hook::forward: return NF_INET_FORWARD;
        case FirewallChain::Hook::postrouting: return NF_INET_POST_ROUTING;
        case FirewallChain::Hook::egress: return NF_NETDEV_EGRESS;
    }
    std::unreachable();
}

std::uint32_t key_number(LoadMeta::Key key) {
    switch (key) {
        case LoadMeta::Key::out_link: return NFT_META_OIF;
        case LoadMeta::Key::mark: return NFT_META_MARK;
        case LoadMeta::Key::user: return NFT_META_SKUID;
        case LoadMeta::Key::family: return NFT_META_NFPROTO;
        case LoadMeta::Key::transport: return NFT_META_L4PROTO;
        case LoadMeta::Key::ether_type: return NFT_META_PROTOCOL;
    }
    std::unreachable();
}

std::uint32_t comparison_number(Compare::How how) {
    switch (how) {
        case Compare::How::equal: return NFT_CMP_EQ;
        case Compare::How::at_least: return NFT_CMP_GTE;
        case Compare::How::at_most: return NFT_CMP_LTE;
    }
    std::unreachable();
}

}  // namespace

std::uint8_t family_of(FirewallTable::Kind kind) {
    return kind == FirewallTable::Kind::packets ? NFPROTO_INET : NFPROTO_NETDEV;
}

FirewallBatch::FirewallBatch(Numbers numbers) : numbers_(std::move(numbers)) {
    begin_message(NFNL_MSG_BATCH_BEGIN, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, 0);
    end_message();
    head_ = last_;
}

void FirewallBatch::begin_message(std::uint16_t type, std::uint8_t family, std::uint16_t resource,
                                  int flags) {
    message_ = bytes_.size();
    last_ = numbers_();
    const nlmsghdr header{0, type, static_cast<std::uint16_t>(NLM_F_REQUEST | flags), last_, 0};
    const nfgenmsg general{family, NFNETLINK_V0, htons(resource)};
    append(bytes_, std::as_bytes(std::span(&header, 1)));
    append(bytes_, std::as_bytes(std::span(&general, 1)));
}

void FirewallBatch::begin_change(int what, FirewallTable::Kind kind, int flags) {
    begin_message(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | what), family_of(kind), 0,
                  flags);
}

void FirewallBatch::end_message() {
    const auto length = static_cast<std::uint32_t>(bytes_.size() - message_);
    std::memcpy(&bytes_[message_ + offsetof(nlmsghdr, nlmsg_len)], &length, sizeof length);
}

void FirewallBatch::put(int type, ByteView value) {
    const nlattr header{static_cast<std::uint16_t>(NLA_HDRLEN + value.size()),
                        static_cast<std::uint16_t>(type)};
    append(bytes_, std::as_bytes(std::span(&header, 1)));
    append(bytes_, value);
    bytes_.resize(NLA_ALIGN(bytes_.size()));
}

void FirewallBatch::put(int type, const std::string& text) {
    put(type, std::as_bytes(std::span(text.c_str(), text.size() + 1)));
}

void FirewallBatch::put_number(int type, std::uint32_t number) {
    Bytes bytes;
    put_big_endian_32(bytes, number);
    put(type, ByteView(bytes));
}

std::size_t FirewallBatch::open(int type) {
    const auto nest = bytes_.size();
    put(type | NLA_F_NESTED, ByteView{});
    return nest;
}

void FirewallBatch::close(std::size_t nest) {
    const auto length = static_cast<std::uint16_t>(bytes_.size() - nest);
    std::memcpy(&bytes_[nest + offsetof(nlattr, nla_len)], &length, sizeof length);
}

void FirewallBatch::remove_table(FirewallTable::Kind kind, const std::string& name) {
    begin_change(NFT_MSG_DELTABLE, kind, NLM_F_ACK);
    put(NFTA_TABLE_NAME, name);
    end_message();
}

void FirewallBatch::add_table(const FirewallTable& table, std::uint32_t flags) {
    begin_change(NFT_MSG_NEWTABLE, table.kind, NLM_F_CREATE);
    put(NFTA_TABLE_NAME, table.name);
    put_number(NFTA_TABLE_FLAGS, flags);
    end_message();
    for (const auto& set : table.sets) {
        add_set(table, set);
        add_elements(table, set);
    }
    for (const auto& chain : table.chains) {
        add_chain(table, chain);
        for (const auto& rule : chain.rules) add_rule(table, chain.name, rule);
    }
    // The last message of a transaction asks for an answer.
    auto* header = reinterpret_cast<nlmsghdr*>(&bytes_[message_]);
    header->nlmsg_flags |= NLM_F_ACK;
}

void FirewallBatch::end() {
    const auto last = last_;
    begin_message(NFNL_MSG_BATCH_END, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, 0);
    end_message();
    last_ = last;
}

void FirewallBatch::add_set(const FirewallTable& table, const FirewallSet& set) {
    const bool is_v4 = set.family == Family::ipv4;
    begin_change(NFT_MSG_NEWSET, table.kind, NLM_F_CREATE);
    put(NFTA_SET_TABLE, table.name);
    put(NFTA_SET_NAME, set.name);
    put_number(NFTA_SET_FLAGS, set.lifetime ? NFT_SET_TIMEOUT : NFT_SET_INTERVAL);
    put_number(NFTA_SET_KEY_TYPE, is_v4 ? nft_type_ipv4 : nft_type_ipv6);
    put_number(NFTA_SET_KEY_LEN, is_v4 ? 4 : 16);
    put_number(NFTA_SET_ID, last_);
    if (set.lifetime) {
        const auto milliseconds = static_cast<std::uint64_t>(set.lifetime->count());
        Bytes bytes;
        put_big_endian_32(bytes, static_cast<std::uint32_t>(milliseconds >> 32));
        put_big_endian_32(bytes, static_cast<std::uint32_t>(milliseconds));
        put(NFTA_SET_TIMEOUT, ByteView(bytes));
    }
    end_message();
}

void FirewallBatch::add_elements(const FirewallTable& table, const FirewallSet& set) {
    for (std::size_t at = 0; at < set.ranges.size(); at += elements_a_message) {
        begin_change(NFT_MSG_NEWSETELEM, table.kind, NLM_F_CREATE);
        put(NFTA_SET_ELEM_LIST_TABLE, table.name);
        put(NFTA_SET_ELEM_LIST_SET, set.name);
        const auto list = open(NFTA_SET_ELEM_LIST_ELEMENTS);
        for (auto i = at; i < std::min(set.ranges.size(), at + elements_a_message); ++i) {
            add_element(set.ranges[i].first, false);
            if (set.ranges[i].end) add_element(*set.ranges[i].end, true);
        }
        close(list);
        end_message();
    }
}

void FirewallBatch::add_element(const IpAddress& key, bool is_end) {
    const auto element = open(NFTA_LIST_ELEM);
    const auto nest = open(NFTA_SET_ELEM_KEY);
    put(NFTA_DATA_VALUE, key.bytes());
    close(nest);
    if (is_end) put_number(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
    close(element);
}

void FirewallBatch::add_chain(const FirewallTable& table, const FirewallChain& chain) {
    begin_change(NFT_MSG_NEWCHAIN, table.kind, NLM_F_CREATE);
    put(NFTA_CHAIN_TABLE, table.name);
    put(NFTA_CHAIN_NAME, chain.name);
    put(NFTA_CHAIN_TYPE, std::string("filter"));
    put_number(NFTA_CHAIN_POLICY, chain.policy == Verdict::accept ? NF_ACCEPT : NF_DROP);
    const auto hook = open(NFTA_CHAIN_HOOK);
    put_number(NFTA_HOOK_HOOKNUM, hook_number(chain.hook));
    put_number(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(chain.priority));
    if (!chain.links.empty()) {
        const auto links = open(NFTA_HOOK_DEVS);
        for (const auto& link : chain.links) put(NFTA_DEVICE_NAME, link);
        close(links);
    }
    close(hook);
    end_message();
}

void FirewallBatch::add_rule(const FirewallTable& table, const std::string& chain,
                             const FirewallRule& rule) {
    begin_change(NFT_MSG_NEWRULE, table.kind, NLM_F_CREATE | NLM_F_APPEND);
    put(NFTA_RULE_TABLE, table.name);
    put(NFTA_RULE_CHAIN, chain);
    const auto list = open(NFTA_RULE_EXPRESSIONS);
    for (const auto& expression : rule) add(expression);
    close(list);
    end_message();
}

void FirewallBatch::add(const Expression& expression) {
    const auto element = open(NFTA_LIST_ELEM);
    const auto named = [&](const char* name, const auto& fill) {
        put(NFTA_EXPR_NAME, std::string(name));
        const auto data = open(NFTA_EXPR_DATA);
        fill();
        close(data);
    };
    const auto value = [&](int type, ByteView bytes) {
        const auto nest = open(type);
        put(NFTA_DATA_VALUE, bytes);
        close(nest);
    };
    const auto verdict = [&](std::uint32_t code) {
        named("immediate", [&] {
            put_number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
            const auto data = open(NFTA_IMMEDIATE_DATA);
            const auto nest = open(NFTA_DATA_VERDICT);
            put_number(NFTA_VERDICT_CODE, code);
            close(nest);
            close(data);
        });
    };
    std::visit(
        overloaded{[&](const LoadMeta& e) {
                       named("meta", [&] {
                           put_number(NFTA_META_KEY, key_number(e.key));
                           put_number(NFTA_META_DREG, NFT_REG_1);
                       });
                   },
                   [&](const LoadBytes& e) {
                       named("payload", [&] {
                           put_number(NFTA_PAYLOAD_DREG, NFT_REG_1);
                           put_number(NFTA_PAYLOAD_BASE, e.header == LoadBytes::Header::network
                                                             ? NFT_PAYLOAD_NETWORK_HEADER
                                                             : NFT_PAYLOAD_TRANSPORT_HEADER);
                           put_number(NFTA_PAYLOAD_OFFSET, e.offset);
                           put_number(NFTA_PAYLOAD_LEN, e.size);
                       });
                   },
                   [&](const Mask& e) {
                       named("bitwise", [&] {
                           put_number(NFTA_BITWISE_SREG, NFT_REG_1);
                           put_number(NFTA_BITWISE_DREG, NFT_REG_1);
                           put_number(NFTA_BITWISE_LEN, static_cast<std::uint32_t>(e.mask.size()));
                           value(NFTA_BITWISE_MASK, e.mask);
                           value(NFTA_BITWISE_XOR, Bytes(e.mask.size()));
                       });
                   },
                   [&](const ToNetworkOrder&) {
                       named("byteorder", [&] {
                           put_number(NFTA_BYTEORDER_SREG, NFT_REG_1);
                           put_number(NFTA_BYTEORDER_DREG, NFT_REG_1);
                           put_number(NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
                           put_number(NFTA_BYTEORDER_LEN, 4);
                           put_number(NFTA_BYTEORDER_SIZE, 4);
                       });
                   },
                   [&](const Compare& e) {
                       named("cmp", [&] {
                           put_number(NFTA_CMP_SREG, NFT_REG_1);
                           put_number(NFTA_CMP_OP, comparison_number(e.how));
                           value(NFTA_CMP_DATA, e.value);
                       });
                   },
                   [&](const IsInSet& e) {
                       named("lookup", [&] {
                           put(NFTA_LOOKUP_SET, e.set);
                           put_number(NFTA_LOOKUP_SREG, NFT_REG_1);
                       });
                   },
                   [&](const Count&) { named("counter", [] {}); },
                   [&](const Verdict& e) {
                       if (e == Verdict::accept) return verdict(NF_ACCEPT);
                       if (e == Verdict::drop) return verdict(NF_DROP);
                       named("reject", [&] {
                           put_number(NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
                           put(NFTA_REJECT_ICMP_CODE,
                               ByteView(std::array{std::byte{NFT_REJECT_ICMPX_ADMIN_PROHIBITED}}));
                       });
                   }},
        expression);
    close(element);
}

}  // namespace causeway::device
