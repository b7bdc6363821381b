// The TUN as two lanes, so that small flows do not wait behind bulk flows.
//
//     kernel --express queue--> read first         interactive flows, acknowledgements
//            --bulk queue-----> read when that     flows that come as large super-packets
//                               one is empty
//
// Nothing has to be asked of the kernel for that: a TUN with several queues sends a flow's packets
// to the queue from which the flow's last packet came (tun_automq_select_queue of its driver). So
// the answers of a bulk flow are written to the bulk queue, and all others to the express queue. A
// flow that the kernel has heard nothing of takes either, until its first answer.
//
// The order within a flow stays: when it becomes bulk, its older packets, which wait in the express
// queue, are read first; and bulk it stays.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/datapath/bulk_flows.h"
#include "causeway/datapath/tun_port.h"

#include <array>
#include <cstddef>
#include <optional>

namespace causeway::datapath {

class TunLanes {
public:
    /// Queues of one interface. Both stay the caller's, non-blocking, and outlive the lanes.
    /// Fails as TunPort::open, or with the errno of epoll(7).
    static Result<TunLanes> open(int express, int bulk);

    /// Readable (epoll(7), poll(2)) while a packet waits in either lane.
    int fd() const { return either_.get(); }
    const TunOffloads& offloads() const { return express_.offloads(); }
    MergeKinds merges() const { return express_.merges(); }

    /// As TunPort::read. A packet of the bulk lane has its turn after `express_limit` of the other.
    Result<std::optional<SuperPacket>> read(Drops& drops);

    /// As TunPort::write.
    Result<void> write(ByteView packet, const VirtioHeader& offload, std::size_t count,
                       Counters& counters);
    Result<void> write(const SuperPacket& packet, std::size_t count, Counters& counters) {
        return write(packet.bytes, packet.offload, count, counters);
    }

    CallCounters reads() const;
    CallCounters writes() const;

    /// At least what waits in a queue (device/limits.h): see above.
    static constexpr std::size_t express_limit = 1024;

private:
    TunLanes(TunPort express, TunPort bulk, Fd either);

    TunPort express_;
    TunPort bulk_;
    Fd either_;
    BulkFlows flows_;
    std::size_t express_run_ = 0;  ///< Packets of the express lane since bulk had its turn.
};

}  // namespace causeway::datapath
