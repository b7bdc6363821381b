// Logins between two of their requests, found by the cookie that names them.
//
// Old clients send every answer on a new connection, which may be any shard's. A login is taken out
// while a request of it is answered, so no two connections ever use one at the same time.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/protocol/login_server.h"

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace causeway::gateway {

/// For any thread. Memory is bounded: above `capacity` the one that waited longest is forgotten.
class LoginStore {
public:
    explicit LoginStore(std::size_t capacity) : capacity_(capacity) {}

    /// Keeps the login until it is taken, or `until`.
    void put(protocol::LoginServer login, Instant until);
    /// The login of that context, and when it must be complete; the store has it no more.
    struct Waiting {
        protocol::LoginServer login;
        Instant until;
    };
    std::optional<Waiting> take(const std::string& context, Instant now);
    std::size_t size() const;

private:
    using Order = std::list<Waiting>;  ///< Longest waiting first.

    std::size_t capacity_;
    mutable std::mutex mutex_;
    Order order_;
    std::unordered_map<std::string, Order::iterator> by_context_;
};

}  // namespace causeway::gateway
