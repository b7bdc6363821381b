#include "causeway/service/request_inspector.h"

#include "causeway/base/text.h"
#include "causeway/service/limits.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace causeway::service {

bool RequestInspector::complain(std::string words) {
    complaint = std::move(words);
    return false;
}

bool RequestInspector::value() {
    return ++values_ <= value_limit ||
           complain(fmt::format("the text has more than {} values", value_limit));
}

bool RequestInspector::start() {
    fields_.emplace_back();
    if (!value()) return false;
    return fields_.size() <= depth_limit ||
           complain(fmt::format("the text is more than {} levels deep", depth_limit));
}

bool RequestInspector::end() {
    fields_.pop_back();
    return true;
}

bool RequestInspector::is_short(const std::string& text) {
    return text.size() <= text_limit ||
           complain(
               fmt::format("a text has {} bytes, and {} are accepted", text.size(), text_limit));
}

bool RequestInspector::key(string_t& name) {
    if (!is_short(name)) return false;
    auto& known = fields_.back();
    if (!known.insert(name).second)
        return complain(fmt::format("the field \"{}\" is given twice",
                                    printable(std::string_view(name).substr(0, 60))));
    return known.size() <= field_limit ||
           complain(fmt::format("an object has more than {} fields", field_limit));
}

bool RequestInspector::parse_error(std::size_t position, const std::string&,
                                   const nlohmann::detail::exception&) {
    return complain(fmt::format("the text is not JSON at byte {}", position));
}

}  // namespace causeway::service
