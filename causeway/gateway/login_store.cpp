#include "causeway/gateway/login_store.h"

#include <utility>

namespace causeway::gateway {

void LoginStore::put(protocol::LoginServer login, Instant until) {
    const std::lock_guard lock(mutex_);
    const std::string context = login.context();
    if (const auto known = by_context_.find(context); known != by_context_.end()) {
        order_.erase(known->second);
        by_context_.erase(known);
    }
    if (order_.size() >= capacity_ && !order_.empty()) {
        by_context_.erase(order_.front().login.context());
        order_.pop_front();
    }
    order_.push_back({std::move(login), until});
    by_context_.emplace(context, std::prev(order_.end()));
}

std::optional<LoginStore::Waiting> LoginStore::take(const std::string& context, Instant now) {
    const std::lock_guard lock(mutex_);
    const auto found = by_context_.find(context);
    if (found == by_context_.end()) return std::nullopt;
    Waiting waiting = std::move(*found->second);
    order_.erase(found->second);
    by_context_.erase(found);
    if (waiting.until <= now) return std::nullopt;
    return waiting;
}

std::size_t LoginStore::size() const {
    const std::lock_guard lock(mutex_);
    return order_.size();
}

}  // namespace causeway::gateway
