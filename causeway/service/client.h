// The client library of the VPN service: a tunnel for a program, in a few lines.
//
//     auto session = VpnSession::set_up({.addresses = {*Prefix::parse("10.8.0.2/24")}});
//     if (!session) return say(session.error());     // its code, its field, its cause
//     session->protect(my_socket);                   // stays outside of the tunnel
//     read(session->tun(), …);                       // packets, nothing in front of them
//                                                    // the end of `session` undoes everything
//
// docs/service.md says what every code means to a program.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/error/incident.h"
#include "causeway/service/vpn_config.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// $CAUSEWAY_SOCKET, else /run/causeway/control.sock.
std::string control_socket_path();

/// The incident of a failure that this library has returned: the service's own, with its id and its
/// time; one of now for what kept the service from being asked.
Incident incident_of(Error failure);

/// A connection to the service, for questions; it waits for each answer. Not for use by two
/// threads.
///
/// Whatever the service refuses is returned as it says it, with the incident's id and time as
/// evidence `incident` and `incident_time`. What keeps it from being asked is
/// SYSTEM_INTERNAL_ERROR <- the errno, evidence `step`: "service", `control_socket`.
class ControlClient {
public:
    static Result<ControlClient> connect(const std::string& path = control_socket_path());
    ControlClient(ControlClient&&) noexcept;
    ControlClient& operator=(ControlClient&&) noexcept;
    ~ControlClient();

    struct Answer {
        std::string json;  ///< The result, one object.
        std::vector<Fd> descriptors;
    };
    /// `params` is a JSON object. Descriptors are copied for the service, not taken.
    Result<Answer> ask(std::string_view method, const std::string& params = "{}",
                       const std::vector<int>& descriptors = {});

    /// The next event as JSON, after `ask("events")`. Waits for it.
    Result<std::string> next_event();

    /// The connection; readable when the service has something to say, or is gone.
    int fd() const;

private:
    struct State;
    explicit ControlClient(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// A tunnel that is up. It ends with this object, with the process, and with `destroy`.
class VpnSession {
public:
    /// Fails with PROHIBITED_BY_POLICY, PARAMETER_ERROR, INVALID_PARAMETER_VALUE (all faults of the
    /// configuration at once), PERMISSION_DENIED, VPN_CREATION_DENIED, VPN_ALREADY_EXISTS,
    /// CAPABILITY_NOT_SUPPORTED or SYSTEM_INTERNAL_ERROR.
    static Result<VpnSession> set_up(const VpnConfig& config,
                                     const std::string& path = control_socket_path());
    /// The same with the configuration's JSON form. Fails with PARAMETER_ERROR, too, for a text
    /// that is no JSON.
    static Result<VpnSession> set_up_text(const std::string& json,
                                          const std::string& path = control_socket_path());
    VpnSession(VpnSession&&) noexcept = default;
    /// Ends what this one was before.
    VpnSession& operator=(VpnSession&&) noexcept;
    ~VpnSession();

    const std::string& id() const { return id_; }
    const std::string& interface() const { return interface_; }
    /// A read gives one packet, a write sends one. Non-blocking unless the configuration says
    /// otherwise.
    int tun() const { return tun_.get(); }

    /// Keeps an IP socket outside of the tunnel. Fails with INVALID_SOCKET_FD (not open, not a
    /// socket, not an IP socket, already in the tunnel) or PERMISSION_DENIED (the session has
    /// ended).
    Result<void> protect(int socket);

    /// What the service says of this session: a JSON object, docs/control-protocol.md. Fails with
    /// INVALID_PARAMETER_VALUE when it has ended.
    Result<std::string> status();

    /// Undoes everything and says the first thing that could not be. Once; then nothing.
    Result<void> destroy();

private:
    VpnSession(ControlClient client, std::string id, std::string interface, Fd tun)
        : client_(std::move(client)),
          id_(std::move(id)),
          interface_(std::move(interface)),
          tun_(std::move(tun)) {}

    ControlClient client_;
    std::string id_;
    std::string interface_;
    Fd tun_;
};

}  // namespace causeway::service
