// From the network to the TUN: what both programs do with the datagrams of one session.
//
// Stages, all on the thread that owns the socket:
//     UdpPort -> RecordOpener, into the Merger's room -> type byte -> Merger -> SuperPacketSink
//
// The sink is the client's TUN, or the gateway's source check and what follows it.

#pragma once

#include "causeway/datapath/merger.h"
#include "causeway/datapath/record_opener.h"

#include <expected>

namespace causeway::datapath {

class ReceivePath {
public:
    /// `sink` outlives it.
    explicit ReceivePath(SuperPacketSink& sink, MergeKinds kinds = {});

    /// Opens one record of application data. DATA goes on its way to the sink, and an empty view
    /// comes back; any other payload comes back with its type byte in front, and lasts until the
    /// next call. A record that is dropped changes nothing; the caller counts the reason, since
    /// only it knows whether there is another session to try. An empty payload is `malformed`.
    std::expected<ByteView, Drop> open(ByteView record, RecordOpener& opener);

    /// A packet that came another way (CSTP, or a record that OpenSSL opened), to be merged like
    /// all others. One that is larger than `Merger::payload_limit` is dropped: false.
    bool add(ByteView packet);

    /// Hands over what has gathered: after a train, a batch, and before another session's packets.
    void flush() { merger_.flush(); }

private:
    Merger merger_;
    Bytes control_;  ///< The last payload that is no DATA; rare, and kept for its room.
};

}  // namespace causeway::datapath
