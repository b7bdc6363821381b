#include "causeway/provider/resolver_settings.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/provider/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace causeway::provider {
namespace {

/// The words of a line, without what follows a comment sign.
std::vector<std::string_view> words_of(std::string_view line) {
    line = line.substr(0, line.find_first_of("#;"));
    std::vector<std::string_view> words;
    constexpr std::string_view blanks = " \t\r";
    while (true) {
        const auto first = line.find_first_not_of(blanks);
        if (first == std::string_view::npos) return words;
        line.remove_prefix(first);
        const auto length = std::min(line.find_first_of(blanks), line.size());
        words.push_back(line.substr(0, length));
        line.remove_prefix(length);
    }
}

std::optional<NameServer> parse_name_server(std::string_view text) {
    const auto percent = text.find('%');
    const auto address = IpAddress::parse(text.substr(0, percent));
    if (!address) return std::nullopt;
    NameServer server{*address};
    if (percent != std::string_view::npos) server.zone = text.substr(percent + 1);
    return server;
}

std::string without_final_dot(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    return std::string(name);
}

bool is_loopback_name(std::string_view name) {
    const auto plain = lower(without_final_dot(name));
    return plain == "localhost" || plain.ends_with(".localhost");
}

}  // namespace

std::string NameServer::text() const {
    auto shown = address.text();
    if (!zone.empty()) shown += "%" + zone;
    if (port == 53) return shown;
    return address.is_v4() ? shown + ":" + std::to_string(port)
                           : "[" + shown + "]:" + std::to_string(port);
}

ResolverSettings parse_resolver_settings(std::string_view text) {
    ResolverSettings settings;
    for (const auto line : split(text, '\n')) {
        const auto words = words_of(line);
        if (words.size() < 2) continue;
        if (words[0] == "nameserver") {
            const auto server = parse_name_server(words[1]);
            if (server && settings.servers.size() < name_server_limit)
                settings.servers.push_back(*server);
        } else if (words[0] == "search" || words[0] == "domain") {
            // "If more than one instance of these keywords is present, the last instance wins."
            settings.search.clear();
            for (std::size_t i = 1; i < words.size() && i <= search_limit; ++i)
                settings.search.push_back(without_final_dot(words[i]));
            std::erase(settings.search, "");
        } else if (words[0] == "options") {
            for (const auto word : words)
                if (word.starts_with("ndots:"))
                    settings.dots =
                        parse_number<int>(word.substr(6), 0, 15).value_or(settings.dots);
        }
    }
    return settings;
}

ResolverSettings read_resolver_settings(const std::string& resolver_file,
                                        const std::string& hosts_file) {
    const auto text = read_file(resolver_file, resolver_file_limit);
    auto settings = parse_resolver_settings(text ? *text : "");
    settings.source = resolver_file;
    settings.unreadable = text ? 0 : text.error();
    if (auto hosts = read_file(hosts_file, hosts_file_limit)) settings.hosts = std::move(*hosts);
    return settings;
}

std::vector<IpAddress> addresses_in_hosts(std::string_view hosts, std::string_view name) {
    const auto wanted = without_final_dot(name);
    std::vector<IpAddress> found;
    for (const auto line : split(hosts, '\n')) {
        const auto words = words_of(line);
        if (words.size() < 2) continue;
        const bool named = std::any_of(words.begin() + 1, words.end(), [&](std::string_view word) {
            return equals_ignoring_case(without_final_dot(word), wanted);
        });
        const auto address = named ? IpAddress::parse(words[0]) : std::nullopt;
        if (address && std::ranges::find(found, *address) == found.end()) found.push_back(*address);
    }
    if (found.empty() && is_loopback_name(name))
        found = {*IpAddress::parse("::1"), *IpAddress::parse("127.0.0.1")};
    return found;
}

std::vector<std::string> candidates_for(std::string_view name, const ResolverSettings& settings) {
    const auto plain = without_final_dot(name);
    if (name.ends_with('.')) return {plain};
    std::vector<std::string> names;
    for (const auto& domain : settings.search) names.push_back(fmt::format("{}.{}", plain, domain));
    const bool few_dots = std::ranges::count(plain, '.') < settings.dots;
    names.insert(few_dots ? names.end() : names.begin(), plain);
    return names;
}

}  // namespace causeway::provider
