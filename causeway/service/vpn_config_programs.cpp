// Whose traffic a VpnConfig is about: programs and users.

#include "causeway/base/text.h"
#include "causeway/service/limits.h"
#include "causeway/service/user_list.h"
#include "causeway/service/vpn_config_reading.h"

#include <algorithm>

namespace causeway::service {
namespace {

bool is_unit(std::string_view text) {
    if (!text.ends_with(".service") && !text.ends_with(".scope") && !text.ends_with(".slice"))
        return false;
    return text.find('.') > 0 && std::ranges::all_of(text, [](char c) {
               return is_domain_letter(c) || c == '.' || c == '@' || c == ':' || c == '\\';
           });
}

/// As the kernel writes it: absolute, without empty parts, "." and "..".
bool is_cgroup_path(std::string_view text) {
    if (!text.starts_with('/') || text.size() < 2 || valid_utf8(text) != text) return false;
    return std::ranges::all_of(split(text.substr(1), '/'), [](std::string_view part) {
        return !part.empty() && part != "." && part != ".." &&
               std::ranges::none_of(
                   part, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    });
}

void read_list_of_applications(const RequestObject& top, std::string_view name,
                               std::vector<std::string>& into) {
    each_text(top, name, application_limit, [&](const std::string& text, std::string path) {
        if (text.size() > application_length_limit || (!is_unit(text) && !is_cgroup_path(text)))
            return top.faults().illegal(path, in_quotes(text, 60),
                                        "a cgroup path such as /user.slice/x.scope, or a unit such "
                                        "as x.service");
        if (std::ranges::find(into, text) != into.end())
            return top.faults().illegal(path, in_quotes(text, 60),
                                        "an application that is given once");
        into.push_back(text);
    });
}

}  // namespace

void read_applications(const RequestObject& top, VpnConfig& config) {
    read_list_of_applications(top, "trustedApplications", config.trusted_applications);
    read_list_of_applications(top, "blockedApplications", config.blocked_applications);
}

void read_users(const RequestObject& top, VpnConfig& config) {
    const nlohmann::json* list = top.list("users", Need::optional, user_limit);
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto& item = (*list)[i];
        const auto path = entry("users", i);
        if (!item.is_string() && !item.is_number_integer()) {
            top.faults().misshapen(path, value_text(item), "a name or a number");
            continue;
        }
        const std::string text = item.is_string() ? item.get<std::string>() : item.dump();
        if (!is_user(text))
            top.faults().illegal(path, in_quotes(text, 60),
                                 "a user's name, 0 to 4294967294, or a range such as 1000-1999");
        else if (std::ranges::find(config.users, text) != config.users.end())
            top.faults().illegal(path, in_quotes(text, 60), "a user that is given once");
        else
            config.users.push_back(text);
    }
}

}  // namespace causeway::service
