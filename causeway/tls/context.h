// The settings of a channel, checked once and shared by all streams made with them.

#pragma once

#include "causeway/error/error.h"
#include "causeway/tls/identity.h"
#include "causeway/tls/policy.h"
#include "causeway/tls/trust.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace causeway::tls {

struct ClientSettings {
    Policy policy = {};
    TrustRules trust = {};
    std::optional<Identity> identity = {};    ///< Shown when the server asks.
    std::vector<std::string> protocols = {};  ///< ALPN, most wanted first; none: not offered.
    /// Until the handshake is complete; then errSSLNetworkTimeout.
    std::chrono::milliseconds handshake_limit = std::chrono::seconds(10);
};

enum class ClientCertificate : std::uint8_t { none, optional, required };

/// How a client hears that its certificate was not accepted.
enum class Refusal : std::uint8_t {
    words,  ///< The handshake is completed; `Summary::peer_fault` says what to answer.
    alert,  ///< The exact TLS alert ends the handshake.
};

struct ServerSettings {
    Policy policy = {};
    /// At least one. The one whose names match the client's SNI is shown, else the first.
    std::vector<Identity> identities = {};
    /// Clients that ask for a name none of the certificates has get alert 112.
    bool refuse_unknown_names = false;
    ClientCertificate client_certificate = ClientCertificate::none;
    Refusal refusal = Refusal::words;
    /// For client certificates; `authorities` must be given when these are asked for.
    TrustRules trust = {};
    std::vector<std::string> protocols = {};  ///< ALPN, most wanted first; none: not looked at.
    /// TLS 1.2 renegotiations asked for by the client sooner than this after the last handshake
    /// are refused with a no_renegotiation warning; nothing: all are.
    std::optional<std::chrono::milliseconds> renegotiation_interval = {};
    std::chrono::milliseconds handshake_limit = std::chrono::seconds(10);
};

/// Immutable; may be shared by threads. Every stream keeps its context alive.
class Context {
public:
    /// Both fail with errSSLConfigurationFailed (a suite, group, pin, list or limit the channel
    /// refuses), errSSLBadCert (authorities or revocation lists that cannot be read),
    /// errSSLBadConfiguration (no identity for a server), errSSLModuleAttach (a cryptographic
    /// module cannot be loaded) or errSSLCrypto (the library refuses its work).
    static Result<std::shared_ptr<const Context>> client(ClientSettings settings);
    static Result<std::shared_ptr<const Context>> server(ServerSettings settings);

    bool is_server() const;
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    struct Parts;
    const Parts& parts() const { return *parts_; }

private:
    explicit Context(std::unique_ptr<const Parts> parts);
    std::unique_ptr<const Parts> parts_;
};

}  // namespace causeway::tls
