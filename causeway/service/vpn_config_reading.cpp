#include "causeway/service/vpn_config_reading.h"

#include "causeway/service/json.h"

#include <fmt/format.h>

namespace causeway::service {

std::string spoken(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

std::string entry(std::string_view list, std::size_t index) {
    return fmt::format("{}[{}]", list, index);
}

void each_object(const RequestObject& top, std::string_view name, Need need, std::size_t limit,
                 std::initializer_list<std::string_view> known,
                 const std::function<void(const RequestObject&)>& read) {
    const Json* list = top.list(name, need, limit);
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const Json& item = (*list)[i];
        const auto path = entry(top.path(name), i);
        if (!item.is_object())
            top.faults().misshapen(path, value_text(item), "an object");
        else
            read(RequestObject(item, path, top.faults(), known));
    }
}

void each_text(const RequestObject& top, std::string_view name, std::size_t limit,
               const std::function<void(const std::string&, std::string)>& read) {
    const Json* list = top.list(name, Need::optional, limit);
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const Json& item = (*list)[i];
        const auto path = entry(top.path(name), i);
        if (!item.is_string())
            top.faults().misshapen(path, value_text(item), "text");
        else
            read(item.get<std::string>(), path);
    }
}

bool is_domain_letter(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
}

}  // namespace causeway::service
