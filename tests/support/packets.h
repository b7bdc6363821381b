// IP packets for tests, each made from nothing and as plainly as possible: what the data path makes
// is compared with what is made here.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/datapath/super_packet.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace causeway::test {

struct Recipe {
    bool is_v4 = true;
    bool is_tcp = true;
    Bytes payload = {};

    Bytes options = {};  ///< IPv4: a multiple of 4 bytes. IPv6: whole extension headers.
    std::uint8_t first_extension = 0;  ///< IPv6: the kind of the first extension header.
    std::uint8_t host = 2;             ///< Last byte of the destination.
    std::uint8_t traffic_class = 0;
    std::uint32_t flow_label = 0x12345;
    std::uint8_t hops = 64;
    std::uint16_t id = 7;
    std::uint16_t fragment = 0x4000;  ///< Flags and offset; DF.

    std::uint16_t source_port = 1000;
    std::uint16_t destination_port = 443;
    std::uint32_t sequence = 1;
    std::uint32_t acknowledged = 99;
    std::uint8_t flags = 0x10;  ///< ACK
    std::uint16_t window = 500;
    std::uint16_t urgent = 0;
    Bytes tcp_options = {};    ///< A multiple of 4 bytes.
    bool has_checksum = true;  ///< UDP may do without.
};

/// Each byte another, so that a moved or missing one shows.
Bytes pattern(std::size_t size, unsigned start = 1);

/// The packet with all its lengths and checksums.
Bytes packet_of(const Recipe& recipe);

/// A copy of a packet with room in front, as a TunPort hands it out.
class PlacedPacket {
public:
    PlacedPacket(ByteView packet, const datapath::VirtioHeader& offload);
    datapath::SuperPacket get();

private:
    Bytes room_;
    datapath::VirtioHeader offload_;
};

/// The super-packet that a kernel makes of it: one header, the sum of the pseudo-header in the
/// checksum field, and in the virtio header what is left to do.
PlacedPacket super_packet_of(const Recipe& recipe, std::uint16_t segment_size);

/// The packets that the super-packet stands for, each made on its own.
std::vector<Bytes> segments_of(const Recipe& recipe, std::size_t segment_size);

}  // namespace causeway::test
