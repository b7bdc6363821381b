// The little HTTP there is (RFC 9112, version 1.1): what a request and a response consist of.

#pragma once

#include "causeway/base/bytes.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::protocol {

struct Header {
    std::string name;
    std::string value;  ///< Without the white space around it.
    bool operator==(const Header&) const = default;
};

/// The headers of one message, in their order; names are compared without regard to case.
class Headers {
public:
    void add(std::string_view name, std::string_view value);
    /// The value of the first header of that name.
    std::optional<std::string_view> find(std::string_view name) const;
    /// The values of all headers of that name, in their order.
    std::vector<std::string_view> all(std::string_view name) const;
    /// Whether a header of that name lists `token` (comma-separated, any case).
    bool lists(std::string_view name, std::string_view token) const;

    std::size_t size() const { return headers_.size(); }
    auto begin() const { return headers_.begin(); }
    auto end() const { return headers_.end(); }
    bool operator==(const Headers&) const = default;

private:
    std::vector<Header> headers_;
};

struct HttpRequest {
    std::string method;
    std::string target;     ///< As sent: "/auth?x", "/CSCOSSLC/tunnel".
    int minor_version = 1;  ///< HTTP/1.x
    Headers headers;
    std::string body;  ///< May hold a password: never logged.

    /// The target without query.
    std::string_view path() const;
    /// Whether the sender wants to send more on this connection.
    bool keeps_connection() const;
};

struct HttpResponse {
    int status = 0;
    std::string reason;  ///< The words of the status line.
    int minor_version = 1;
    Headers headers;
    std::string body;

    bool keeps_connection() const;
};

}  // namespace causeway::protocol
