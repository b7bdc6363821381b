#include "causeway/protocol/http_message.h"

#include "causeway/base/text.h"

#include <algorithm>

namespace causeway::protocol {
namespace {

bool keeps(const Headers& headers, int minor_version) {
    if (headers.lists("Connection", "close")) return false;
    return minor_version >= 1 || headers.lists("Connection", "keep-alive");
}

}  // namespace

void Headers::add(std::string_view name, std::string_view value) {
    headers_.push_back({std::string(name), std::string(value)});
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
    for (const Header& header : headers_)
        if (equals_ignoring_case(header.name, name)) return header.value;
    return std::nullopt;
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const Header& header : headers_)
        if (equals_ignoring_case(header.name, name)) values.push_back(header.value);
    return values;
}

bool Headers::lists(std::string_view name, std::string_view token) const {
    return std::ranges::any_of(all(name), [&](std::string_view value) {
        return std::ranges::any_of(split(value, ','), [&](std::string_view part) {
            return equals_ignoring_case(trim(part), token);
        });
    });
}

std::string_view HttpRequest::path() const {
    return std::string_view(target).substr(0, target.find('?'));
}

bool HttpRequest::keeps_connection() const { return keeps(headers, minor_version); }

bool HttpResponse::keeps_connection() const { return keeps(headers, minor_version); }

}  // namespace causeway::protocol
