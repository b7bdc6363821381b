// Where a gateway is: what people type, and what redirects point to.

#pragma once

#include "causeway/error/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace causeway::protocol {

/// An https URL. The host is a name in lower case or an address without brackets.
struct Url {
    std::string host;
    std::uint16_t port = 443;
    std::string path = "/";  ///< With the query; begins with '/'.

    /// `host`, `host:port`, `[v6]:port`, a bare IPv6 address, `https://host:port/group`.
    /// Fails with configurationFailed, naming what was given and what is allowed.
    static Result<Url> parse(std::string_view text);
    /// Where a Location leads, seen from here: absolute, `//host/…`, `/path` or relative.
    /// Fails with negotiationFailed: not https, or no URL.
    Result<Url> resolve(std::string_view location) const;

    /// The path without slashes at its ends and without query: the group named in the URL, or "".
    std::string group() const;
    /// "vpn.example.com", "vpn.example.com:8443", "[2001:db8::1]": as in the Host header.
    std::string authority() const;
    /// "https://vpn.example.com/group"
    std::string text() const;
    bool is_same_server(const Url& other) const { return host == other.host && port == other.port; }
    bool operator==(const Url&) const = default;
};

}  // namespace causeway::protocol
