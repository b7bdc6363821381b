// What a failure of the channel is to the person whose VPN it was.

#pragma once

#include "causeway/error/error.h"
#include "causeway/tls/stream.h"

namespace causeway::tls {

/// The VPN code that a client shows a failure of its channel as. `in_session`: the tunnel was up.
/// `facts` tell whether a certificate of ours was asked for and sent.
Vpn vpn_code(const Error& failure, const Facts& facts, bool in_session);

/// The VPN code of a failure to load our own certificate, key or settings (Identity, Context).
Vpn vpn_code_of_identity(const Error& failure);

}  // namespace causeway::tls
