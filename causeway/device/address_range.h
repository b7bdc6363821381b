// Ranges of addresses, as sets of the firewall hold them.

#pragma once

#include "causeway/base/address.h"

#include <optional>
#include <vector>

namespace causeway::device {

struct AddressRange {
    IpAddress first;
    std::optional<IpAddress> end;  ///< The first one behind it; nothing behind the last of all.

    bool operator==(const AddressRange&) const = default;
};

/// The addresses of one family that the prefixes cover, in ascending ranges that do not touch.
std::vector<AddressRange> ranges_of(const std::vector<Prefix>& prefixes, Family family);

}  // namespace causeway::device
