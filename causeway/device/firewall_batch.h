// A transaction of the firewall while it is put together: netlink messages that are carried out all
// or none. For netlink_firewall.cpp only.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/device/firewall.h"

#include <functional>
#include <string>

namespace causeway::device {

std::uint8_t family_of(FirewallTable::Kind kind);

class FirewallBatch {
public:
    /// Gives the number of the next message.
    using Numbers = std::function<std::uint32_t()>;

    explicit FirewallBatch(Numbers numbers);

    void remove_table(FirewallTable::Kind kind, const std::string& name);
    void add_table(const FirewallTable& table, std::uint32_t flags);
    /// Without this the kernel looks at everything and takes it back.
    void end();

    const Bytes& bytes() const { return bytes_; }
    std::uint32_t head() const { return head_; }
    std::uint32_t last() const { return last_; }

private:
    void begin_message(std::uint16_t type, std::uint8_t family, std::uint16_t resource, int flags);
    void begin_change(int what, FirewallTable::Kind kind, int flags);
    void end_message();
    void put(int type, ByteView value);
    void put(int type, const std::string& text);
    void put_number(int type, std::uint32_t number);
    std::size_t open(int type);
    void close(std::size_t nest);

    void add_set(const FirewallTable& table, const FirewallSet& set);
    void add_elements(const FirewallTable& table, const FirewallSet& set);
    void add_element(const IpAddress& key, bool is_end);
    void add_chain(const FirewallTable& table, const FirewallChain& chain);
    void add_rule(const FirewallTable& table, const std::string& chain, const FirewallRule& rule);
    void add(const Expression& expression);

    Numbers numbers_;
    Bytes bytes_;
    std::size_t message_ = 0;  ///< Where the last message begins.
    std::uint32_t head_ = 0;
    std::uint32_t last_ = 0;
};

}  // namespace causeway::device
