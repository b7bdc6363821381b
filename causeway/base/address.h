// IP addresses, prefixes and endpoints, of both families.

#pragma once

#include "causeway/base/bytes.h"

#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace causeway {

enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

/// An IPv4 or IPv6 address, in network order.
class IpAddress {
public:
    IpAddress() = default;  ///< 0.0.0.0
    static IpAddress v4(std::uint32_t number);
    /// 4 or 16 bytes; nothing for any other count.
    static std::optional<IpAddress> from_bytes(ByteView bytes);
    /// Dotted decimal or RFC 4291 text; no brackets, no zone.
    static std::optional<IpAddress> parse(std::string_view text);

    Family family() const { return family_; }
    bool is_v4() const { return family_ == Family::ipv4; }
    ByteView bytes() const { return ByteView(bytes_).first(is_v4() ? 4 : 16); }
    int bits() const { return is_v4() ? 32 : 128; }
    bool is_unspecified() const;
    bool is_loopback() const;
    bool is_multicast() const;
    /// AF_INET or AF_INET6.
    int domain() const { return is_v4() ? AF_INET : AF_INET6; }

    std::string text() const;
    auto operator<=>(const IpAddress&) const = default;

private:
    Family family_ = Family::ipv4;
    std::array<std::byte, 16> bytes_{};
};

/// An address and the number of its leading bits that count.
struct Prefix {
    IpAddress address;
    int length = 0;  ///< 0..32 or 0..128.

    /// "10.0.0.0/8", "10.0.0.0/255.0.0.0" or "fd00::/8"; an address alone is a prefix of full
    /// length. Bits behind the length are kept as written: see `network`.
    static std::optional<Prefix> parse(std::string_view text);
    /// From an IPv4 address and a dotted mask; nothing when the mask has holes.
    static std::optional<Prefix> from_mask(IpAddress address, IpAddress mask);

    Family family() const { return address.family(); }
    bool contains(const IpAddress& other) const;
    bool overlaps(const Prefix& other) const;
    /// The same prefix with the bits behind its length cleared.
    Prefix network() const;
    /// The IPv4 mask, such as 255.255.255.0.
    IpAddress mask() const;
    std::string text() const;  ///< "10.0.0.0/8"
    auto operator<=>(const Prefix&) const = default;
};

/// An address and a TCP or UDP port.
struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;

    /// "192.0.2.1:443" or "[2001:db8::1]:443".
    static std::optional<Endpoint> parse(std::string_view text);
    static std::optional<Endpoint> from_sockaddr(const sockaddr_storage& storage);
    /// Fills `storage` and returns the size of what was written.
    socklen_t to_sockaddr(sockaddr_storage& storage) const;
    std::string text() const;
    auto operator<=>(const Endpoint&) const = default;
};

}  // namespace causeway
