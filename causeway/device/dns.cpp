#include "causeway/device/dns.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/device/dns_file.h"
#include "causeway/device/dns_resolvconf.h"
#include "causeway/device/dns_resolved.h"
#include "causeway/device/limits.h"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace causeway::device {
namespace {

constexpr const char* resolver_path = "/etc/resolv.conf";
constexpr const char* switch_path = "/etc/nsswitch.conf";

constexpr std::array<std::pair<DnsBackend, std::string_view>, 3> names = {{
    {DnsBackend::systemd_resolved, "systemd-resolved"},
    {DnsBackend::resolvconf, "resolvconf"},
    {DnsBackend::file, "file"},
}};

/// The words of a line, whatever white space is between them.
std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> found;
    for (const auto tabbed : split(line, '\t'))
        for (const auto word : split(tabbed, ' '))
            if (!word.empty()) found.push_back(word);
    return found;
}

/// resolved's own stub listens on these two.
bool names_the_stub(std::string_view text) {
    return std::ranges::any_of(split(text, '\n'), [](std::string_view line) {
        const auto parts = words(line);
        return parts.size() > 1 && parts[0] == "nameserver" &&
               (parts[1] == "127.0.0.53" || parts[1] == "127.0.0.54");
    });
}

bool names_the_module(std::string_view text) {
    return std::ranges::any_of(split(text, '\n'), [](std::string_view line) {
        const auto parts = words(line);
        return !parts.empty() && parts[0] == "hosts:" &&
               std::ranges::find(parts, "resolve") != parts.end();
    });
}

/// A resolved that nobody asks would be told in vain.
bool programs_ask_resolved() {
    std::error_code ignored;
    if (std::filesystem::canonical(resolver_path, ignored)
            .string()
            .starts_with("/run/systemd/resolve/"))
        return true;
    return names_the_stub(read_file(resolver_path).value_or("")) ||
           names_the_module(read_file(switch_path).value_or(""));
}

ResolverFile file_for(const DnsOwner& owner) { return {resolver_path, owner.state_folder}; }

/// After a restart of the machine its number may be another's.
bool is_there(const DnsOwner& owner) {
    std::array<char, IF_NAMESIZE> name{};
    return if_indextoname(static_cast<unsigned>(owner.link), name.data()) != nullptr &&
           owner.interface == name.data();
}

Result<void> naming(DnsBackend backend, Result<void> result) {
    if (!result) result.error().with("dns", std::string(name(backend)));
    return result;
}

}  // namespace

std::string_view name(DnsBackend backend) {
    return std::ranges::find(names, backend, [](const auto& pair) { return pair.first; })->second;
}

std::optional<DnsBackend> dns_backend_named(std::string_view wanted) {
    for (const auto& [backend, text] : names)
        if (text == wanted) return backend;
    return std::nullopt;
}

DnsBackend choose_dns_backend() {
    if (programs_ask_resolved() && resolved_runs()) return DnsBackend::systemd_resolved;
    if (!resolvconf_program().empty()) return DnsBackend::resolvconf;
    return DnsBackend::file;
}

std::size_t server_limit(DnsBackend backend) {
    return backend == DnsBackend::systemd_resolved ? dns_server_limit : resolver_file_server_limit;
}

bool splits_names(DnsBackend backend) { return backend == DnsBackend::systemd_resolved; }

Result<void> check_dns(DnsBackend backend, const DnsOwner& owner) {
    // The other two were asked when they were chosen.
    if (backend != DnsBackend::file) return {};
    return naming(backend, check_resolver_file(file_for(owner)));
}

Result<void> set_dns(DnsBackend backend, const DnsOwner& owner, const DnsSettings& settings) {
    switch (backend) {
        case DnsBackend::systemd_resolved:
            return naming(backend, set_link_servers(owner.link, settings));
        case DnsBackend::resolvconf:
            return naming(backend, add_resolvconf_servers(owner.interface, settings));
        case DnsBackend::file:
            return naming(backend, push_servers(file_for(owner), owner.lock_file, settings));
    }
    std::unreachable();
}

Result<void> restore_dns(DnsBackend backend, const DnsOwner& owner) {
    switch (backend) {
        case DnsBackend::systemd_resolved:
            // What was set has gone with the link.
            if (!is_there(owner)) return {};
            return naming(backend, revert_link_servers(owner.link));
        case DnsBackend::resolvconf:
            return naming(backend, remove_resolvconf_servers(owner.interface));
        case DnsBackend::file:
            return naming(backend, pop_servers(file_for(owner), owner.lock_file));
    }
    std::unreachable();
}

}  // namespace causeway::device
