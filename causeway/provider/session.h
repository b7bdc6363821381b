// One VPN from the first name asked for to the last word said: logs in, keeps the tunnel up, makes
// losses good, changes keys, and ends with a reason or in order.
//
//     dialing --> up <--> rekeying (a second connection beside the first)
//        |        | ^
//        |        v |
//        |    reconnecting
//        v        v
//         failed, left

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/provider/dial.h"
#include "causeway/provider/messages.h"
#include "causeway/provider/owner.h"
#include "causeway/provider/reconnect.h"
#include "causeway/provider/settings.h"
#include "causeway/provider/tunnel.h"

#include <memory>
#include <optional>

namespace causeway::provider {

class Session {
public:
    /// All four outlive the session; `ended` is called once, when the last word has been said and
    /// told.
    Session(EventLoop& loop, const Settings& settings, Owner& owner, datapath::TunLanes& tun,
            EventLoop::Action ended);

    void start();
    /// Ends in order: the gateway is told.
    void stop();
    /// Addresses of this machine have come or gone.
    void addresses_changed();

private:
    void dialed(Result<Dialed> result);
    void enter(Dialed dialed, bool again);
    void make_tunnel(Entered entered);
    Result<void> apply(const protocol::SessionParameters& parameters);
    void tell_connected(const protocol::SessionParameters& parameters, bool again);
    void heard(TunnelEvent event);
    void heard(DatagramChanged changed);
    void resize(int mtu);

    void lost(Error why);
    void decide(ReconnectMove move);
    void try_again(TryAgain move);
    void attempt_after(std::chrono::milliseconds pause);
    void log_in_again();
    void came_back(Result<Dialed> result);
    void attempt_failed(Error failure);

    void follow_address();
    void moved();

    void rekey();
    void new_keys_failed(const Error& why);
    void rekeyed(Result<Dialed> result);
    void old_ended();
    void resume_after(std::chrono::milliseconds wait);

    void out_of_time();
    void fail_with(Phase phase, Error error);
    void end(WorkerMessage last);
    void drop_tunnel();
    void drop_retired();
    void tell_totals();

    EventLoop& loop_;
    const Settings& settings_;
    Owner& owner_;
    datapath::TunLanes& tun_;
    EventLoop::Action ended_;
    Trail trail_;
    Farewells farewells_;
    Environment environment_;
    Prompter prompter_;

    std::unique_ptr<Dial> dial_;
    std::unique_ptr<Tunnel> tunnel_;
    std::unique_ptr<Tunnel> retired_;
    TunnelTotals past_;  ///< of tunnels that are gone
    std::optional<Pass> pass_;
    std::optional<TunnelSettings> applied_;
    std::optional<IpAddress> local_;  ///< our address towards the gateway

    // After that address was gone, until the connection has followed the datagrams.
    std::optional<Instant> away_since_;  ///< there is no other yet
    bool is_moving_ = false;             ///< a second connection is being made from the new one
    int takeovers_ = 0;                  ///< attempts at that
    EventLoop::Timer away_;

    ReconnectPolicy policy_;
    std::optional<Loss> loss_;
    Instant lost_at_{};  ///< the first of losses in quick succession
    Instant up_since_{};
    int attempts_ = 0;              ///< since then
    Instant attempted_at_{};        ///< the last of them
    bool is_pausing_ = false;       ///< before the next one
    bool is_taking_over_ = false;   ///< a second connection has asked for the session
    std::optional<Error> old_end_;  ///< how the first connection ended meanwhile
    bool is_resuming_ = false;      ///< the new one waits for the end of the old one
    int tunnel_number_ = 0;         ///< of the newest tunnel

    EventLoop::Timer timeout_;
    Instant timeout_at_{};
    EventLoop::Timer pause_;
    EventLoop::Timer retirement_;
    bool is_over_ = false;
};

}  // namespace causeway::provider
