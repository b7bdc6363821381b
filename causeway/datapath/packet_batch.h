// Room for many packets at once, allocated once and used again and again.
//
//     slot 0                    slot 1
//     | headroom | packet ...   | headroom | packet ...
//
// The headroom in front of each packet is for headers of the layers below, so that none of them
// has to move the packet.

#pragma once

#include "causeway/base/bytes.h"

#include <cstddef>
#include <span>
#include <vector>

namespace causeway::datapath {

/// Up to `capacity` packets of up to `packet_limit` bytes each. Never allocates after construction.
/// Views last until `clear` or destruction, also when the batch is moved.
class PacketBatch {
public:
    PacketBatch(std::size_t capacity, std::size_t packet_limit, std::size_t headroom = 0);

    std::size_t capacity() const { return capacity_; }
    std::size_t packet_limit() const { return packet_limit_; }
    std::size_t headroom() const { return headroom_; }

    std::size_t size() const { return packets_.size(); }
    bool is_empty() const { return packets_.empty(); }
    bool is_full() const { return packets_.size() == capacity_; }

    /// Where the next packet goes: `packet_limit` bytes, or none when the batch is full.
    std::span<std::byte> slot();
    /// Makes the first `size` bytes of `slot` a packet. `size` must not exceed it.
    void push(std::size_t size);
    /// Copies a packet in; false when it is too large or the batch is full.
    bool copy_in(ByteView packet);
    void clear() { packets_.clear(); }

    std::span<std::byte> packet(std::size_t index);
    /// The packet with `count` bytes of its headroom in front; `count` must not exceed it.
    std::span<std::byte> with_headroom(std::size_t index, std::size_t count);
    /// All packets.
    std::span<const ByteView> packets() const { return packets_; }

private:
    std::size_t capacity_;
    std::size_t packet_limit_;
    std::size_t headroom_;
    std::vector<std::byte> arena_;
    std::vector<ByteView> packets_;
};

}  // namespace causeway::datapath
