// Which flows are in bulk: those whose packets come out of the TUN as large super-packets.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/datapath/super_packet.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace causeway::datapath {

/// The flow of a packet, in 32 bits: the same in both directions. 0 for what is no packet.
std::uint32_t flow_of(ByteView packet);

/// Remembers flows in a table of fixed size. Two that share a place forget each other, and packets
/// of a forgotten flow count as small: that costs time and no packet.
class BulkFlows {
public:
    /// A packet of that flow came out of the TUN. A flow is in bulk from one large super-packet on,
    /// until `patience` packets in a row were small.
    void saw(std::uint32_t flow, const SuperPacket& packet);
    bool is_bulk(std::uint32_t flow) const;

    /// As many segments make a super-packet large: more than a request or a short answer has.
    static constexpr std::size_t large = 8;
    static constexpr std::uint8_t patience = 16;

private:
    struct Place {
        std::uint32_t flow = 0;
        std::uint8_t left = 0;  ///< Small packets until it is not in bulk any more.
    };
    static constexpr std::size_t place_count = 1024;

    std::array<Place, place_count> places_{};
};

}  // namespace causeway::datapath
