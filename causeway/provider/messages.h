// What a worker and the program that started it say to each other over their channel.
//
// The worker tells and asks; the owner of the device answers, and says once when to stop.
//
//     worker                          owner
//       phase, note, banner  ------->
//       protect + descriptor ------->   ok or error
//       prompt               ------->   answers or error
//       apply                ------->   applied or error
//       connected, reconnecting, datagram, counted ---->
//                            <-------   stop
//       failed or left       ------->   (the end)

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/secret.h"
#include "causeway/error/incident.h"
#include "causeway/protocol/auth_form.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace causeway::provider {

/// What the session needs of the machine.
struct TunnelSettings {
    std::vector<Prefix> addresses;
    int mtu = 0;
    std::vector<Prefix> included;
    std::vector<Prefix> excluded;
    std::vector<IpAddress> gateways;
    bool allow_other_family = false;
    std::vector<IpAddress> dns_servers;
    std::vector<std::string> search_domains;
    std::vector<std::string> split_domains;
    bool tunnel_all_dns = false;
    bool operator==(const TunnelSettings&) const = default;
};

struct PhasePassed {
    TrailStep step;
};
struct Note {
    std::string text;
};
struct BannerShown {
    std::string text;
};
struct ProtectAsked {};
struct PromptAsked {
    protocol::AuthForm form;
    std::vector<protocol::Field> fields;  ///< those that need an answer
};
struct ApplyAsked {
    TunnelSettings settings;
};
struct Connected {
    std::vector<IpAddress> addresses;  ///< ours, in the tunnel
    std::string server;                ///< "vpn.example.com:443"
    std::string remote;                ///< "192.0.2.7:443"
    std::string version;               ///< "TLS 1.3"
    std::string suite;
    bool again = false;  ///< after a loss
};
struct Reconnecting {
    Error why;
    int attempt = 1;
    std::chrono::milliseconds pause{};
};
/// What became of the datagram channel beside TLS.
struct DatagramChanged {
    enum class State : std::uint8_t {
        up,       ///< It carries the packets.
        down,     ///< TLS carries them; `why` says why.
        resized,  ///< It carries packets of another size.
    };
    State state = State::down;
    std::string remote;  ///< "192.0.2.7:443"
    std::string suite;   ///< up
    std::string crypto;  ///< up: who seals and opens its records
    /// Of the tunnel; down: 0 unless it is smaller than before.
    int mtu = 0;
    std::optional<Error> why;  ///< down
};
/// "up", "down", "resized".
const char* name(DatagramChanged::State state);

/// What has gone through, at the end.
struct Counted {
    std::vector<std::pair<std::string, std::uint64_t>> values;  ///< by name, in order
    std::vector<std::string> offloads;                          ///< that were on
};
struct Failed {
    Incident incident;
};
struct Left {};

using WorkerMessage =
    std::variant<PhasePassed, Note, BannerShown, ProtectAsked, PromptAsked, ApplyAsked, Connected,
                 Reconnecting, DatagramChanged, Counted, Failed, Left>;

nlohmann::json json_of(const WorkerMessage& message);
/// Fails with PARAMETER_ERROR, which names what could not be read.
Result<WorkerMessage> worker_message(const nlohmann::json& json);

/// The answers of the owner.
struct Applied {
    std::vector<std::string> notes;
};
using Typed = std::map<std::string, Secret>;

nlohmann::json answer_ok();
nlohmann::json answer_error(const Error& error);
nlohmann::json answer_applied(const Applied& applied);
nlohmann::json answer_typed(const Typed& typed);

/// Fail with the error the owner answered, or PARAMETER_ERROR.
Result<void> read_ok(const nlohmann::json& json);
Result<Applied> read_applied(const nlohmann::json& json);
Result<Typed> read_typed(const nlohmann::json& json);

nlohmann::json stop_message();
bool is_stop(const nlohmann::json& json);

}  // namespace causeway::provider
