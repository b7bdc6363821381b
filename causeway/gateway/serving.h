// What clients that come now are served with: configuration, channel, login rules; one immutable
// whole, replaced by a reload.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/error/error.h"
#include "causeway/gateway/config.h"
#include "causeway/gateway/file_keeper.h"
#include "causeway/protocol/login_server.h"
#include "causeway/tls/context.h"

#include <memory>
#include <string>
#include <vector>

namespace causeway::gateway {

/// Shared by all threads. Connections keep the one they began with until their session is up.
struct Serving {
    std::shared_ptr<const Config> config;
    std::shared_ptr<const tls::Context> context;
    /// Rules for a client that showed a certificate we accept, and for all others.
    std::shared_ptr<const protocol::LoginPolicy> with_certificate;
    std::shared_ptr<const protocol::LoginPolicy> without_certificate;
    /// What the operator should know and what does not keep the gateway from serving: an expired
    /// certificate of its own.
    std::vector<std::string> warnings;
};

/// Reads the files that the configuration names (certificate, key, authorities, revocation list)
/// and makes the channel of them. Fails with configurationFailed <- what is wrong with which file.
Result<std::shared_ptr<const Serving>> make_serving(Config config, WallTime now,
                                                    const FileOpener& open = open_for_reading);

/// The first thing that a reload from `running` to `wanted` cannot do without a restart, since it
/// needs privileges that were given up (addresses, device, control socket, threads). Fails with
/// configurationFailed that names the key.
Result<void> check_reloadable(const Config& running, const Config& wanted);

}  // namespace causeway::gateway
