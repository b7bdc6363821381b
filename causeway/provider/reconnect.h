// What to do after a session was lost: pure decisions, no clock, no socket.

#pragma once

#include "causeway/error/error.h"

#include <chrono>
#include <variant>

namespace causeway::provider {

struct ReconnectPolicy {
    std::chrono::milliseconds first_pause{1'000};
    std::chrono::milliseconds longest_pause{30'000};
    std::chrono::milliseconds limit{300'000};  ///< since the loss
    /// When the first loss is to be the end, as long is asked for the reason.
    std::chrono::milliseconds inquiry{5'000};
};

/// Try again with the cookie, after a pause.
struct TryAgain {
    std::chrono::milliseconds pause;
};
/// The cookie is dead and the answers are at hand.
struct LogInAgain {};
/// It is over, for this reason.
struct GiveUp {
    Error why;
};
using ReconnectMove = std::variant<TryAgain, LogInAgain, GiveUp>;

/// The state of a loss.
struct Loss {
    Error why;                  ///< the first failure: what ended the session
    bool once = false;          ///< no session is wanted after this one
    bool can_log_in = false;    ///< all answers are at hand
    bool address_gone = false;  ///< the local address of the lost connection has vanished
    int attempts = 0;           ///< finished ones
    int logins = 0;             ///< among them
    std::chrono::milliseconds elapsed{};
};

/// Whether what ended a tunnel is a loss, to be made good, and not the gateway's decision. A route
/// that leads into the tunnel is one: it may be put right.
bool is_loss(const Error& why);

/// What the end of a channel is to the user: serverDisconnected when it was closed in order, else
/// serverDead; a VPN code stays as it is.
Error as_end_of_session(Error why);

/// The pause before attempt number `attempt`, counted from 1: none before the first, then growing.
std::chrono::milliseconds pause_before(int attempt, const ReconnectPolicy& policy);

/// What follows the loss itself.
ReconnectMove after_loss(const Loss& loss, const ReconnectPolicy& policy);

/// What follows an attempt that failed.
///
/// Ends with serverDisconnected (evidence `reauthenticate`) when the gateway does not know the
/// session any more; the gateway's own code when it gave one; unrecoverableNetworkChange when it
/// refuses to carry the session over to a new address, or the route to it leads into the tunnel;
/// noNetworkAvailable when there is no network; else serverDead.
ReconnectMove after_attempt(const Loss& loss, Error failure, const ReconnectPolicy& policy);

}  // namespace causeway::provider
