// One netlink message while it is put together. For the netlink_*.cpp files only.

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/bytes.h"

#include <libmnl/libmnl.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace causeway::device {

class NetlinkMessage {
public:
    NetlinkMessage(std::uint16_t type, int flags) : header_(mnl_nlmsg_put_header(room_.data())) {
        header_->nlmsg_type = type;
        header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    }
    NetlinkMessage(const NetlinkMessage&) = delete;
    NetlinkMessage& operator=(const NetlinkMessage&) = delete;

    /// The fixed part behind the header, zeroed; lasts as long as the message.
    template <typename Fixed>
    Fixed& fixed() {
        return *static_cast<Fixed*>(mnl_nlmsg_put_extra_header(header_, sizeof(Fixed)));
    }
    void put(std::uint16_t type, std::uint32_t value) { mnl_attr_put_u32(header_, type, value); }
    void put_byte(std::uint16_t type, std::uint8_t value) { mnl_attr_put_u8(header_, type, value); }
    void put(std::uint16_t type, const std::string& text) {
        mnl_attr_put_strz(header_, type, text.c_str());
    }
    void put(std::uint16_t type, const IpAddress& address) {
        mnl_attr_put(header_, type, address.bytes().size(), address.bytes().data());
    }
    void put(std::uint16_t type, ByteView value) {
        mnl_attr_put(header_, type, value.size(), value.data());
    }
    nlattr* open_nest(std::uint16_t type) { return mnl_attr_nest_start(header_, type); }
    void close_nest(nlattr* nest) { mnl_attr_nest_end(header_, nest); }

    std::span<std::byte> bytes() { return std::span(room_).first(header_->nlmsg_len); }

private:
    alignas(nlmsghdr) std::array<std::byte, 512> room_{};
    nlmsghdr* header_;
};

/// Calls `each` with every attribute behind the fixed part of `offset` bytes. What libmnl's own
/// loop does, in a form that C++ takes.
template <typename Each>
void for_each_attribute(const nlmsghdr& message, std::size_t offset, Each each) {
    const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(&message));
    const auto* at = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(&message, offset));
    while (mnl_attr_ok(at, static_cast<int>(end - reinterpret_cast<const char*>(at)))) {
        each(*at);
        at = mnl_attr_next(at);
    }
}

/// Calls `each` with every attribute inside another.
template <typename Each>
void for_each_inside(const nlattr& nest, Each each) {
    const auto* at = static_cast<const nlattr*>(mnl_attr_get_payload(&nest));
    const auto* end = reinterpret_cast<const char*>(at) + mnl_attr_get_payload_len(&nest);
    while (mnl_attr_ok(at, static_cast<int>(end - reinterpret_cast<const char*>(at)))) {
        each(*at);
        at = mnl_attr_next(at);
    }
}

}  // namespace causeway::device
