// Packets in and out of one queue of a TUN, as super-packets where the kernel can.
//
// Stages, each alone on the thread that owns the queue's descriptor:
//     read   kernel -> SuperPacket -> Splitter
//     write  Merger -> SuperPacket -> kernel

#pragma once

#include "causeway/datapath/call_counters.h"
#include "causeway/datapath/counters.h"
#include "causeway/datapath/merger.h"
#include "causeway/datapath/super_packet.h"
#include "causeway/error/error.h"

#include <optional>
#include <vector>

namespace causeway::datapath {

/// What the kernel agreed to, each found out alone.
struct TunOffloads {
    bool has_header = false;  ///< Opened with IFF_VNET_HDR; without it there is none of the rest.
    bool checksum = false;    ///< Transport checksums are left to us.
    bool tcp4 = false;        ///< TCP over IPv4 comes in super-packets (TSO).
    bool tcp6 = false;
    bool tcp_ecn = false;  ///< Also those with CWR.
    bool udp = false;      ///< Datagrams in super-packets, both families (USO; Linux 6.2).

    bool operator==(const TunOffloads&) const = default;
};

/// One queue. Moves; allocates once, when it is opened.
class TunPort {
public:
    /// Finds out what the descriptor's interface can, and switches it on. `tun` stays the caller's,
    /// non-blocking, and outlives the port. To be done before ioctl(2) is forbidden.
    /// Fails with the errno of ioctl(2) when `tun` is no TUN.
    static Result<TunPort> open(int tun);

    int fd() const { return tun_; }
    const TunOffloads& offloads() const { return offloads_; }
    /// What may be merged on the way in.
    MergeKinds merges() const { return {offloads_.has_header, offloads_.udp}; }

    /// The next packet, or nothing when the queue is empty. It lasts until the next read, and has
    /// `super_packet_headroom` writable bytes in front. One that cannot be understood is counted in
    /// `drops` and the next one is read.
    /// Fails with the errno of readv(2): EBADFD or EIO after the interface was removed.
    Result<std::optional<SuperPacket>> read(Drops& drops);

    /// Writes one super-packet of `count` packets and counts them; one that the kernel refuses is
    /// counted under its reason. Anything but a plain packet needs `offloads().has_header`.
    /// Fails with the errno of writev(2) when the device itself is gone (EBADFD, EBADF, ENODEV).
    Result<void> write(ByteView packet, const VirtioHeader& offload, std::size_t count,
                       Counters& counters);
    Result<void> write(const SuperPacket& packet, std::size_t count, Counters& counters) {
        return write(packet.bytes, packet.offload, count, counters);
    }

    const CallCounters& reads() const { return reads_; }
    const CallCounters& writes() const { return writes_; }

private:
    TunPort(int tun, TunOffloads offloads);

    int tun_;
    TunOffloads offloads_;
    std::vector<std::byte> buffer_;
    CallCounters reads_;
    CallCounters writes_;
};

}  // namespace causeway::datapath
