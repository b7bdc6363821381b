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

/// Remembers flows in a table of fixed size: the last one in bulk of those that share a place.
/// One that is forgotten counts as small until its next large super-packet.
class BulkFlows {
public:
    /// A packet of that flow came out of the TUN. A flow is in bulk from one large super-packet on.
    void saw(std::uint32_t flow, const SuperPacket& packet);

    enum class Kind : std::uint8_t {
        small,
        newly_bulk,  ///< In bulk, and asked about for the first time since it is.
        bulk,
    };
    /// A packet of that flow goes into the TUN.
    Kind answered(std::uint32_t flow);

    /// As many segments make a super-packet large: more than a request or a short answer has.
    static constexpr std::size_t large = 8;

private:
    struct Place {
        std::uint32_t flow = 0;
        Kind kind = Kind::small;
    };
    static constexpr int place_bits = 10;
    Place& place_of(std::uint32_t flow) { return places_[flow >> (32 - place_bits)]; }

    std::array<Place, std::size_t{1} << place_bits> places_{};
};

}  // namespace causeway::datapath
