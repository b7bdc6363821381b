#include "causeway/protocol/url.h"

#include "causeway/base/address.h"
#include "causeway/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace causeway::protocol {
namespace {

constexpr std::string_view scheme = "https://";
constexpr std::size_t url_limit = 2048;  // As written and as text(): what was read is read again.

std::unexpected<Error> refuse(Code code, std::string_view text, std::string_view why) {
    return fail(code,
                fmt::format("“{}” is no address of a gateway: {}",
                            printable(text.substr(0, url_limit)), why),
                {{"url", printable(text.substr(0, url_limit))}});
}

/// The transport policy's first rule is broken before any handshake.
std::unexpected<Error> refuse_plain_http(std::string_view location) {
    auto refused = refuse(Vpn::negotiationFailed, location,
                          "the redirect leads away from TLS, which is not followed");
    return std::unexpected(std::move(refused).error().because(
        Error{Tls::errSSLATSViolation,
              "plain HTTP has no TLS at all",
              {{"rule", "TLS"}, {"found", "http"}, {"wanted", "https"}}}));
}

bool begins_with_scheme(std::string_view text, std::string_view wanted) {
    return equals_ignoring_case(text.substr(0, wanted.size()), wanted);
}

/// Letters, digits, '-', '_' and single dots; labels of 1..63, 253 in all.
bool is_host_name(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty() || host.size() > 253) return false;
    return std::ranges::all_of(split(host, '.'), [](std::string_view label) {
        return !label.empty() && label.size() <= 63 && label.front() != '-' &&
               std::ranges::all_of(label, [](char c) {
                   return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
               });
    });
}

/// Four numbers and dots, or what looks like that and is none: a typing error, not a name.
bool looks_like_v4(std::string_view host) {
    return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// A path without anything that would end the request line or a header.
bool is_path(std::string_view path) {
    return std::ranges::all_of(path, [](char c) { return c > 0x20 && c < 0x7f; });
}

/// "host", "host:port", "[v6]", "[v6]:port", a bare v6 address.
Result<void> take_authority(Url& url, std::string_view authority, Code code,
                            std::string_view text) {
    if (authority.find('@') != std::string_view::npos)
        return refuse(code, text, "a user name belongs into --user, not into the URL");

    std::optional<std::string_view> port;
    std::string_view host = authority;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) return refuse(code, text, "“[” without “]”");
        host = authority.substr(1, end - 1);
        const auto rest = authority.substr(end + 1);
        if (!rest.empty() && rest.front() != ':')
            return refuse(code, text, "only a port may follow “]”");
        if (!rest.empty()) port = rest.substr(1);
        const auto address = IpAddress::parse(host);
        if (!address || address->is_v4()) return refuse(code, text, "no IPv6 address in brackets");
    } else if (std::ranges::count(authority, ':') == 1) {
        const auto colon = authority.find(':');
        host = authority.substr(0, colon);
        port = authority.substr(colon + 1);
    }

    if (port) {
        const auto number = parse_number<std::uint16_t>(*port, 1, 65535);
        if (!number)
            return refuse(code, text,
                          fmt::format("the port “{}” is none of 1 to 65535", printable(*port)));
        url.port = *number;
    }
    if (const auto address = IpAddress::parse(host)) {
        url.host = address->text();
        return {};
    }
    if (host.empty()) return refuse(code, text, "it has no host name");
    if (looks_like_v4(host)) return refuse(code, text, "four numbers of 0 to 255 make an address");
    if (!is_host_name(host))
        return refuse(code, text,
                      "a host name has letters, digits, hyphens and dots, at most 63 of them "
                      "between two dots");
    url.host = lower(host);
    if (url.host.ends_with('.')) url.host.pop_back();
    return {};
}

Result<Url> within_limit(Url url, Code code, std::string_view text) {
    const auto size = url.text().size();
    if (size > url_limit)
        return refuse(code, text, fmt::format("it is {} characters long, of {}", size, url_limit));
    return url;
}

/// What stands behind "https://".
Result<Url> parse_behind_scheme(std::string_view rest, Code code, std::string_view text) {
    Url url;
    rest = rest.substr(0, rest.find('#'));
    const auto slash = rest.find_first_of("/?");
    if (auto taken = take_authority(url, rest.substr(0, slash), code, text); !taken)
        return pass(taken);
    if (slash == std::string_view::npos) return url;
    url.path = rest.substr(slash);
    if (url.path.front() == '?') url.path.insert(0, "/");
    if (!is_path(url.path))
        return refuse(code, text, "a path holds no spaces and nothing beyond ASCII; write %20");
    return within_limit(std::move(url), code, text);
}

/// RFC 3986 section 5.2.4, for a path without query.
std::string without_dots(std::string_view path) {
    std::vector<std::string_view> kept;
    const auto parts = split(path.substr(1), '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool is_last = i + 1 == parts.size();
        if (parts[i] == ".." && !kept.empty()) kept.pop_back();
        if (parts[i] == "." || parts[i] == "..") {
            if (is_last) kept.push_back("");
            continue;
        }
        kept.push_back(parts[i]);
    }
    std::string result;
    for (const auto part : kept) result += "/" + std::string(part);
    return result.empty() ? "/" : result;
}

bool has_scheme(std::string_view text) {
    const auto colon = text.find(':');
    return colon != std::string_view::npos && colon < text.find_first_of("/?#");
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
    const Code code = Vpn::configurationFailed;
    if (text.size() > url_limit)
        return refuse(code, text,
                      fmt::format("it is {} characters long, of {}", text.size(), url_limit));
    if (begins_with_scheme(text, scheme))
        return parse_behind_scheme(text.substr(scheme.size()), code, text);
    if (text.find("://") != std::string_view::npos)
        return refuse(code, text, "only https:// is spoken here");
    return parse_behind_scheme(text, code, text);
}

Result<Url> Url::resolve(std::string_view location) const {
    const Code code = Vpn::negotiationFailed;
    location = trim(location);
    if (location.empty() || location.size() > url_limit)
        return refuse(code, location, "the redirect leads nowhere");
    if (begins_with_scheme(location, scheme))
        return parse_behind_scheme(location.substr(scheme.size()), code, location);
    if (location.starts_with("//")) return parse_behind_scheme(location.substr(2), code, location);
    if (begins_with_scheme(location, "http://")) return refuse_plain_http(location);
    if (has_scheme(location))
        return refuse(code, location, "the redirect leads away from https, which is not followed");

    Url target = *this;
    location = location.substr(0, location.find('#'));
    if (!is_path(location)) return refuse(code, location, "a path holds nothing beyond ASCII");
    const auto here = path.substr(0, path.find('?'));
    const auto query = location.find('?');
    std::string there(location.substr(0, query));
    if (there.empty())
        there = here;
    else if (there.front() != '/')
        there = here.substr(0, here.rfind('/') + 1) + there;
    target.path = without_dots(there);
    if (query != std::string_view::npos) target.path += location.substr(query);
    return within_limit(std::move(target), code, location);
}

std::string Url::group() const {
    std::string_view name = std::string_view(path).substr(0, path.find('?'));
    while (name.starts_with('/')) name.remove_prefix(1);
    while (name.ends_with('/')) name.remove_suffix(1);
    return std::string(name);
}

std::string Url::authority() const {
    const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == 443 ? name : name + ":" + std::to_string(port);
}

std::string Url::text() const { return std::string(scheme) + authority() + path; }

}  // namespace causeway::protocol
