// What went through a session, as the numbers that programs read.

#pragma once

#include "causeway/provider/messages.h"
#include "causeway/provider/tunnel.h"

namespace causeway::provider {

/// Packets and bytes of both directions, drops by their reason, system calls and what they carried,
/// and the offloads that were on. The sums come out even:
///     out   tun_read_packets + control_sent
///           = udp_send_packets + (sent_packets - sent_as_datagrams) + all of sent_dropped_...
///     in    udp_receive_packets + received_through_tls
///           = received_packets + control_received + handshakes_received
///             + all of received_dropped_..., but for what the socket dropped
///     tun_write_packets = received_packets + answers_written
Counted counted(const TunnelTotals& totals, const datapath::TunLanes& tun);

}  // namespace causeway::provider
