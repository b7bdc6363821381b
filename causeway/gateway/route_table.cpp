#include "causeway/gateway/route_table.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <string_view>

namespace causeway::gateway {

std::size_t AddressHash::operator()(const IpAddress& address) const noexcept {
    return std::hash<std::string_view>{}(as_text(address.bytes()));
}

void RouteTable::set(const IpAddress& address, Place place) {
    const std::unique_lock lock(mutex_);
    places_.insert_or_assign(address, place);
}

void RouteTable::remove(const IpAddress& address, Place place) {
    const std::unique_lock lock(mutex_);
    const auto found = places_.find(address);
    if (found != places_.end() && found->second == place) places_.erase(found);
}

void RouteTable::find(std::span<const IpAddress> addresses,
                      std::span<std::optional<Place>> places) const {
    const std::shared_lock lock(mutex_);
    std::ranges::transform(addresses, places.begin(), [this](const IpAddress& address) {
        const auto found = places_.find(address);
        return found == places_.end() ? std::nullopt : std::optional(found->second);
    });
}

std::size_t RouteTable::size() const {
    const std::shared_lock lock(mutex_);
    return places_.size();
}

}  // namespace causeway::gateway
