// One thread of the gateway: its clients, its queue of the TUN, one event loop for both.
//
//     clients --TLS, UDP--> Merger --> take --> TUN queue of this shard
//     TUN queue --> deliver --> own clients, or the inbox of the shard that has the client
//
// Packets travel as super-packets: one source check and one look-up for a run of one flow.
//
// Nothing of a session's hot state is shared; shards exchange packets through bounded inboxes.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"
#include "causeway/datapath/receive_path.h"
#include "causeway/datapath/tun_lanes.h"
#include "causeway/gateway/client_connection.h"
#include "causeway/gateway/datagram_shard.h"
#include "causeway/gateway/listener.h"
#include "causeway/gateway/login_store.h"
#include "causeway/gateway/registry.h"
#include "causeway/gateway/tunnel_device.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace causeway::gateway {

class Shard final : private ClientTunnel::PacketSink,
                    private datapath::SuperPacketSink,
                    private DatagramShard::Host {
public:
    /// What a shard is made of; all of it outlives the shard.
    struct Parts {
        std::size_t index;
        Registry& registry;
        LoginStore& logins;
        AuthClient* auth;  ///< Nothing when no users file is configured.
        DatagramTable& datagrams;
        datapath::CryptoBackend crypto;
        TunnelLanes tunnel;
        /// The TUN failed for good. Called in the shard's thread.
        std::move_only_function<void(const Error&)> device_failed;
    };

    explicit Shard(Parts parts);
    /// Ends the thread and closes what is open, without a word to anybody.
    ~Shard();

    /// A bound UDP socket, in the same order at every shard. Before `start`. Fails as
    /// UdpPort::open.
    Result<void> add_datagram_socket(Fd socket) { return datagrams_.add_socket(std::move(socket)); }
    /// All shards, this one among them. Before `start`.
    void know(std::vector<Shard*> all) { all_ = std::move(all); }
    void start();
    /// Ends the thread. What is asked of the shard from then on is not done any more.
    void stop();

    // From any thread:

    void adopt(Arrival arrival, std::shared_ptr<const Serving> serving,
               std::optional<Unwelcome> unwelcome);
    /// See ClientConnection::tell_and_close; `done` runs in this shard's thread, once no further
    /// packet of that client will be forwarded.
    void tell_and_close(
        std::uint64_t connection, Reason why, protocol::Reason told,
        std::move_only_function<void()> done = [] {});
    void replaced(std::uint64_t connection);
    /// Ends all sessions and connections for that reason; `done` runs in this shard's thread when
    /// the last client has heard it, or has had its time.
    void end_all(Reason why, std::move_only_function<void()> done);

    struct LiveSession {
        SessionNumber session;
        Traffic traffic;
        std::string channel;           ///< "TLS 1.3, TLS_AES_256_GCM_SHA384"
        std::string datagram_channel;  ///< "DTLS 1.2, …"; empty when there is none.
        bool is_carried_by_datagrams;
        datapath::Drops drops_from_client;
        datapath::Drops drops_for_client;
    };
    struct Report {
        std::vector<LiveSession> sessions;
        std::size_t connections = 0;
        // Since the beginning; sessions that are gone are in it.
        Traffic through_tls;
        std::uint64_t between_clients = 0;  ///< Packets from a client for another.
        std::uint64_t answers = 0;          ///< ICMP messages of our own about too large packets,
        std::uint64_t answers_written = 0;  ///< and of these, those that the TUN took.
        datapath::Drops drops_in;           ///< Of what came through TLS.
        datapath::Drops drops_out;          ///< Of packets from the TUN, and through TLS.
        datapath::TunOffloads tun_offloads;
        datapath::CallCounters tun_reads;
        datapath::CallCounters tun_writes;
        DatagramShard::Report datagrams;
    };
    /// What it carries now; `done` runs in this shard's thread.
    void look(std::move_only_function<void(Report)> done);

    /// Connections now, for choosing the shard with the fewest.
    std::size_t load() const { return load_; }

private:
    using Connections = std::unordered_map<std::uint64_t, std::unique_ptr<ClientConnection>>;
    /// A copy of a super-packet on its way to another shard, its headroom in front.
    struct Parcel {
        std::uint64_t connection;
        Bytes bytes;
        datapath::VirtioHeader offload;
    };

    // ClientTunnel::PacketSink
    void packets_from(ClientTunnel& client, std::span<const ByteView> packets) override;
    // datapath::SuperPacketSink: packets of `sender_`
    void take(const datapath::SuperPacket& packet, std::size_t count) override;
    // DatagramShard::Host
    void packets_from(DatagramLink& client, const datapath::SuperPacket& packet, std::size_t count,
                      datapath::Drops& drops) override;
    void said_goodbye(const DatagramLink& client,
                      const protocol::DisconnectNotice& notice) override;
    void at_shard(std::size_t shard, std::move_only_function<void(DatagramShard&)> action) override;
    void can_send() override;
    void end_turn() override { flush_clients(); }

    ConnectionHost make_host();
    void check(std::uint64_t connection, std::string user, std::optional<Secret> password);
    void read_tunnel();
    /// Where a packet of a client goes, after its source was checked: one check for a run, since
    /// all of it has one header.
    void forward(const datapath::SuperPacket& packet, std::size_t count,
                 const InnerAddresses& sender, bool client_to_client, datapath::Drops& drops);
    void deliver(const datapath::SuperPacket& packet);
    void deliver_to(Place place, const datapath::SuperPacket& packet);
    /// Tells the sender of a packet that the way to its destination takes only `mtu` bytes.
    void answer_too_large(const datapath::SuperPacket& packet, std::size_t mtu);
    void flush_clients();
    void hand_over(std::uint64_t connection, const datapath::SuperPacket& packet);
    void take_inbox();
    ClientConnection* connection(std::uint64_t number);
    void forget(std::uint64_t number);
    void add_tunnel(const ClientTunnel& tunnel, Report& report) const;
    void end_one(ClientConnection& connection, Reason why);

    Parts parts_;
    std::vector<Shard*> all_;
    EventLoop loop_;
    ConnectionHost host_;
    Connections connections_;
    std::uint64_t last_number_ = 0;
    std::atomic<std::size_t> load_ = 0;
    std::move_only_function<void()> when_empty_;

    EventLoop::Watch tunnel_watch_;
    datapath::ReceivePath receive_path_;
    ClientTunnel* sender_ = nullptr;  ///< Whose packets the receive path holds.
    datapath::Drops drops_;           ///< Of packets from the TUN.
    std::uint64_t between_clients_ = 0;
    std::uint64_t answers_ = 0;
    std::uint64_t answers_written_ = 0;
    Report past_;  ///< Of tunnels that are gone: what went through TLS.
    // Those that got packets in this turn; empty between turns.
    std::vector<ClientTunnel*> unflushed_;

    std::mutex inbox_mutex_;
    std::vector<Parcel> inbox_;
    std::size_t inbox_packets_ = 0;
    std::atomic<std::uint64_t> inbox_full_ = 0;  ///< Packets that found no room.

    DatagramShard datagrams_;
    std::atomic<bool> is_stopped_ = false;
    std::thread thread_;
};

}  // namespace causeway::gateway
