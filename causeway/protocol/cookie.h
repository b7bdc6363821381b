// Cookies (RFC 6265), as far as a login needs them: names and values for one server.

#pragma once

#include "causeway/base/secret.h"
#include "causeway/protocol/http_message.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::protocol {

/// The value of the cookie of that name in a request.
std::optional<Secret> request_cookie(const Headers& headers, std::string_view name);

/// What a client keeps between the requests of one login.
class CookieJar {
public:
    /// Takes the Set-Cookie headers of a response; an empty value or Max-Age=0 removes one.
    void take(const Headers& headers);
    std::optional<Secret> find(std::string_view name) const;
    /// Sets one as if the server had.
    void set(std::string_view name, Secret value);
    void clear() { cookies_.clear(); }
    bool empty() const { return cookies_.empty(); }
    /// "a=1; b=2", the value of a Cookie header.
    Secret header() const;

private:
    struct Cookie {
        std::string name;
        Secret value;
    };
    void remove(std::string_view name);

    std::vector<Cookie> cookies_;
};

}  // namespace causeway::protocol
