// A failure of a connection as it is kept, shown and sent: an Error with its place and time.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/error/catalogue.h"
#include "causeway/error/error.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway {

/// How far a connection has come, in the order in which it goes.
enum class Phase : std::uint8_t {
    profile,
    network,
    resolve,
    connect,
    tls,
    authenticate,
    session,
    device,
    datagram,
    connected,
    disconnect,
};

std::string_view name_of(Phase phase);
std::optional<Phase> phase_named(std::string_view name);

/// One thing that was tried before the failure.
struct TrailStep {
    Phase phase;
    std::chrono::milliseconds took;
    std::string result;  ///< "192.0.2.7:443", "TLS 1.3, AES-256-GCM"; or what went wrong.
};

struct Incident {
    std::uint64_t id;
    WallTime time;
    std::string profile;  ///< May be empty.
    std::string server;   ///< "vpn.example.com:443"; the gateway writes the client's address here.
    Phase phase;
    Error error;
    std::vector<TrailStep> trail = {};
};

/// An incident of now, with a random id.
Incident make_incident(std::string profile, std::string server, Phase phase, Error error,
                       std::vector<TrailStep> trail = {});

/// 16 hexadecimal digits, as it is shown and sent.
std::string incident_id(std::uint64_t id);
std::optional<std::uint64_t> parse_incident_id(std::string_view text);

/// The row whose words advise best: the lowest catalogued error of the chain that is shown as the
/// chain's first code, since it knows the most; else the row of the first one. Nothing when the
/// first error is a raw fact.
const Entry* adviser(const Error& error);

}  // namespace causeway
