#include "causeway/datapath/virtio_header.h"

#include <cstring>

namespace causeway::datapath {
namespace {

// linux/virtio_net.h, which C++ does not take: struct virtio_net_hdr and VIRTIO_NET_HDR_….
struct RawHeader {
    std::uint8_t flags;
    std::uint8_t gso_type;
    std::uint16_t hdr_len;
    std::uint16_t gso_size;
    std::uint16_t csum_start;
    std::uint16_t csum_offset;
};
static_assert(sizeof(RawHeader) == virtio_header_size);

constexpr std::uint8_t needs_csum = 1;
constexpr std::uint8_t gso_none = 0;
constexpr std::uint8_t gso_tcpv4 = 1;
constexpr std::uint8_t gso_tcpv6 = 4;
constexpr std::uint8_t gso_udp_l4 = 5;
constexpr std::uint8_t gso_ecn = 0x80;

std::expected<Segmentation, Drop> segmentation_of(std::uint8_t type) {
    switch (type) {
        case gso_none: return Segmentation::none;
        case gso_tcpv4: return Segmentation::tcp4;
        case gso_tcpv6: return Segmentation::tcp6;
        case gso_udp_l4: return Segmentation::udp;
        default: return std::unexpected(Drop::malformed);
    }
}

std::uint8_t type_of(Segmentation segmentation) {
    switch (segmentation) {
        case Segmentation::none: return gso_none;
        case Segmentation::tcp4: return gso_tcpv4;
        case Segmentation::tcp6: return gso_tcpv6;
        case Segmentation::udp: return gso_udp_l4;
    }
    std::unreachable();
}

}  // namespace

std::expected<VirtioHeader, Drop> read_virtio_header(ByteView bytes) {
    if (bytes.size() < virtio_header_size) return std::unexpected(Drop::malformed);
    RawHeader raw;
    std::memcpy(&raw, bytes.data(), sizeof raw);
    const bool has_ecn = (raw.gso_type & gso_ecn) != 0;
    const auto segmentation = segmentation_of(static_cast<std::uint8_t>(raw.gso_type & ~gso_ecn));
    if (!segmentation) return std::unexpected(segmentation.error());
    return VirtioHeader{.needs_checksum = (raw.flags & needs_csum) != 0,
                        .segmentation = *segmentation,
                        .has_ecn = has_ecn,
                        .header_size = raw.hdr_len,
                        .segment_size = raw.gso_size,
                        .checksum_start = raw.csum_start,
                        .checksum_offset = raw.csum_offset};
}

void write_virtio_header(const VirtioHeader& header, std::span<std::byte> to) {
    RawHeader raw{};
    if (header.needs_checksum) raw.flags = needs_csum;
    raw.gso_type = type_of(header.segmentation);
    if (header.has_ecn) raw.gso_type = static_cast<std::uint8_t>(raw.gso_type | gso_ecn);
    raw.hdr_len = header.header_size;
    raw.gso_size = header.segment_size;
    raw.csum_start = header.checksum_start;
    raw.csum_offset = header.checksum_offset;
    std::memcpy(to.data(), &raw, sizeof raw);
}

}  // namespace causeway::datapath
