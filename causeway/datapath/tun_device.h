// Packets in and out of a TUN, in batches.
//
// Stages, each alone on the thread that owns the queue's descriptor:
//     read_batch   kernel -> batch
//     write_batch  batch -> kernel

#pragma once

#include "causeway/datapath/counters.h"
#include "causeway/datapath/packet_batch.h"
#include "causeway/error/error.h"

#include <span>

namespace causeway::datapath {

/// Appends packets until the batch is full or the queue is empty; returns how many came. A packet
/// that is larger than the batch's limit is dropped and counted as too_large.
/// Fails with the errno of read(2): EBADFD or EIO after the interface was removed.
Result<std::size_t> read_batch(int tun, PacketBatch& batch, Drops& drops);

/// Writes the packets in order and counts what was taken; a packet that the kernel refuses is
/// counted under its reason and the next one is tried.
/// Fails with the errno of write(2) when the device itself is gone (EBADFD, EBADF, ENODEV).
Result<void> write_batch(int tun, std::span<const ByteView> packets, Counters& counters);

}  // namespace causeway::datapath
