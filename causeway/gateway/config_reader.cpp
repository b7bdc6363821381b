#include "causeway/gateway/config_reader.h"

#include "causeway/base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace causeway::gateway {
namespace {

/// Adds `offset` to an address; the caller knows that it fits.
IpAddress plus(const IpAddress& address, int offset) {
    Bytes bytes = copy(address.bytes());
    for (auto at = bytes.size(); offset > 0 && at-- > 0;) {
        offset += std::to_integer<int>(bytes[at]);
        bytes[at] = static_cast<std::byte>(offset & 0xff);
        offset >>= 8;
    }
    return *IpAddress::from_bytes(bytes);
}

IpAddress last_of(const Prefix& prefix) {
    Bytes bytes = copy(prefix.address.bytes());
    for (int bit = prefix.length; bit < prefix.address.bits(); ++bit)
        bytes[static_cast<std::size_t>(bit / 8)] |= static_cast<std::byte>(0x80 >> (bit % 8));
    return *IpAddress::from_bytes(bytes);
}

IpAddress minus_one(const IpAddress& address) {
    Bytes bytes = copy(address.bytes());
    for (auto at = bytes.size(); at-- > 0;) {
        const int value = std::to_integer<int>(bytes[at]);
        bytes[at] = static_cast<std::byte>(value == 0 ? 0xff : value - 1);
        if (value != 0) break;
    }
    return *IpAddress::from_bytes(bytes);
}

std::optional<Pool> pool_of_prefix(const Prefix& prefix, Family family) {
    const int shortest = family == Family::ipv4 ? 8 : 32;
    const int longest = family == Family::ipv4 ? 30 : 126;
    if (prefix.family() != family || prefix.network() != prefix) return std::nullopt;
    if (prefix.length < shortest || prefix.length > longest) return std::nullopt;
    const IpAddress end = last_of(prefix);
    return Pool{prefix, plus(prefix.address, 1), plus(prefix.address, 2),
                family == Family::ipv4 ? minus_one(end) : end};
}

std::optional<Pool> pool_of_range(const IpAddress& first, const IpAddress& last, Family family) {
    if (first.family() != family || last.family() != family || first >= last) return std::nullopt;
    Prefix network{first, first.bits()};
    while (!network.contains(last)) --network.length;
    if (network.length < (family == Family::ipv4 ? 8 : 32)) return std::nullopt;
    return Pool{network.network(), first, plus(first, 1), last};
}

}  // namespace

std::optional<Pool> parse_pool(std::string_view text, Family family) {
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) {
        if (text.find('/') == std::string_view::npos) return std::nullopt;
        const auto prefix = Prefix::parse(text);
        return prefix ? pool_of_prefix(*prefix, family) : std::nullopt;
    }
    const auto first = IpAddress::parse(trim(text.substr(0, dash)));
    const auto last = IpAddress::parse(trim(text.substr(dash + 1)));
    if (!first || !last) return std::nullopt;
    return pool_of_range(*first, *last, family);
}

std::string_view pool_allowed(Family family) {
    if (family == Family::ipv4)
        return "a network such as 10.99.0.0/24 (/8 to /30) or a range such as "
               "10.99.0.10-10.99.0.99";
    return "a network such as fd00:99::/64 (/32 to /126) or a range such as "
           "fd00:99::10-fd00:99::99";
}

std::optional<std::string> parse_domain(std::string_view text) {
    if (text.empty() || text.size() > 253) return std::nullopt;
    for (const auto part : split(text, '.')) {
        if (part.empty() || part.size() > 63) return std::nullopt;
        const bool sound = std::ranges::all_of(part, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '_';
        });
        if (!sound) return std::nullopt;
    }
    return lower(text);
}

}  // namespace causeway::gateway
