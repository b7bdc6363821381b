// May this packet of a client pass, and where to: the source check and the isolation of clients.
//
// Pure functions over the header. Stages of a packet from a client, each on the client's shard:
//     CSTP -> parse_ip_header -> judge -> TUN, or another client
// and of a packet from the TUN:
//     TUN -> parse_ip_header -> RouteTable -> the client's shard -> CSTP

#pragma once

#include "causeway/base/address.h"
#include "causeway/datapath/counters.h"
#include "causeway/datapath/ip_header.h"
#include "causeway/gateway/config.h"

#include <cstdint>
#include <expected>
#include <optional>
#include <span>

namespace causeway::gateway {

/// Addresses that a client may send from: nothing for a family that it was not given.
struct InnerAddresses {
    std::optional<IpAddress> address4;
    std::optional<IpAddress> address6;
};

enum class Way : std::uint8_t {
    device,  ///< To the kernel, which routes it.
    client,  ///< To another client, if one has that address.
};

/// Where a client's packet goes. Drops are `wrong_source` for any source but its own, and
/// `isolated` for a packet to another client's address unless `client_to_client`.
std::expected<Way, datapath::Drop> judge(const datapath::IpHeader& header,
                                         const InnerAddresses& sender, std::span<const Pool> pools,
                                         bool client_to_client);

}  // namespace causeway::gateway
