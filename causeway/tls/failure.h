// Making an Error of what went wrong in a channel. Private to this layer.

#pragma once

#include "causeway/error/error.h"
#include "causeway/tls/handshake_watch.h"
#include "causeway/tls/reason.h"

namespace causeway::tls {

/// The connection as far as failures need it.
struct Scene {
    const HandshakeWatch& watch;
    const Policy& policy;
    bool is_server = false;
};

/// The peer's alert ended it.
Error alert_error(const Scene& scene, const Alert& alert);
/// OpenSSL found something.
Error local_error(const Scene& scene, Trouble trouble);
/// FIN; `partial`: the bytes of a record that is not whole.
Error end_error(const Scene& scene, ByteView partial);
/// The transport failed with that errno.
Error reset_error(const Scene& scene, int number);
/// The limit of the handshake passed.
Error timeout_error(const Scene& scene, std::chrono::milliseconds limit);
/// The suite breaks the rule about forward secrecy.
Error suite_error(const Scene& scene, std::string_view suite);
/// The finite-field group is smaller than the policy wants.
Error group_error(const Scene& scene, int bits);

/// Adds the alert that we sent for it, if we did.
void add_alert_sent(const Scene& scene, Error& error);

}  // namespace causeway::tls
