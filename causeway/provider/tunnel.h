// Packets between the TUN and a session in a TLS link, in batches, both ways.
//
//     TUN --super-packets--> Splitter --> CstpSession --messages--> Link     one turn: a batch
//     TUN <--super-packets-- Merger <-- CstpSession <--plaintext-- Link      one turn: what came
//
// While the link has a backlog, the TUN is not read: its own queue holds the packets, and drops
// what is too much, as a slow network card would.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/datapath/counters.h"
#include "causeway/datapath/tun_port.h"
#include "causeway/error/error.h"
#include "causeway/protocol/cstp_session.h"
#include "causeway/provider/entrance.h"

#include <functional>
#include <memory>
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
using TunnelEvent = std::variant<TunnelRekeyDue, TunnelRekeyed, TunnelEnded>;

/// Events come from the loop; the handler may destroy the tunnel.
class Tunnel {
public:
    using Handler = std::move_only_function<void(TunnelEvent)>;

    /// `tun` outlives the tunnel, and is not read before `resume`.
    Tunnel(EventLoop& loop, Entered entered, datapath::TunPort& tun, Handler handler);
    ~Tunnel();

    /// Stops and goes on taking packets from the TUN; those of the gateway are always delivered.
    void pause();
    void resume();

    /// The word of ours that ends the session. Hands out the link, to be dismissed.
    std::unique_ptr<Link> leave(std::string_view text);
    /// Hands out the link without a word.
    std::unique_ptr<Link> release();

    const Link& link() const;
    const datapath::Counters& received() const;
    const datapath::Counters& sent() const;

private:
    class Work;
    std::shared_ptr<Work> work_;
};

}  // namespace causeway::provider
