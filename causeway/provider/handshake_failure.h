// A failed channel in words for the person whose VPN it was, with what can be known beyond the
// wire.
//
// Some gateways close without an alert when they dislike something. Then our own knowledge speaks
// first (was a certificate asked for, sent, issued by one of those asked for), and what the wire
// cannot tell apart is listed as evidence `candidates`.

#pragma once

#include "causeway/error/error.h"
#include "causeway/provider/settings.h"
#include "causeway/tls/stream.h"

namespace causeway::provider {

/// `failure`: a code of the channel, before the gateway has answered anything in it.
Error handshake_failure(const Settings& settings, const std::string& host, const tls::Facts& facts,
                        Error failure);

/// Whether the connection ended without any word about the reason.
bool is_silent_end(const Error& failure);

/// Whether something that came broke the channel: an alert, a damaged record. Else it ended, or
/// nothing came.
bool is_broken(const Error& failure);

}  // namespace causeway::provider
