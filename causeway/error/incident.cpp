#include "causeway/error/incident.h"

#include "causeway/base/bytes.h"
#include "causeway/base/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace causeway {
namespace {

constexpr auto phases = std::to_array<std::string_view>({"profile", "network", "resolve", "connect",
                                                         "tls", "authenticate", "session", "device",
                                                         "datagram", "connected", "disconnect"});

}  // namespace

std::string_view name_of(Phase phase) { return phases.at(static_cast<std::size_t>(phase)); }

std::optional<Phase> phase_named(std::string_view name) {
    const auto found = std::ranges::find(phases, name);
    if (found == phases.end()) return std::nullopt;
    return static_cast<Phase>(found - phases.begin());
}

Incident make_incident(std::string profile, std::string server, Phase phase, Error error,
                       std::vector<TrailStep> trail) {
    return {random_64(), wall_now(),       std::move(profile), std::move(server),
            phase,       std::move(error), std::move(trail)};
}

std::string incident_id(std::uint64_t id) { return fmt::format("{:016x}", id); }

std::optional<std::uint64_t> parse_incident_id(std::string_view text) {
    if (text.size() != 16) return std::nullopt;
    std::uint64_t id = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return id;
}

const Entry* adviser(const Error& error) {
    const Entry* first = entry(error.code);
    if (!first) return nullptr;
    const Entry* best = first;
    for (const Error* at = error.cause.get(); at; at = at->cause.get()) {
        const Entry* row = entry(at->code);
        if (row && row->domain != Domain::vpn && row->shown_as == first->shown_as) best = row;
    }
    return best;
}

}  // namespace causeway
