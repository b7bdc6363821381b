#include "tests/support/packets.h"

#include <algorithm>

namespace causeway::test {
namespace {

/// Not inverted; as in the example of RFC 1071, section 4.1.
std::uint16_t plain_sum(ByteView bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

void put(Bytes& to, std::size_t at, std::size_t number) {
    to[at] = static_cast<std::byte>(number >> 8);
    to[at + 1] = static_cast<std::byte>(number);
}

void put_byte(Bytes& to, unsigned number) { to.push_back(static_cast<std::byte>(number)); }

Bytes addresses_of(const Recipe& recipe) {
    Bytes addresses(recipe.is_v4 ? 8 : 32);
    addresses[0] = std::byte{recipe.is_v4 ? std::uint8_t{10} : std::uint8_t{0xfd}};
    addresses[addresses.size() / 2 - 1] = std::byte{1};
    addresses[addresses.size() / 2] = addresses[0];
    addresses.back() = static_cast<std::byte>(recipe.host);
    return addresses;
}

Bytes transport_of(const Recipe& recipe) {
    Bytes segment;
    put_big_endian_16(segment, recipe.source_port);
    put_big_endian_16(segment, recipe.destination_port);
    if (!recipe.is_tcp) {
        put_big_endian_16(segment, static_cast<std::uint16_t>(8 + recipe.payload.size()));
        put_big_endian_16(segment, 0);
    } else {
        put_big_endian_32(segment, recipe.sequence);
        put_big_endian_32(segment, recipe.acknowledged);
        put_byte(segment, static_cast<unsigned>((20 + recipe.tcp_options.size()) / 4) << 4);
        put_byte(segment, recipe.flags);
        put_big_endian_16(segment, recipe.window);
        put_big_endian_16(segment, 0);
        put_big_endian_16(segment, recipe.urgent);
        append(segment, recipe.tcp_options);
    }
    append(segment, recipe.payload);
    return segment;
}

std::uint8_t protocol_of(const Recipe& recipe) { return recipe.is_tcp ? 6 : 17; }

Bytes pseudo_header(const Recipe& recipe, std::size_t length) {
    Bytes pseudo = addresses_of(recipe);
    put_big_endian_32(pseudo, static_cast<std::uint32_t>(length));
    put_big_endian_32(pseudo, protocol_of(recipe));
    return pseudo;
}

std::size_t checksum_field(const Recipe& recipe) { return recipe.is_tcp ? 16 : 6; }

Bytes network_of(const Recipe& recipe, std::size_t length) {
    Bytes header;
    if (!recipe.is_v4) {
        put_big_endian_32(
            header, 0x60000000u | std::uint32_t{recipe.traffic_class} << 20 | recipe.flow_label);
        put_big_endian_16(header, static_cast<std::uint16_t>(recipe.options.size() + length));
        put_byte(header, recipe.options.empty() ? protocol_of(recipe) : recipe.first_extension);
        put_byte(header, recipe.hops);
        append(header, addresses_of(recipe));
        append(header, recipe.options);
        return header;
    }
    put_byte(header, 0x40 | static_cast<unsigned>((20 + recipe.options.size()) / 4));
    put_byte(header, recipe.traffic_class);
    put_big_endian_16(header, static_cast<std::uint16_t>(20 + recipe.options.size() + length));
    put_big_endian_16(header, recipe.id);
    put_big_endian_16(header, recipe.fragment);
    put_byte(header, recipe.hops);
    put_byte(header, protocol_of(recipe));
    put_big_endian_16(header, 0);
    append(header, addresses_of(recipe));
    append(header, recipe.options);
    put(header, 10, static_cast<std::uint16_t>(~plain_sum(header)));
    return header;
}

}  // namespace

Bytes pattern(std::size_t size, unsigned start) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::byte>(start + i * 7 + (i >> 8));
    return bytes;
}

Bytes packet_of(const Recipe& recipe) {
    Bytes segment = transport_of(recipe);
    if (recipe.is_tcp || recipe.has_checksum) {
        Bytes summed = pseudo_header(recipe, segment.size());
        append(summed, segment);
        auto checksum = static_cast<std::uint16_t>(~plain_sum(summed));
        if (!recipe.is_tcp && checksum == 0) checksum = 0xffff;
        put(segment, checksum_field(recipe), checksum);
    }
    Bytes packet = network_of(recipe, segment.size());
    append(packet, segment);
    return packet;
}

PlacedPacket::PlacedPacket(ByteView packet, const datapath::VirtioHeader& offload)
    : room_(datapath::super_packet_headroom + packet.size()), offload_(offload) {
    std::ranges::copy(packet, room_.begin() + datapath::super_packet_headroom);
}

datapath::SuperPacket PlacedPacket::get() {
    return {std::span(room_).subspan(datapath::super_packet_headroom), offload_};
}

PlacedPacket super_packet_of(const Recipe& recipe, std::uint16_t segment_size) {
    Bytes packet = packet_of(recipe);
    const Bytes segment = transport_of(recipe);
    const std::size_t transport = packet.size() - segment.size();
    datapath::VirtioHeader offload;
    offload.needs_checksum = recipe.is_tcp || recipe.has_checksum;
    if (offload.needs_checksum)
        put(packet, transport + checksum_field(recipe),
            plain_sum(pseudo_header(recipe, segment.size())));
    offload.segmentation = !recipe.is_tcp ? datapath::Segmentation::udp
                           : recipe.is_v4 ? datapath::Segmentation::tcp4
                                          : datapath::Segmentation::tcp6;
    offload.header_size = static_cast<std::uint16_t>(packet.size() - recipe.payload.size());
    offload.segment_size = segment_size;
    offload.checksum_start = static_cast<std::uint16_t>(transport);
    offload.checksum_offset = static_cast<std::uint16_t>(checksum_field(recipe));
    return {packet, offload};
}

std::vector<Bytes> segments_of(const Recipe& recipe, std::size_t segment_size) {
    std::vector<Bytes> segments;
    const ByteView payload = recipe.payload;
    for (std::size_t at = 0; at < payload.size(); at += segment_size) {
        Recipe one = recipe;
        one.payload = copy(payload.subspan(at, std::min(segment_size, payload.size() - at)));
        one.sequence += static_cast<std::uint32_t>(at);
        one.id = static_cast<std::uint16_t>(recipe.id + segments.size());
        if (at + segment_size < payload.size()) one.flags &= 0xf6;  // FIN and PSH end a run
        if (at > 0) one.flags &= 0x7f;                              // CWR begins it
        segments.push_back(packet_of(one));
    }
    return segments;
}

}  // namespace causeway::test
