#include "causeway/device/dns_resolved.h"

#include "causeway/base/text.h"

#include <sdbus-c++/sdbus-c++.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <tuple>

namespace causeway::device {
namespace {

using namespace std::chrono_literals;

constexpr const char* service = "org.freedesktop.resolve1";
constexpr const char* object = "/org/freedesktop/resolve1";
constexpr const char* manager = "org.freedesktop.resolve1.Manager";
constexpr auto call_timeout = 5s;

/// The bus names its errors; the chain below ours speaks in errnos.
int errno_of(std::string_view name) {
    if (name.ends_with(".AccessDenied") || name.ends_with(".InteractiveAuthorizationRequired"))
        return EACCES;
    if (name.ends_with(".NoReply") || name.ends_with(".Timeout") || name.ends_with(".TimedOut"))
        return ETIMEDOUT;
    if (name.ends_with(".ServiceUnknown") || name.ends_with(".NameHasNoOwner")) return ENOENT;
    if (name.ends_with(".NoSuchLink")) return ENODEV;
    if (name.ends_with(".LinkBusy")) return EBUSY;
    if (name.ends_with(".InvalidArgs")) return EINVAL;
    return EIO;
}

Error bus_error(const sdbus::Error& error, const std::string& call) {
    return system_error(errno_of(error.getName()), call, printable(error.getMessage()))
        .with("dbus_error", error.getName());
}

/// Calls the resolver's manager; the library reports failures by throwing.
Result<void> with_manager(const std::string& call,
                          const std::function<void(sdbus::IProxy&)>& action) try {
    const auto connection = sdbus::createSystemBusConnection();
    const auto proxy = sdbus::createProxy(*connection, service, object);
    action(*proxy);
    return {};
} catch (const sdbus::Error& error) {
    return std::unexpected(bus_error(error, call));
}

using LinkServer = sdbus::Struct<std::int32_t, std::vector<std::uint8_t>>;
using LinkDomain = sdbus::Struct<std::string, bool>;

std::vector<LinkServer> servers_of(const DnsSettings& settings) {
    std::vector<LinkServer> servers;
    servers.reserve(settings.servers.size());
    for (const auto& server : settings.servers) {
        std::vector<std::uint8_t> bytes;
        for (const auto byte : server.bytes()) bytes.push_back(std::to_integer<std::uint8_t>(byte));
        servers.emplace_back(server.domain(), std::move(bytes));
    }
    return servers;
}

bool takes_all_names(const DnsSettings& settings) {
    return settings.tunnel_all || settings.split_domains.empty();
}

/// The second member says "for routing only, not for searching".
std::vector<LinkDomain> domains_of(const DnsSettings& settings) {
    std::vector<LinkDomain> domains;
    for (const auto& domain : settings.search_domains) domains.emplace_back(domain, false);
    for (const auto& domain : settings.split_domains) domains.emplace_back(domain, true);
    if (takes_all_names(settings)) domains.emplace_back(".", true);
    return domains;
}

}  // namespace

bool resolved_runs() try {
    const auto connection = sdbus::createSystemBusConnection();
    const auto bus =
        sdbus::createProxy(*connection, "org.freedesktop.DBus", "/org/freedesktop/DBus");
    bool has_owner = false;
    bus->callMethod("NameHasOwner")
        .onInterface("org.freedesktop.DBus")
        .withTimeout(call_timeout)
        .withArguments(std::string(service))
        .storeResultsTo(has_owner);
    return has_owner;
} catch (const sdbus::Error&) {
    // No bus, no resolver on it: the machine has another one, which is an answer, not a failure.
    return false;
}

Result<void> set_link_servers(int link, const DnsSettings& settings) {
    auto set = with_manager("SetLinkDNS", [&](sdbus::IProxy& proxy) {
        proxy.callMethod("SetLinkDNS")
            .onInterface(manager)
            .withTimeout(call_timeout)
            .withArguments(std::int32_t{link}, servers_of(settings));
    });
    if (!set) return set;
    set = with_manager("SetLinkDomains", [&](sdbus::IProxy& proxy) {
        proxy.callMethod("SetLinkDomains")
            .onInterface(manager)
            .withTimeout(call_timeout)
            .withArguments(std::int32_t{link}, domains_of(settings));
    });
    if (!set) return set;
    return with_manager("SetLinkDefaultRoute", [&](sdbus::IProxy& proxy) {
        proxy.callMethod("SetLinkDefaultRoute")
            .onInterface(manager)
            .withTimeout(call_timeout)
            .withArguments(std::int32_t{link}, takes_all_names(settings));
    });
}

Result<void> revert_link_servers(int link) {
    auto reverted = with_manager("RevertLink", [&](sdbus::IProxy& proxy) {
        proxy.callMethod("RevertLink")
            .onInterface(manager)
            .withTimeout(call_timeout)
            .withArguments(std::int32_t{link});
    });
    if (reverted) return reverted;
    const Code code = reverted.error().code;
    // The link has gone and its servers with it, or the resolver has and everything with it.
    if (code == Code::raw(Domain::system, ENODEV) || code == Code::raw(Domain::system, ENOENT))
        return {};
    return reverted;
}

}  // namespace causeway::device
