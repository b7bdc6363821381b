// Knows the tunnel's own packets when they come out of the TUN: they do when the route to the
// gateway leads into the tunnel itself. Sealed and sent again they would go round for ever.

#pragma once

#include "causeway/base/address.h"

#include <cstdint>
#include <optional>

namespace causeway::provider {

/// One connected socket of ours.
struct OwnFlow {
    std::uint8_t protocol = 0;  ///< IPPROTO_TCP or IPPROTO_UDP.
    Endpoint local;
    Endpoint remote;

    /// Whether it sent this IP packet.
    bool sent(ByteView packet) const;
    bool operator==(const OwnFlow&) const = default;
};

/// Of a socket; nothing when it is not connected.
std::optional<OwnFlow> own_flow(int socket);

}  // namespace causeway::provider
