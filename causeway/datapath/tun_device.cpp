#include "causeway/datapath/tun_device.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace causeway::datapath {
namespace {

bool is_empty(int number) { return number == EAGAIN || number == EWOULDBLOCK; }

/// The device is gone, and with it every further packet.
bool is_fatal(int number) { return number == EBADFD || number == EBADF || number == ENODEV; }

Drop reason(int number) {
    switch (number) {
        case EINVAL: return Drop::malformed;
        case EIO: return Drop::interface_down;
        case EMSGSIZE: return Drop::too_large;
        case EAGAIN:
        case ENOBUFS:
        case ENOMEM: return Drop::queue_full;
        default: return Drop::refused;
    }
}

ssize_t write_packet(int tun, ByteView packet) {
    while (true) {
        const auto count = write(tun, packet.data(), packet.size());
        if (count >= 0 || errno != EINTR) return count;
    }
}

/// A TUN hands over one packet a read and cuts off what does not fit. Reading into one byte more
/// than a packet may have would cost a copy, so the room itself has to tell: a packet that fills
/// the slot is taken only when its own length says that it is whole.
bool is_cut(ByteView packet, std::size_t room) {
    if (packet.size() < room || packet.size() < 6) return false;
    const bool is_v4 = std::to_integer<unsigned>(packet[0]) >> 4 == 4;
    const std::size_t length =
        is_v4 ? big_endian_16(packet.subspan(2, 2)) : 40u + big_endian_16(packet.subspan(4, 2));
    return length > packet.size();
}

}  // namespace

Result<std::size_t> read_batch(int tun, PacketBatch& batch, Drops& drops) {
    const std::size_t before = batch.size();
    while (!batch.is_full()) {
        const auto room = batch.slot();
        const auto count = read(tun, room.data(), room.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && is_empty(errno)) break;
        if (count < 0) return std::unexpected(system_error(errno, "read"));
        if (count == 0) break;
        const auto size = static_cast<std::size_t>(count);
        if (is_cut(room.first(size), room.size()))
            drops.add(Drop::too_large);
        else
            batch.push(size);
    }
    return batch.size() - before;
}

Result<void> write_batch(int tun, std::span<const ByteView> packets, Counters& counters) {
    for (const auto packet : packets) {
        const auto count = write_packet(tun, packet);
        if (count >= 0)
            counters.add(packet.size());
        else if (is_fatal(errno))
            return std::unexpected(system_error(errno, "write"));
        else
            counters.drops.add(reason(errno));
    }
    return {};
}

}  // namespace causeway::datapath
