#include "causeway/datapath/packet_batch.h"

#include <algorithm>

namespace causeway::datapath {

PacketBatch::PacketBatch(std::size_t capacity, std::size_t packet_limit, std::size_t headroom)
    : capacity_(capacity),
      packet_limit_(packet_limit),
      headroom_(headroom),
      arena_(capacity * (headroom + packet_limit)) {
    packets_.reserve(capacity);
}

std::span<std::byte> PacketBatch::slot() {
    if (is_full()) return {};
    const std::size_t start = size() * (headroom_ + packet_limit_) + headroom_;
    return std::span(arena_).subspan(start, packet_limit_);
}

void PacketBatch::push(std::size_t size) { packets_.push_back(slot().first(size)); }

bool PacketBatch::copy_in(ByteView packet) {
    const auto room = slot();
    if (is_full() || packet.size() > room.size()) return false;
    std::ranges::copy(packet, room.begin());
    push(packet.size());
    return true;
}

std::span<std::byte> PacketBatch::packet(std::size_t index) { return with_headroom(index, 0); }

std::span<std::byte> PacketBatch::with_headroom(std::size_t index, std::size_t count) {
    const std::size_t start = index * (headroom_ + packet_limit_) + headroom_ - count;
    return std::span(arena_).subspan(start, count + packets_[index].size());
}

}  // namespace causeway::datapath
