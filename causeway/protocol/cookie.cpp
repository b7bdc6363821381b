#include "causeway/protocol/cookie.h"

#include "causeway/base/text.h"
#include "causeway/protocol/limits.h"

#include <algorithm>
#include <utility>

namespace causeway::protocol {
namespace {

struct Pair {
    std::string_view name;
    std::string_view value;
};

std::optional<Pair> name_and_value(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const Pair pair{trim(text.substr(0, equals)), trim(text.substr(equals + 1))};
    if (pair.name.empty()) return std::nullopt;
    return pair;
}

bool removes(const std::vector<std::string_view>& attributes) {
    return std::ranges::any_of(attributes, [](std::string_view attribute) {
        const auto pair = name_and_value(attribute);
        return pair && equals_ignoring_case(pair->name, "Max-Age") &&
               (pair->value == "0" || pair->value.starts_with('-'));
    });
}

/// What may stand in a Cookie header without ending it: RFC 6265 section 4.1.1, but for the
/// quotes and commas that servers use all the same.
bool is_cookie_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != ';'; });
}

}  // namespace

std::optional<Secret> request_cookie(const Headers& headers, std::string_view name) {
    for (const auto line : headers.all("Cookie")) {
        for (const auto part : split(line, ';')) {
            const auto pair = name_and_value(part);
            if (pair && pair->name == name) return Secret(std::string(pair->value));
        }
    }
    return std::nullopt;
}

void CookieJar::take(const Headers& headers) {
    for (const auto line : headers.all("Set-Cookie")) {
        const auto attributes = split(line, ';');
        const auto pair = name_and_value(attributes.front());
        if (!pair || pair->name.size() + pair->value.size() > cookie_limit) continue;
        if (!is_cookie_text(pair->name) || !is_cookie_text(pair->value)) continue;
        if (pair->value.empty() || removes(attributes))
            remove(pair->name);
        else
            set(pair->name, Secret(std::string(pair->value)));
    }
}

std::optional<Secret> CookieJar::find(std::string_view name) const {
    const auto found = std::ranges::find(cookies_, name, &Cookie::name);
    if (found == cookies_.end()) return std::nullopt;
    return found->value;
}

void CookieJar::set(std::string_view name, Secret value) {
    remove(name);
    if (cookies_.size() < cookie_count_limit)
        cookies_.push_back({std::string(name), std::move(value)});
}

Secret CookieJar::header() const {
    std::string text;
    for (const Cookie& cookie : cookies_) {
        if (!text.empty()) text += "; ";
        text += cookie.name;
        text += '=';
        text += cookie.value.reveal();
    }
    return Secret(std::move(text));
}

void CookieJar::remove(std::string_view name) {
    std::erase_if(cookies_, [&](const Cookie& cookie) { return cookie.name == name; });
}

}  // namespace causeway::protocol
