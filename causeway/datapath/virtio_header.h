// The header that stands in front of every packet of a TUN opened with IFF_VNET_HDR: what the
// kernel has left for us to do, and what we leave for it.
//
//     byte   0       1          2         4            6            8             10
//            | flags | gso_type | hdr_len | gso_size   | csum_start | csum_offset |

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/datapath/counters.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

namespace causeway::datapath {

/// How a packet is to be cut into segments (VIRTIO_NET_HDR_GSO_… of linux/virtio_net.h).
enum class Segmentation : std::uint8_t {
    none,
    tcp4,
    tcp6,
    udp,  ///< Datagrams of equal size, of either family (GSO_UDP_L4).
};

/// Bytes of the header as we ask for it (struct virtio_net_hdr).
inline constexpr std::size_t virtio_header_size = 10;

struct VirtioHeader {
    /// The checksum field holds the sum of the pseudo-header only; the rest is to be added.
    bool needs_checksum = false;
    Segmentation segmentation = Segmentation::none;
    /// CWR is set and belongs to the first segment only.
    bool has_ecn = false;
    std::uint16_t header_size = 0;      ///< Of IP and transport; a hint, not to be trusted.
    std::uint16_t segment_size = 0;     ///< Payload bytes of each segment but the last.
    std::uint16_t checksum_start = 0;   ///< Where the transport header begins.
    std::uint16_t checksum_offset = 0;  ///< Where in it the checksum is.

    bool operator==(const VirtioHeader&) const = default;
};

/// The header at the front of `bytes`, in the byte order of this machine, which is how a TUN has it
/// unless told otherwise. `malformed` for fewer bytes, an unknown kind of segmentation, or one that
/// was never asked for.
std::expected<VirtioHeader, Drop> read_virtio_header(ByteView bytes);

/// Writes the header over the first `virtio_header_size` bytes of `to`.
void write_virtio_header(const VirtioHeader& header, std::span<std::byte> to);

}  // namespace causeway::datapath
