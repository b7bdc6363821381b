// A super-packet from the TUN taken apart into the packets it stands for, in place.
//
//     | IP TCP | segment 0 ...... | segment 1 ...... | segment 2 .. |
//     `---- packet 0 ------------'
//                         | IP TCP| segment 1 ...... |
//                         `---- packet 1 -----------'
//
// The header of each packet is written directly before its payload, over the end of the packet
// before, which has been sealed (or copied) by then. So no payload is ever moved.

#pragma once

#include "causeway/datapath/counters.h"
#include "causeway/datapath/limits.h"
#include "causeway/datapath/super_packet.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

namespace causeway::datapath {

struct PacketLayout;

/// One super-packet at a time on its way through, any number one after the other. Does what the
/// network card would: sequence numbers, IPv4 identification, lengths, checksums; FIN and PSH only
/// on the last segment, CWR only on the first.
class Splitter {
public:
    Splitter() {}  // leaves header_ alone, which a default would clear

    /// `malformed` when it is no IP packet, its lengths or what the virtio header says do not fit
    /// it, or it has more than `inner_header_limit` bytes of headers. A packet without
    /// segmentation is one packet; its checksum is completed when that was left to us.
    std::expected<void, Drop> start(const SuperPacket& packet);

    // Of the packet that was started:

    /// How many packets there are, at least 1.
    std::size_t count() const { return count_; }
    /// Size of the largest of them (the first), headers included.
    std::size_t packet_size() const { return header_size_ + segment_size_; }

    /// The next packet, or none (empty) behind the last. At least `super_packet_headroom` bytes in
    /// front of it may be written over. The packet before it is gone.
    std::span<std::byte> next();

private:
    bool start_cutting(const PacketLayout& layout, const VirtioHeader& offload);
    bool take_checksum(const PacketLayout& layout, const VirtioHeader& offload);
    void write_network(std::span<std::byte> packet, std::size_t index) const;
    void write_tcp(std::span<std::byte> packet, std::size_t index) const;
    void write_checksum(std::span<std::byte> packet) const;

    std::span<std::byte> bytes_;
    // Left as it is until there is something to cut: it would cost as much as a small packet.
    std::array<std::byte, inner_header_limit> header_;
    std::size_t header_size_ = 0;  ///< Of IP and transport; 0 for a packet that is not cut.
    std::size_t transport_ = 0;    ///< Where the transport header begins.
    std::size_t segment_size_ = 0;
    std::size_t count_ = 0;
    std::size_t next_ = 0;
    std::uint16_t pseudo_sum_ = 0;  ///< Of the pseudo-header without the length.
    bool is_tcp_ = false;
    bool has_checksum_ = true;
};

}  // namespace causeway::datapath
