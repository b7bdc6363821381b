// Packets between the TUN and a session, both ways: through TLS, or as datagrams while those work.
//
//     TUN --SuperPacket--+--> Association --trains--> UDP         while datagrams carry
//                        `--> Splitter -> CstpSession -> Link     else
//     TUN <-- Merger <---+--- Association <--trains-- UDP
//                        `--- CstpSession <--plaintext-- Link
//
// While the link, or the UDP socket, has a backlog, the TUN is not read: its own queue holds the
// packets, and drops what is too much, as a slow network card would.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/datapath/counters.h"
#include "causeway/datapath/tun_lanes.h"
#include "causeway/error/error.h"
#include "causeway/protocol/cstp_session.h"
#include "causeway/provider/datagrams.h"
#include "causeway/provider/entrance.h"

#include <functional>
#include <memory>
#include <optional>
#include <variant>

namespace causeway::provider {

/// It is time for new keys, by a second connection.
struct TunnelRekeyDue {};
/// The keys were changed in place.
struct TunnelRekeyed {};
/// The end: the session was ended by the gateway (a VPN code), nothing was heard (serverDead), or
/// the channel broke (a channel code). Told once.
struct TunnelEnded {
    Error why;
};
/// See DatagramChanged.
using TunnelEvent = std::variant<TunnelRekeyDue, TunnelRekeyed, DatagramChanged, TunnelEnded>;

/// What went through a tunnel, or several.
struct TunnelTotals {
    datapath::Counters sent;      ///< From the TUN to the gateway.
    datapath::Counters received;  ///< From the gateway to the TUN.
    std::uint64_t sent_as_datagrams = 0;
    std::uint64_t received_as_datagrams = 0;
    std::uint64_t received_through_tls = 0;  ///< Arrived; the TUN may not have taken all.
    std::uint64_t answers = 0;               ///< ICMP messages of our own that the TUN took.
    std::uint64_t repeated = 0;              ///< Of `sent`: had gone as a datagram before.
    std::uint64_t looped = 0;  ///< Our own packets, which came back out of the TUN: dropped.
    DatagramTotals datagrams;

    TunnelTotals& operator+=(const TunnelTotals& other);
};

/// What became of a tunnel whose address outside is gone.
enum class Move : std::uint8_t {
    done,     ///< Its datagrams go from another address now.
    not_yet,  ///< They will, once there is one.
    never,    ///< It has none that could, or a gateway that would not follow.
};

/// Events come from the loop; the handler may destroy the tunnel.
class Tunnel {
public:
    using Handler = std::move_only_function<void(TunnelEvent)>;

    /// `environment` and `tun` outlive it. The TUN is not read before `resume`.
    Tunnel(Environment& environment, Entered entered, datapath::TunLanes& tun, Handler handler);
    ~Tunnel();

    /// Stops and goes on taking packets from the TUN; those of the gateway are always delivered.
    void pause();
    void resume();

    /// The word of ours that ends the session. Hands out the link, to be dismissed.
    std::unique_ptr<Link> leave(std::string_view text);
    /// Hands out the link without a word.
    std::unique_ptr<Link> release();

    /// Goes on by datagrams from an address that this machine has now; that of the link is gone.
    Move move();
    /// The address that packets leave from.
    std::optional<IpAddress> local_address() const;

    const Link& link() const;
    TunnelTotals totals() const;

private:
    class Work;
    std::shared_ptr<Work> work_;
};

}  // namespace causeway::provider
