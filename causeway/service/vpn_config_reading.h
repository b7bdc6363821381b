// A VpnConfig while it is read from JSON, part by part.

#pragma once

#include "causeway/service/request_object.h"
#include "causeway/service/vpn_config.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// As the published form numbers the families.
inline constexpr int published_ipv4 = 1;
inline constexpr int published_ipv6 = 2;
constexpr int published(Family family) {
    return family == Family::ipv4 ? published_ipv4 : published_ipv6;
}
/// "IPv4"
std::string spoken(Family family);

/// What has been read, and where it stood.
struct Reading {
    VpnConfig config;
    bool has_sound_addresses = false;
    std::vector<std::string> places_of_routes;  ///< Of those that are not excluded.
    std::vector<std::string> places_of_servers;
};

// Each reads its fields of the object; what is wrong with them becomes faults of it.

void read_addresses(const RequestObject& top, Reading& reading);
void read_routes(const RequestObject& top, Reading& reading);
/// "dnsAddresses", "searchDomains" and "splitDomains"
void read_name_servers(const RequestObject& top, Reading& reading);
/// "trustedApplications" and "blockedApplications"
void read_applications(const RequestObject& top, VpnConfig& config);
void read_users(const RequestObject& top, VpnConfig& config);

// What the parts are read with.

/// "addresses[3]"
std::string entry(std::string_view list, std::size_t index);
/// Calls `read(entry)` for each object of a list; other entries are faults.
void each_object(const RequestObject& top, std::string_view name, Need need, std::size_t limit,
                 std::initializer_list<std::string_view> known,
                 const std::function<void(const RequestObject&)>& read);
/// Calls `read(text, path)` for each text of a list; other entries are faults.
void each_text(const RequestObject& top, std::string_view name, std::size_t limit,
               const std::function<void(const std::string&, std::string)>& read);
/// Of the parts of a domain's name, or of a user's.
bool is_domain_letter(char letter);

}  // namespace causeway::service
