#include "causeway/datapath/bulk_flows.h"

#include "causeway/datapath/packet_layout.h"

#include <utility>

namespace causeway::datapath {
namespace {

/// Fibonacci hashing: the upper bits depend on all bits.
std::uint32_t spread(std::uint32_t value) { return value * 0x9e3779b1U; }

std::uint32_t folded(ByteView address) {
    std::uint32_t words = 0;
    for (std::size_t at = 0; at < address.size(); at += 4)
        words ^= big_endian_32(address.subspan(at, 4));
    return words;
}

/// Of source and destination, the same when they are exchanged.
std::uint32_t of_pair(std::uint32_t one, std::uint32_t other) {
    return spread(one ^ other) ^ (one + other);
}

}  // namespace

std::uint32_t flow_of(ByteView packet) {
    const auto layout = layout_of(packet);
    if (!layout) return 0;
    const auto addresses = layout->addresses(packet);
    const std::size_t half = addresses.size() / 2;
    const auto hosts = of_pair(folded(addresses.first(half)), folded(addresses.subspan(half)));
    std::uint32_t flow = spread(hosts ^ layout->protocol);
    const bool has_ports = layout->protocol == tcp_protocol || layout->protocol == udp_protocol;
    if (has_ports && !layout->is_fragment && layout->transport + 4 <= packet.size()) {
        const auto ports = packet.subspan(layout->transport, 4);
        flow ^= of_pair(big_endian_16(ports), big_endian_16(ports.subspan(2)));
    }
    return spread(flow);
}

void BulkFlows::saw(std::uint32_t flow, const SuperPacket& packet) {
    if (packet_count(packet) < large) return;
    auto& place = place_of(flow);
    if (place.kind == Kind::small || place.flow != flow) place = {flow, Kind::newly_bulk};
}

BulkFlows::Kind BulkFlows::answered(std::uint32_t flow) {
    auto& place = place_of(flow);
    if (place.kind == Kind::small || place.flow != flow) return Kind::small;
    return std::exchange(place.kind, Kind::bulk);
}

}  // namespace causeway::datapath
