#include "causeway/base/address.h"

#include "causeway/base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace causeway {
namespace {

/// The bits of byte `index` that a prefix of `length` bits covers.
std::byte mask_of_byte(int length, std::size_t index) {
    const int covered = std::clamp(length - static_cast<int>(index) * 8, 0, 8);
    return static_cast<std::byte>(0xff00 >> covered & 0xff);
}

std::array<std::byte, 16> masked(const IpAddress& address, int length) {
    std::array<std::byte, 16> result{};
    const auto bytes = address.bytes();
    for (std::size_t i = 0; i < bytes.size(); ++i) result[i] = bytes[i] & mask_of_byte(length, i);
    return result;
}

IpAddress with_bytes(Family family, const std::array<std::byte, 16>& bytes) {
    return *IpAddress::from_bytes(ByteView(bytes).first(family == Family::ipv4 ? 4 : 16));
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t number) {
    Bytes bytes;
    put_big_endian_32(bytes, number);
    return *from_bytes(bytes);
}

std::optional<IpAddress> IpAddress::from_bytes(ByteView bytes) {
    if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
    IpAddress address;
    address.family_ = bytes.size() == 4 ? Family::ipv4 : Family::ipv6;
    std::ranges::copy(bytes, address.bytes_.begin());
    return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    const std::string terminated(text);
    std::array<std::byte, 16> bytes{};
    if (text.size() != std::strlen(terminated.c_str())) return std::nullopt;
    if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1)
        return with_bytes(Family::ipv4, bytes);
    if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1)
        return with_bytes(Family::ipv6, bytes);
    return std::nullopt;
}

bool IpAddress::is_unspecified() const {
    return std::ranges::all_of(bytes(), [](std::byte b) { return b == std::byte{0}; });
}

bool IpAddress::is_loopback() const {
    if (is_v4()) return bytes_[0] == std::byte{127};
    return *this == parse("::1");
}

bool IpAddress::is_multicast() const {
    if (is_v4()) return (bytes_[0] & std::byte{0xf0}) == std::byte{0xe0};
    return bytes_[0] == std::byte{0xff};
}

std::string IpAddress::text() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    inet_ntop(domain(), bytes_.data(), buffer.data(), buffer.size());
    return buffer.data();
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    if (slash == std::string_view::npos) return Prefix{*address, address->bits()};

    const auto rest = text.substr(slash + 1);
    if (const auto length = parse_number<int>(rest, 0, address->bits()))
        return Prefix{*address, *length};
    const auto mask = IpAddress::parse(rest);
    if (!mask) return std::nullopt;
    return from_mask(*address, *mask);
}

std::optional<Prefix> Prefix::from_mask(IpAddress address, IpAddress mask) {
    if (!address.is_v4() || !mask.is_v4()) return std::nullopt;
    const auto number = big_endian_32(mask.bytes());
    const int length = std::countl_one(number);
    if (length < 32 && number << length != 0) return std::nullopt;
    return Prefix{address, length};
}

bool Prefix::contains(const IpAddress& other) const {
    return other.family() == family() && masked(other, length) == masked(address, length);
}

bool Prefix::overlaps(const Prefix& other) const {
    return length <= other.length ? contains(other.address) : other.contains(address);
}

Prefix Prefix::network() const { return {with_bytes(family(), masked(address, length)), length}; }

IpAddress Prefix::mask() const {
    return IpAddress::v4(length == 0 ? 0 : 0xffffffffU << (32 - length));
}

std::string Prefix::text() const { return address.text() + "/" + std::to_string(length); }

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1), 0, 65535);
    auto host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto address = IpAddress::parse(host);
    if (!port || !address || address->is_v4() == bracketed) return std::nullopt;
    return Endpoint{*address, *port};
}

std::optional<Endpoint> Endpoint::from_sockaddr(const sockaddr_storage& storage) {
    if (storage.ss_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &storage, sizeof in);
        return Endpoint{IpAddress::v4(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
    }
    if (storage.ss_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, &storage, sizeof in);
        const auto all = std::as_bytes(std::span(in.sin6_addr.s6_addr));
        const auto port = ntohs(in.sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr))
            return Endpoint{*IpAddress::from_bytes(all.subspan(12)), port};
        return Endpoint{*IpAddress::from_bytes(all), port};
    }
    return std::nullopt;
}

socklen_t Endpoint::to_sockaddr(sockaddr_storage& storage) const {
    storage = {};
    if (address.is_v4()) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        in.sin_addr.s_addr = htonl(big_endian_32(address.bytes()));
        std::memcpy(&storage, &in, sizeof in);
        return sizeof in;
    }
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(in.sin6_addr.s6_addr, address.bytes().data(), 16);
    std::memcpy(&storage, &in, sizeof in);
    return sizeof in;
}

std::string Endpoint::text() const {
    const auto host = address.text();
    return (address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

}  // namespace causeway
