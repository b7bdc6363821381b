#include "causeway/error/names.h"

#include "causeway/base/text.h"
#include "causeway/error/catalogue.h"
#include "causeway/error/raw_names.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace causeway {
namespace {

constexpr auto domains = std::to_array<std::string_view>(
    {"vpn", "tls", "trust", "service", "system", "resolver", "http", "alert", "x509", "process"});

std::string_view errno_name(std::int32_t number) {
    const char* name = strerrorname_np(number);
    return name ? std::string_view(name) : std::string_view{};
}

std::string process_name(std::int32_t number) {
    if (number >= 0) return "exit_" + std::to_string(number);
    const char* name =
        number > std::numeric_limits<std::int32_t>::min() ? sigabbrev_np(-number) : nullptr;
    return name ? std::string("SIG") + name : std::string();
}

std::string known_name(Code code) {
    switch (code.domain()) {
        case Domain::vpn:
        case Domain::tls:
        case Domain::trust:
        case Domain::service: {
            const Entry* row = entry(code);
            return row ? std::string(row->name) : std::string();
        }
        case Domain::system: return std::string(errno_name(code.number()));
        case Domain::resolver: return std::string(resolver_name(code.number()));
        case Domain::http: return std::string(http_name(code.number()));
        case Domain::alert: return std::string(alert_name(code.number()));
        case Domain::x509: return std::string(x509_name(code.number()));
        case Domain::process: return process_name(code.number());
    }
    return {};
}

std::string underscored(std::string text) {
    std::ranges::replace(text, ' ', '_');
    return text;
}

}  // namespace

std::string_view domain_name(Domain domain) { return domains.at(static_cast<std::size_t>(domain)); }

std::optional<Domain> domain_named(std::string_view name) {
    const auto found = std::ranges::find(domains, name);
    if (found == domains.end()) return std::nullopt;
    return static_cast<Domain>(found - domains.begin());
}

std::string code_name(Code code) {
    auto name = known_name(code);
    return name.empty() ? std::to_string(code.number()) : name;
}

std::string code_text(Code code) {
    return std::string(domain_name(code.domain())) + '/' + std::to_string(code.number()) + '/' +
           underscored(code_name(code));
}

std::optional<Code> parse_code(std::string_view text) {
    const auto parts = split(text, '/');
    if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
    const auto domain = domain_named(parts[0]);
    const auto number =
        parse_number<std::int32_t>(parts[1], std::numeric_limits<std::int32_t>::min(),
                                   std::numeric_limits<std::int32_t>::max());
    if (!domain || !number) return std::nullopt;
    const Code code = Code::raw(*domain, *number);
    if (is_catalogued(*domain) && !entry(code)) return std::nullopt;
    if (parts.size() == 3 && parts[2] != underscored(code_name(code))) return std::nullopt;
    return code;
}

}  // namespace causeway
