// One IP packet, or a run of segments of one flow under one header, as it travels between the TUN
// and the two that take it apart (Splitter) and put it together (Merger).
//
//     | headroom | IP | TCP or UDP | payload of segment 0 | of segment 1 | ... | of the last |

#pragma once

#include "causeway/datapath/virtio_header.h"

#include <cstddef>
#include <span>

namespace causeway::datapath {

/// Bytes in front of a super-packet that may be written over: for a type byte or headers of the
/// layers below.
inline constexpr std::size_t super_packet_headroom = 64;

/// The largest: an IPv6 header and what its length field can say.
inline constexpr std::size_t super_packet_limit = 40 + 65'535;

struct SuperPacket {
    /// From the first byte of the IP header. Valid until whoever made it is asked for the next.
    std::span<std::byte> bytes;
    VirtioHeader offload;
};

/// How many packets it stands for, as far as the virtio header can be believed.
inline std::size_t packet_count(const SuperPacket& packet) {
    const auto& offload = packet.offload;
    const std::size_t headers = offload.header_size;
    if (offload.segmentation == Segmentation::none || offload.segment_size == 0) return 1;
    if (packet.bytes.size() <= headers) return 1;
    return (packet.bytes.size() - headers + offload.segment_size - 1) / offload.segment_size;
}

/// Size of the largest of them, headers included, with the same belief.
inline std::size_t largest_packet(const SuperPacket& packet) {
    const auto& offload = packet.offload;
    if (offload.segmentation == Segmentation::none || offload.segment_size == 0)
        return packet.bytes.size();
    const std::size_t cut = std::size_t{offload.header_size} + offload.segment_size;
    return cut < packet.bytes.size() ? cut : packet.bytes.size();
}

/// Whoever takes what a Merger has put together.
class SuperPacketSink {
public:
    virtual ~SuperPacketSink() = default;
    /// `count`: how many packets it is made of. The bytes may be changed and last until the return.
    virtual void take(const SuperPacket& packet, std::size_t count) = 0;
};

}  // namespace causeway::datapath
