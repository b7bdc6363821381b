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
    routes_.insert_or_assign(address, Route{place, std::nullopt});
}

void RouteTable::remove(const IpAddress& address, Place place) {
    const std::unique_lock lock(mutex_);
    const auto found = routes_.find(address);
    if (found != routes_.end() && found->second.place == place) routes_.erase(found);
}

bool RouteTable::divert(const IpAddress& address, Place place, Place datagrams) {
    const std::unique_lock lock(mutex_);
    const auto found = routes_.find(address);
    if (found == routes_.end() || found->second.place != place) return false;
    found->second.datagrams = datagrams;
    return true;
}

void RouteTable::restore(const IpAddress& address, Place datagrams) {
    const std::unique_lock lock(mutex_);
    const auto found = routes_.find(address);
    if (found != routes_.end() && found->second.datagrams == datagrams)
        found->second.datagrams.reset();
}

void RouteTable::find(std::span<const IpAddress> addresses,
                      std::span<std::optional<Place>> places) const {
    const std::shared_lock lock(mutex_);
    std::ranges::transform(addresses, places.begin(),
                           [this](const IpAddress& address) -> std::optional<Place> {
                               const auto found = routes_.find(address);
                               if (found == routes_.end()) return std::nullopt;
                               return found->second.datagrams.value_or(found->second.place);
                           });
}

std::size_t RouteTable::size() const {
    const std::shared_lock lock(mutex_);
    return routes_.size();
}

}  // namespace causeway::gateway
