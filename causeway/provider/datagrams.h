// The datagram channel beside one TLS connection: brought up behind the tunnel, begun again when it
// is lost, replaced when TLS has new keys. It is never in the way: without it packets go by TLS.
//
//     trying --handshake, echo--> up <--> down (same keys)
//       ^                         |         |
//       `-- pause 0, 4 s .. 60 s -+---------'

#pragma once

#include "causeway/provider/association.h"
#include "causeway/provider/entrance.h"
#include "causeway/provider/messages.h"
#include "causeway/provider/settings.h"

#include <functional>
#include <memory>
#include <optional>

namespace causeway::provider {

/// What all associations of one TLS connection, or of several, have moved.
struct DatagramTotals {
    datapath::CallCounters sends;
    datapath::CallCounters receives;
    std::uint64_t overflowed = 0;     ///< Dropped by the kernel, which had no room for them.
    std::uint64_t control_in = 0;     ///< Payloads that were no DATA.
    std::uint64_t handshakes_in = 0;  ///< Datagrams of handshakes.
    std::uint64_t control_out = 0;    ///< Datagrams without DATA, of both kinds.
    std::uint64_t questions = 0;
    datapath::Drops drops_in;
    datapath::Drops drops_out;
    std::optional<datapath::UdpOffloads> offloads;  ///< Of the last one.

    DatagramTotals& operator+=(const DatagramTotals& other);
};

class Datagrams {
public:
    using Handler = std::move_only_function<void(DatagramChanged)>;
    using TunGone = std::move_only_function<void(Error)>;

    /// Everything given outlives it. Nothing happens before `start`, and nothing at all when the
    /// gateway offers no datagrams.
    Datagrams(Environment& environment, const Link& link,
              const protocol::SessionParameters& parameters, Secret master_secret, TunSink& sink,
              Handler handler, TunGone tun_gone);
    ~Datagrams();

    void start();
    /// TLS has new keys: a new association follows, and TLS carries until it works.
    void renew();
    /// The end: what has arrived is delivered, and the sockets are closed.
    void close();

    bool carries() const { return active_ && active_->carries(); }
    Association& active() { return *active_; }
    /// See Association::can_move and Association::move.
    bool can_move() const { return active_ && active_->can_move(); }
    bool move() { return active_->move(); }
    /// Of the channel there is; nothing when there is none, or it has no address.
    const OwnFlow* flow() const { return active_ && active_->flow() ? &*active_->flow() : nullptr; }
    void data_by_tunnel() {
        if (active_) active_->data_by_tunnel();
    }
    DatagramTotals totals() const;

private:
    Result<AssociationSettings> settings() const;
    void open();
    void heard(AssociationEvent event);
    std::chrono::milliseconds soonest_hello() const;
    void failed(Error why);
    void tell_down(Error why);
    void drop(std::unique_ptr<Association>& association);

    Environment& environment_;
    const Link& link_;
    protocol::SessionParameters parameters_;
    Secret master_secret_;
    TunSink& sink_;
    Handler handler_;
    TunGone tun_gone_;
    std::unique_ptr<Association> active_;
    std::unique_ptr<Association> retired_;
    DatagramTotals past_;
    EventLoop::Timer again_;
    EventLoop::Timer retirement_;
    std::chrono::seconds pause_{};
    Instant opened_{};
    int told_mtu_ = 0;  ///< Of the tunnel, while datagrams carry it.
    bool told_down_ = false;
    bool is_started_ = false;
};

}  // namespace causeway::provider
