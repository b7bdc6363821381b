#include "causeway/datapath/splitter.h"

#include "causeway/datapath/checksum.h"
#include "causeway/datapath/packet_layout.h"

#include <algorithm>

namespace causeway::datapath {
namespace {

constexpr auto malformed = std::unexpected(Drop::malformed);

constexpr std::size_t tcp_checksum = 16;
constexpr std::size_t udp_checksum = 6;
constexpr std::size_t tcp_flags = 13;
constexpr std::byte fin_and_push{0x09};
constexpr std::byte congestion_window_reduced{0x80};

/// Adds what is missing to the checksum of a packet that is not to be cut.
bool complete_checksum(std::span<std::byte> packet, const PacketLayout& layout,
                       const VirtioHeader& offload) {
    const std::size_t start = offload.checksum_start;
    const std::size_t field = start + offload.checksum_offset;
    if (start < (layout.is_v4 ? ipv4_header_size : ipv6_header_size)) return false;
    if (field + 2 > packet.size()) return false;
    auto sum = static_cast<std::uint16_t>(~internet_sum(packet.subspan(start)));
    // RFC 768: "If the computed checksum is zero, it is transmitted as all ones".
    if (sum == 0 && layout.protocol == udp_protocol) sum = 0xffff;
    write_16(packet.subspan(field), sum);
    return true;
}

/// The size of the transport header, or 0 when there is none that fits the offload.
std::size_t transport_size(ByteView packet, const PacketLayout& layout,
                           const VirtioHeader& offload) {
    const auto rest = packet.subspan(layout.transport);
    if (offload.segmentation == Segmentation::udp)
        return layout.protocol == udp_protocol && rest.size() >= udp_header_size ? udp_header_size
                                                                                 : 0;
    const bool wants_v4 = offload.segmentation == Segmentation::tcp4;
    if (layout.protocol != tcp_protocol || layout.is_v4 != wants_v4) return 0;
    if (rest.size() < tcp_header_size) return 0;
    const std::size_t size = std::to_integer<std::size_t>(rest[12] >> 4) * 4;
    return size >= tcp_header_size && size <= rest.size() ? size : 0;
}

}  // namespace

std::expected<void, Drop> Splitter::start(const SuperPacket& packet) {
    count_ = next_ = header_size_ = 0;
    const auto layout = layout_of(packet.bytes);
    if (!layout) return std::unexpected(layout.error());
    bytes_ = packet.bytes.first(layout->length);
    if (packet.offload.segmentation != Segmentation::none) {
        if (layout->length != packet.bytes.size() || !start_cutting(*layout, packet.offload))
            return malformed;
        return {};
    }
    if (packet.offload.needs_checksum && !complete_checksum(bytes_, *layout, packet.offload))
        return malformed;
    segment_size_ = layout->length;
    count_ = 1;
    return {};
}

bool Splitter::start_cutting(const PacketLayout& layout, const VirtioHeader& offload) {
    const std::size_t transport_header = transport_size(bytes_, layout, offload);
    const std::size_t header_size = layout.transport + transport_header;
    if (layout.is_fragment || transport_header == 0 || header_size > inner_header_limit)
        return false;
    const std::size_t payload = layout.length - header_size;
    if (payload == 0 || offload.segment_size == 0) return false;
    if (!take_checksum(layout, offload)) return false;
    transport_ = layout.transport;
    header_size_ = header_size;
    segment_size_ = std::min<std::size_t>(offload.segment_size, payload);
    count_ = (payload + segment_size_ - 1) / segment_size_;
    std::ranges::copy(bytes_.first(header_size_), header_.begin());
    return true;
}

/// Takes the sum of the pseudo-header out of the checksum field and leaves 0 there. The field is
/// right where the addresses are not: a routing header holds the destination that counts.
bool Splitter::take_checksum(const PacketLayout& layout, const VirtioHeader& offload) {
    is_tcp_ = offload.segmentation != Segmentation::udp;
    const std::size_t offset = is_tcp_ ? tcp_checksum : udp_checksum;
    const auto field = bytes_.subspan(layout.transport + offset, 2);
    const std::uint16_t sum = big_endian_16(field);
    has_checksum_ = offload.needs_checksum;
    if (!has_checksum_)
        // A sender of datagrams may do without (RFC 768); nothing else may.
        return !is_tcp_ && sum == 0;
    if (offload.checksum_start != layout.transport || offload.checksum_offset != offset)
        return false;
    const auto length = static_cast<std::uint16_t>(layout.length - layout.transport);
    pseudo_sum_ = add_sums(sum, static_cast<std::uint16_t>(~length));
    write_16(field, 0);
    return true;
}

std::span<std::byte> Splitter::next() {
    if (next_ == count_) return {};
    const std::size_t index = next_++;
    if (header_size_ == 0) return bytes_;
    const std::size_t payload = header_size_ + index * segment_size_;
    const std::size_t size = std::min(segment_size_, bytes_.size() - payload);
    const auto packet = bytes_.subspan(payload - header_size_, header_size_ + size);
    if (index > 0) std::ranges::copy(std::span(header_).first(header_size_), packet.begin());
    write_network(packet, index);
    if (is_tcp_)
        write_tcp(packet, index);
    else
        write_16(packet.subspan(transport_ + 4), packet.size() - transport_);
    if (has_checksum_) write_checksum(packet);
    return packet;
}

void Splitter::write_network(std::span<std::byte> packet, std::size_t index) const {
    const bool is_v4 = ip_version(packet) == 4;
    if (!is_v4) return write_16(packet.subspan(4), packet.size() - ipv6_header_size);
    write_16(packet.subspan(2), packet.size());
    write_16(packet.subspan(4), big_endian_16(ByteView(header_).subspan(4)) + index);
    const std::size_t header_size = std::to_integer<std::size_t>(packet[0] & std::byte{0x0f}) * 4;
    write_header_checksum(packet.first(header_size));
}

void Splitter::write_tcp(std::span<std::byte> packet, std::size_t index) const {
    const auto tcp = packet.subspan(transport_);
    const auto first = big_endian_32(ByteView(header_).subspan(transport_ + 4));
    write_32(tcp.subspan(4), first + static_cast<std::uint32_t>(index * segment_size_));
    if (index + 1 < count_) tcp[tcp_flags] &= ~fin_and_push;
    if (index > 0) tcp[tcp_flags] &= ~congestion_window_reduced;
}

void Splitter::write_checksum(std::span<std::byte> packet) const {
    const auto segment = packet.subspan(transport_);
    const auto length = static_cast<std::uint16_t>(segment.size());
    const auto sum = add_sums(add_sums(pseudo_sum_, length), internet_sum(segment));
    auto checksum = static_cast<std::uint16_t>(~sum);
    if (checksum == 0 && !is_tcp_) checksum = 0xffff;
    write_16(segment.subspan(is_tcp_ ? tcp_checksum : udp_checksum), checksum);
}

}  // namespace causeway::datapath
