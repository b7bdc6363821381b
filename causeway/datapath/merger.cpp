#include "causeway/datapath/merger.h"

#include "causeway/datapath/checksum.h"
#include "causeway/datapath/packet_layout.h"

#include <algorithm>
#include <optional>

namespace causeway::datapath {
namespace {

// A run grows to what an IPv4 length field can say.
constexpr std::size_t run_limit = 65'535;
// More datagrams in one the kernel refuses, whatever their size (virtio_net_hdr_to_skb).
constexpr std::size_t udp_run_limit = train_segment_limit;
// Runs begin below this, so that there is always room for a whole one and a packet behind it.
constexpr std::size_t begin_limit = 64 * 1024;
constexpr std::size_t buffer_size =
    super_packet_headroom + begin_limit + run_limit + Merger::payload_limit;

constexpr std::size_t tcp_checksum = 16;
constexpr std::size_t udp_checksum = 6;
constexpr std::size_t tcp_flags = 13;
constexpr std::byte fin_and_push{0x09};
constexpr std::byte never_merged{0xa6};  // CWR, URG, RST, SYN
constexpr std::byte acknowledges{0x10};

bool is_same(ByteView a, ByteView b, std::size_t from, std::size_t to) {
    return std::ranges::equal(a.subspan(from, to - from), b.subspan(from, to - from));
}

/// Offset of the transport in a packet that may be merged as far as IP is concerned.
std::optional<std::size_t> plain_network(ByteView packet) {
    if (packet.empty()) return std::nullopt;
    if (packet[0] == std::byte{0x45}) {
        if (packet.size() < ipv4_header_size || big_endian_16(packet.subspan(2)) != packet.size())
            return std::nullopt;
        // No fragment, and not the bit that must be 0; DF may be either.
        if ((big_endian_16(packet.subspan(6)) & 0xbfff) != 0) return std::nullopt;
        if (internet_sum(packet.first(ipv4_header_size)) != 0xffff) return std::nullopt;
        return ipv4_header_size;
    }
    if (ip_version(packet) != 6 || packet.size() < ipv6_header_size) return std::nullopt;
    if (ipv6_header_size + big_endian_16(packet.subspan(4)) != packet.size()) return std::nullopt;
    return ipv6_header_size;
}

std::uint8_t protocol_of(ByteView packet) {
    return std::to_integer<std::uint8_t>(packet[packet[0] == std::byte{0x45} ? 9 : 6]);
}

/// The size of the transport header of a packet that may be merged, and has payload; 0 for others.
std::size_t plain_transport(ByteView transport, bool is_tcp) {
    if (is_tcp) {
        if (transport.size() < tcp_header_size) return 0;
        const std::size_t size = std::to_integer<std::size_t>(transport[12] >> 4) * 4;
        const std::byte flags = transport[tcp_flags];
        const bool is_plain = (flags & never_merged) == std::byte{0} &&
                              (flags & acknowledges) != std::byte{0} && size >= tcp_header_size;
        return is_plain && size < transport.size() ? size : 0;
    }
    if (transport.size() <= udp_header_size) return 0;
    return big_endian_16(transport.subspan(4)) == transport.size() ? udp_header_size : 0;
}

/// The sum of the pseudo-header, length included.
std::uint16_t pseudo_sum(ByteView packet, std::size_t transport, bool is_tcp) {
    const auto addresses =
        transport == ipv4_header_size ? packet.subspan(12, 8) : packet.subspan(8, 32);
    return add_sums(pseudo_header_sum(addresses, is_tcp ? tcp_protocol : udp_protocol),
                    static_cast<std::uint16_t>(packet.size() - transport));
}

/// Whether the checksum is the one that a Splitter would write. Zero has two forms: TCP never sends
/// the one of all ones, and for UDP the other means "none".
bool is_verified(ByteView packet, std::size_t transport, bool is_tcp) {
    const auto segment = packet.subspan(transport);
    const auto field = big_endian_16(segment.subspan(is_tcp ? tcp_checksum : udp_checksum));
    if (field == (is_tcp ? 0xffff : 0)) return false;
    return add_sums(pseudo_sum(packet, transport, is_tcp), internet_sum(segment)) == 0xffff;
}

/// Version, TOS or class and label, TTL or hop limit, protocol, addresses; and for IPv4 the next
/// identification.
bool has_same_network(ByteView run, ByteView packet, std::size_t count) {
    if (ip_version(packet) == 6)
        return is_same(run, packet, 0, 4) && is_same(run, packet, 6, ipv6_header_size);
    const auto expected = static_cast<std::uint16_t>(big_endian_16(run.subspan(4)) + count);
    return is_same(run, packet, 0, 2) && big_endian_16(packet.subspan(4)) == expected &&
           is_same(run, packet, 6, 10) && is_same(run, packet, 12, ipv4_header_size);
}

/// Ports, acknowledgement, flags, window, urgent pointer and options; the sequence number is not
/// looked at.
bool has_same_tcp(ByteView run, ByteView packet, std::size_t header_size) {
    return is_same(run, packet, 0, 4) && is_same(run, packet, 8, 13) &&
           ((run[tcp_flags] ^ packet[tcp_flags]) & ~fin_and_push) == std::byte{0} &&
           is_same(run, packet, 14, tcp_checksum) && is_same(run, packet, 18, header_size);
}

}  // namespace

Merger::Merger(SuperPacketSink& sink, MergeKinds kinds)
    : sink_(&sink), kinds_(kinds), buffer_(buffer_size) {}

std::span<std::byte> Merger::room() {
    room_ = run_.count == 0 ? super_packet_headroom - 1 : run_.end - run_.header_size - 1;
    const auto room = std::span(buffer_).subspan(room_, payload_limit);
    if (run_.count != 0) std::ranges::copy(room.first(run_.header_size + 1), saved_.begin());
    return room;
}

void Merger::put_back() {
    if (run_.count == 0) return;
    std::ranges::copy(std::span(saved_).first(run_.header_size + 1),
                      std::span(buffer_).subspan(room_).begin());
}

void Merger::merge(std::size_t size) {
    const std::size_t at = room_ + 1;
    const auto packet = std::span(buffer_).subspan(at, size - 1);
    if (run_.count == 0) return begin(packet);
    const bool fits = continues(packet);
    const bool is_last = fits && ends_run(packet);
    const std::byte flags = fits && run_.is_tcp ? packet[run_.transport + tcp_flags] : std::byte{0};

    // The end of the run gets back what the header of the packet lies over.
    std::array<std::byte, sizeof header_> header;
    const std::size_t overlap = std::min(run_.header_size, packet.size());
    std::ranges::copy(packet.first(overlap), header.begin());
    put_back();
    if (fits && first_is_verified()) {
        run_.end = at + packet.size();
        ++run_.count;
        if (run_.is_tcp) buffer_[run_.begin + run_.transport + tcp_flags] |= flags & fin_and_push;
        if (is_last) flush();
        return;
    }
    // The run leaves, and the packet gets its header back.
    flush();
    std::ranges::copy(std::span(header).first(overlap), packet.begin());
    begin(packet);
}

void Merger::add(ByteView packet) {
    std::ranges::copy(packet, room().subspan(1).begin());
    merge(1 + packet.size());
}

/// Whether `packet`, which may lie over the end of the run, is the next of it.
bool Merger::continues(ByteView packet) const {
    const ByteView run = header_;
    const std::size_t header_size = run_.header_size;
    if (packet.size() <= header_size || packet[0] != run[0]) return false;
    const std::size_t payload = packet.size() - header_size;
    if (payload > run_.segment_size || run_.end - run_.begin + payload > run_limit) return false;
    if (!run_.is_tcp && run_.count == udp_run_limit) return false;
    const auto transport = plain_network(packet);
    if (transport != run_.transport || !has_same_network(run, packet, run_.count)) return false;
    const auto segment = packet.subspan(*transport);
    if (*transport + plain_transport(segment, run_.is_tcp) != header_size) return false;
    const auto run_segment = run.subspan(*transport);
    if (run_.is_tcp) {
        const auto sequence = big_endian_32(segment.subspan(4));
        const auto sent = static_cast<std::uint32_t>(run_.end - run_.begin - header_size);
        if (sequence != big_endian_32(run_segment.subspan(4)) + sent) return false;
        if (!has_same_tcp(run_segment, segment, header_size - *transport)) return false;
    } else if (!is_same(run_segment, segment, 0, 4)) {
        return false;
    }
    return is_verified(packet, *transport, run_.is_tcp);
}

bool Merger::ends_run(ByteView packet) const {
    if (packet.size() - run_.header_size < run_.segment_size) return true;
    return run_.is_tcp && (packet[run_.transport + tcp_flags] & fin_and_push) != std::byte{0};
}

/// The first of a run is verified when a second comes: packets of small flows mostly stay alone.
bool Merger::first_is_verified() {
    if (!run_.is_verified) {
        const auto first = ByteView(buffer_).subspan(run_.begin, run_.end - run_.begin);
        run_.is_verified = is_verified(first, run_.transport, run_.is_tcp);
    }
    return run_.is_verified;
}

/// Makes a run of `packet`, which lies in the buffer, or hands it over when nothing may follow it.
void Merger::begin(std::span<std::byte> packet) {
    const auto run = run_of(packet);
    if (!run) return sink_->take({packet, {}}, 1);
    run_ = *run;
    run_.begin = static_cast<std::size_t>(packet.data() - buffer_.data());
    if (run_.begin > begin_limit) {
        run_.begin = super_packet_headroom;
        std::ranges::copy(packet, std::span(buffer_).subspan(run_.begin).begin());
    }
    run_.end = run_.begin + packet.size();
    std::ranges::copy(packet.first(run_.header_size), header_.begin());
}

std::optional<Merger::Run> Merger::run_of(ByteView packet) const {
    const auto transport = plain_network(packet);
    if (!transport) return std::nullopt;
    const auto protocol = protocol_of(packet);
    Run run;
    run.is_tcp = protocol == tcp_protocol;
    if (run.is_tcp ? !kinds_.tcp : protocol != udp_protocol || !kinds_.udp) return std::nullopt;
    const std::size_t size = plain_transport(packet.subspan(*transport), run.is_tcp);
    if (size == 0) return std::nullopt;
    run.transport = *transport;
    run.header_size = *transport + size;
    run.segment_size = packet.size() - run.header_size;
    run.count = 1;
    if (run.is_tcp && (packet[*transport + tcp_flags] & fin_and_push) != std::byte{0})
        return std::nullopt;
    return run;
}

void Merger::flush() {
    if (run_.count == 0) return;
    const auto bytes = std::span(buffer_).subspan(run_.begin, run_.end - run_.begin);
    const SuperPacket packet{bytes, run_.count > 1 ? write_headers(bytes) : VirtioHeader{}};
    const std::size_t count = run_.count;
    run_ = {};
    sink_->take(packet, count);
}

/// Makes the header of the first packet one for the whole run.
VirtioHeader Merger::write_headers(std::span<std::byte> run) const {
    const bool is_v4 = run_.transport == ipv4_header_size;
    if (is_v4) {
        write_16(run.subspan(2), run.size());
        write_header_checksum(run.first(ipv4_header_size));
    } else {
        write_16(run.subspan(4), run.size() - ipv6_header_size);
    }
    const auto segment = run.subspan(run_.transport);
    if (!run_.is_tcp) write_16(segment.subspan(4), segment.size());
    const std::size_t offset = run_.is_tcp ? tcp_checksum : udp_checksum;
    write_16(segment.subspan(offset), pseudo_sum(run, run_.transport, run_.is_tcp));
    return {.needs_checksum = true,
            .segmentation = !run_.is_tcp ? Segmentation::udp
                            : is_v4      ? Segmentation::tcp4
                                         : Segmentation::tcp6,
            .has_ecn = false,
            .header_size = static_cast<std::uint16_t>(run_.header_size),
            .segment_size = static_cast<std::uint16_t>(run_.segment_size),
            .checksum_start = static_cast<std::uint16_t>(run_.transport),
            .checksum_offset = static_cast<std::uint16_t>(offset)};
}

}  // namespace causeway::datapath
