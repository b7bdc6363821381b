#include "causeway/datapath/tun_port.h"

#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace causeway::datapath {
namespace {

// linux/if_tun.h of Linux 6.2 and later; Debian 12 has 6.1's.
constexpr unsigned tun_f_uso4 = 0x20;
constexpr unsigned tun_f_uso6 = 0x40;

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

/// Asks for one more offload on top of those that are on; whether the kernel has it.
bool switch_on(int tun, unsigned& on, unsigned wanted) {
    if (ioctl(tun, TUNSETOFFLOAD, on | wanted) != 0) return false;
    on |= wanted;
    return true;
}

TunOffloads switch_offloads_on(int tun) {
    TunOffloads offloads{.has_header = true};
    unsigned on = 0;
    // The kernel refuses segmentation without checksums.
    offloads.checksum = switch_on(tun, on, TUN_F_CSUM);
    if (!offloads.checksum) return offloads;
    offloads.tcp4 = switch_on(tun, on, TUN_F_TSO4);
    offloads.tcp6 = switch_on(tun, on, TUN_F_TSO6);
    if (offloads.tcp4 || offloads.tcp6) offloads.tcp_ecn = switch_on(tun, on, TUN_F_TSO_ECN);
    // Of both families or of none: so the kernel has it (tun_set_offload).
    offloads.udp = switch_on(tun, on, tun_f_uso4 | tun_f_uso6);
    return offloads;
}

iovec part(const void* data, std::size_t size) { return {const_cast<void*>(data), size}; }

}  // namespace

Result<TunPort> TunPort::open(int tun) {
    ifreq request{};
    if (ioctl(tun, TUNGETIFF, &request) != 0)
        return std::unexpected(system_error(errno, "ioctl TUNGETIFF"));
    const auto flags = static_cast<unsigned short>(request.ifr_flags);
    if ((flags & IFF_VNET_HDR) == 0) return TunPort(tun, {});
    const int size = static_cast<int>(virtio_header_size);
    if (ioctl(tun, TUNSETVNETHDRSZ, &size) != 0)
        return std::unexpected(system_error(errno, "ioctl TUNSETVNETHDRSZ"));
    return TunPort(tun, switch_offloads_on(tun));
}

TunPort::TunPort(int tun, TunOffloads offloads)
    : tun_(tun), offloads_(offloads), buffer_(super_packet_headroom + super_packet_limit + 1) {}

Result<std::optional<SuperPacket>> TunPort::read(Drops& drops) {
    std::array<std::byte, virtio_header_size> header;
    const auto room = std::span(buffer_).subspan(super_packet_headroom);
    const std::array parts{part(header.data(), header.size()), part(room.data(), room.size())};
    const auto used = offloads_.has_header ? std::span(parts) : std::span(parts).last(1);
    const std::size_t front = offloads_.has_header ? header.size() : 0;
    while (true) {
        const auto count = readv(tun_, used.data(), static_cast<int>(used.size()));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && is_empty(errno)) return std::nullopt;
        if (count < 0) return std::unexpected(system_error(errno, "readv"));
        if (count == 0) return std::nullopt;
        const auto size = static_cast<std::size_t>(count);
        SuperPacket packet{room.first(size - std::min(size, front)), {}};
        if (offloads_.has_header) {
            const auto offload = read_virtio_header(header);
            if (size < front || !offload) {
                drops.add(Drop::malformed);
                continue;
            }
            packet.offload = *offload;
        }
        reads_.add(packet_count(packet));
        return packet;
    }
}

Result<void> TunPort::write(ByteView packet, const VirtioHeader& offload, std::size_t count,
                            Counters& counters) {
    std::array<std::byte, virtio_header_size> header;
    write_virtio_header(offload, header);
    const std::array parts{part(header.data(), header.size()), part(packet.data(), packet.size())};
    const auto used = offloads_.has_header ? std::span(parts) : std::span(parts).last(1);
    while (true) {
        if (writev(tun_, used.data(), static_cast<int>(used.size())) >= 0) break;
        if (errno == EINTR) continue;
        if (is_fatal(errno)) return std::unexpected(system_error(errno, "writev"));
        counters.drops.add(reason(errno), count);
        return {};
    }
    writes_.add(count);
    counters.packets += count;
    counters.bytes += packet.size() + (count - 1) * offload.header_size;
    return {};
}

}  // namespace causeway::datapath
