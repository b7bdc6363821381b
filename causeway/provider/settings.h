// What a worker is given before it starts: everything is read, checked and in memory, so that it
// needs no file and no right afterwards.

#pragma once

#include "causeway/base/secret.h"
#include "causeway/datapath/record_suite.h"
#include "causeway/protocol/url.h"
#include "causeway/provider/limits.h"
#include "causeway/provider/resolver_settings.h"
#include "causeway/tls/context.h"
#include "causeway/tls/identity.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace causeway::provider {

struct Settings {
    protocol::Url gateway;
    std::string group = {};

    /// The answers at hand: for the user's name, for the first password, and for fields by name.
    std::optional<std::string> user = {};
    std::optional<Secret> password = {};
    std::map<std::string, Secret> answers = {};
    bool can_prompt = false;  ///< Somebody sits at a terminal.

    std::shared_ptr<const tls::Context> channel;
    std::optional<tls::Identity> identity = {};  ///< The one in `channel`, to reason about.

    ResolverSettings resolver;
    Deadlines deadlines = {};
    std::chrono::milliseconds timeout{60'000};  ///< Until connected.
    bool once = false;                          ///< The first loss is the end.

    bool use_datagrams = true;  ///< Ask for a datagram channel beside TLS.
    datapath::CryptoBackend crypto = datapath::CryptoBackend::automatic;

    int mtu = 0;                ///< Of the tunnel at most; 0: what the gateway says.
    std::string hostname = {};  ///< This machine's, told to the gateway.
};

}  // namespace causeway::provider
