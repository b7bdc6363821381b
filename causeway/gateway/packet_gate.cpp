#include "causeway/gateway/packet_gate.h"

#include <algorithm>

namespace causeway::gateway {

std::expected<Way, datapath::Drop> judge(const datapath::IpHeader& header,
                                         const InnerAddresses& sender, std::span<const Pool> pools,
                                         bool client_to_client) {
    const auto& own = header.source.is_v4() ? sender.address4 : sender.address6;
    if (own != header.source) return std::unexpected(datapath::Drop::wrong_source);

    const auto pool = std::ranges::find_if(
        pools, [&](const Pool& one) { return one.network.contains(header.destination); });
    if (pool == pools.end() || pool->gateway == header.destination) return Way::device;
    // The kernel would send it back through the TUN: forwarding must not undo the isolation.
    if (!client_to_client) return std::unexpected(datapath::Drop::isolated);
    return Way::client;
}

}  // namespace causeway::gateway
