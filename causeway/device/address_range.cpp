#include "causeway/device/address_range.h"

#include <algorithm>

namespace causeway::device {
namespace {

/// The address behind the last one of a prefix.
std::optional<IpAddress> end_of(const Prefix& prefix) {
    auto bytes = copy(prefix.network().address.bytes());
    // One more in the last bit that counts, carried to the front.
    unsigned carry = prefix.length == 0 ? 0U : 1U << ((8 - prefix.length % 8) % 8);
    if (prefix.length == 0) return std::nullopt;
    for (auto at = static_cast<std::size_t>((prefix.length - 1) / 8) + 1; at-- > 0 && carry != 0;) {
        const unsigned sum = std::to_integer<unsigned>(bytes[at]) + carry;
        bytes[at] = static_cast<std::byte>(sum);
        carry = sum >> 8;
    }
    if (carry != 0) return std::nullopt;
    return IpAddress::from_bytes(bytes);
}

}  // namespace

std::vector<AddressRange> ranges_of(const std::vector<Prefix>& prefixes, Family family) {
    std::vector<AddressRange> ranges;
    for (const auto& prefix : prefixes)
        if (prefix.family() == family) ranges.push_back({prefix.network().address, end_of(prefix)});
    std::ranges::sort(ranges, {}, &AddressRange::first);

    std::vector<AddressRange> result;
    for (const auto& range : ranges) {
        if (result.empty() || (result.back().end && *result.back().end < range.first)) {
            result.push_back(range);
            continue;
        }
        auto& end = result.back().end;
        if (end && (!range.end || *end < *range.end)) end = range.end;
    }
    return result;
}

}  // namespace causeway::device
