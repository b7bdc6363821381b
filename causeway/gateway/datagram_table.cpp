#include "causeway/gateway/datagram_table.h"

namespace causeway::gateway {
namespace {

std::string key(ByteView bytes) { return std::string(as_text(bytes)); }

std::shared_ptr<DatagramLink> find(const auto& links, ByteView name) {
    const auto found = links.find(key(name));
    return found == links.end() ? nullptr : found->second;
}

}  // namespace

void DatagramTable::add(std::shared_ptr<DatagramLink> link) {
    const std::lock_guard lock(mutex_);
    if (!link->terms.connection_id.empty()) by_id_[key(link->terms.connection_id)] = link;
    by_name_[key(link->terms.name)] = std::move(link);
}

void DatagramTable::remove(const DatagramLink& link) {
    const std::lock_guard lock(mutex_);
    forget_source(link);
    by_id_.erase(key(link.terms.connection_id));
    by_name_.erase(key(link.terms.name));
}

std::shared_ptr<DatagramLink> DatagramTable::by_name(ByteView name) const {
    const std::lock_guard lock(mutex_);
    return find(by_name_, name);
}

std::shared_ptr<DatagramLink> DatagramTable::by_connection_id(ByteView id) const {
    const std::lock_guard lock(mutex_);
    return find(by_id_, id);
}

void DatagramTable::forget_source(const DatagramLink& link) {
    const auto found = sources_.find(&link);
    if (found == sources_.end()) return;
    by_source_.erase(found->second);
    sources_.erase(found);
}

void DatagramTable::set_source(const std::shared_ptr<DatagramLink>& link,
                               const IpAddress& address) {
    const std::lock_guard lock(mutex_);
    // One that was removed meanwhile stays removed.
    if (!by_name_.contains(key(link->terms.name))) return;
    forget_source(*link);
    const Source source{address, ++last_number_};
    by_source_.emplace(source, link);
    sources_.emplace(link.get(), source);
}

std::vector<std::shared_ptr<DatagramLink>> DatagramTable::of_source(const IpAddress& address,
                                                                    std::size_t limit) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<DatagramLink>> links;
    auto at = by_source_.upper_bound({address, ~std::uint64_t{0}});
    while (links.size() < limit && at != by_source_.begin()) {
        --at;
        if (at->first.address != address) break;
        links.push_back(at->second);
    }
    return links;
}

std::size_t DatagramTable::size() const {
    const std::lock_guard lock(mutex_);
    return by_name_.size();
}

}  // namespace causeway::gateway
