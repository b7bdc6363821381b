#include "causeway/service/request_object.h"

#include "causeway/base/text.h"
#include "causeway/service/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace causeway::service {
namespace {

std::string kind_of(const Json& value) {
    if (value.is_null()) return "null";
    if (value.is_array()) return "a list";
    if (value.is_object()) return "an object";
    return value_text(value);
}

void refuse_unknown(const Json& object, const RequestObject& place, RequestFaults& faults,
                    std::initializer_list<std::string_view> known) {
    const std::vector<std::string_view> names(known);
    for (const auto& [name, value] : object.items()) {
        if (std::ranges::find(names, name) != names.end()) continue;
        const auto near = nearest(name, names);
        const std::string shown = printable(std::string_view(name).substr(0, 60));
        faults.misshapen(place.path(shown), kind_of(value),
                         near ? fmt::format("no such field; the nearest is {}", *near)
                              : std::string("no such field"));
    }
}

}  // namespace

Json foreign_value(std::string_view words) { return Json::binary({words.begin(), words.end()}); }

std::string value_text(const Json& value) {
    constexpr std::size_t shown = 60;
    if (value.is_binary()) return {value.get_binary().begin(), value.get_binary().end()};
    std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > shown) {
        text.resize(shown);
        text = valid_utf8(text) + "…";
    }
    return printable(text);
}

RequestObject::RequestObject(const Json& object, std::string path, RequestFaults& faults,
                             std::initializer_list<std::string_view> known)
    : object_(&object), path_(std::move(path)), faults_(&faults) {
    refuse_unknown(object, *this, faults, known);
}

std::string RequestObject::path(std::string_view name) const {
    return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

bool RequestObject::has_entries(std::string_view name) const {
    const auto found = object_->find(name);
    return found != object_->end() && *found != Json::array();
}

void RequestObject::illegal(std::string_view name, std::string value, std::string allowed) const {
    faults_->illegal(path(name), std::move(value), std::move(allowed));
}

const Json* RequestObject::find(std::string_view name, Need need, std::string_view expected) const {
    const auto found = object_->find(name);
    if (found != object_->end()) return &*found;
    if (need == Need::mandatory) faults_->misshapen(path(name), "", std::string(expected));
    return nullptr;
}

const Json* RequestObject::any(std::string_view name, std::string_view expected) const {
    return find(name, Need::mandatory, expected);
}

std::optional<std::string> RequestObject::text(std::string_view name, Need need) const {
    const Json* value = find(name, need, "text");
    if (!value) return std::nullopt;
    if (value->is_string()) return value->get<std::string>();
    faults_->misshapen(path(name), kind_of(*value), "text");
    return std::nullopt;
}

std::optional<std::int64_t> RequestObject::number(std::string_view name, Need need,
                                                  std::int64_t smallest,
                                                  std::int64_t largest) const {
    constexpr std::string_view expected = "a whole number";
    const Json* value = find(name, need, expected);
    if (!value) return std::nullopt;
    if (!value->is_number_integer()) {
        faults_->misshapen(path(name), kind_of(*value), std::string(expected));
        return std::nullopt;
    }
    const bool is_huge =
        value->is_number_unsigned() &&
        value->get<std::uint64_t>() > std::uint64_t(std::numeric_limits<std::int64_t>::max());
    if (!is_huge) {
        const auto number = value->get<std::int64_t>();
        if (number >= smallest && number <= largest) return number;
    }
    illegal(name, value_text(*value),
            smallest == largest ? fmt::format("{}", smallest)
                                : fmt::format("{} to {}", smallest, largest));
    return std::nullopt;
}

std::optional<bool> RequestObject::flag(std::string_view name) const {
    const Json* value = find(name, Need::optional, "true or false");
    if (!value) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    faults_->misshapen(path(name), kind_of(*value), "true or false");
    return std::nullopt;
}

const Json* RequestObject::list(std::string_view name, Need need, std::size_t limit) const {
    const Json* value = find(name, need, "a list");
    if (!value) return nullptr;
    if (!value->is_array()) {
        faults_->misshapen(path(name), kind_of(*value), "a list");
        return nullptr;
    }
    if (value->size() <= limit) return value;
    illegal(name, fmt::format("a list of {}", value->size()), fmt::format("at most {}", limit));
    return nullptr;
}

std::optional<RequestObject> RequestObject::object(
    std::string_view name, Need need, std::initializer_list<std::string_view> known) const {
    const Json* value = find(name, need, "an object");
    if (!value) return std::nullopt;
    if (value->is_object()) return RequestObject(*value, path(name), *faults_, known);
    faults_->misshapen(path(name), kind_of(*value), "an object");
    return std::nullopt;
}

}  // namespace causeway::service
