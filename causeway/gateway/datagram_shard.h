// The datagrams of one shard: its UDP sockets, the channels of the clients whose datagrams the
// kernel brings here, and the way of each datagram to its channel.
//
//     known source     application data -> the channel that is up, everything else -> handshakes
//     unknown source   a hello          -> the session it names (DatagramTable), a new handshake
//                      a moving client  -> the session it names, by our own header
//                      application data -> the sessions of that address, at most 8 of them
//
// A channel lives on the shard that its datagrams reach, whichever shard has the TLS connection:
// nothing of what a packet needs is shared. When the client's source changes and with it the shard,
// the channel moves over as a whole.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"
#include "causeway/datapath/receive_moderation.h"
#include "causeway/datapath/receive_path.h"
#include "causeway/datapath/send_path.h"
#include "causeway/datapath/udp_port.h"
#include "causeway/gateway/datagram_association.h"
#include "causeway/gateway/datagram_table.h"
#include "causeway/gateway/registry.h"
#include "causeway/gateway/shared_drops.h"
#include "causeway/gateway/stray.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <unordered_map>
#include <vector>

namespace causeway::gateway {

class DatagramShard final : private datapath::SuperPacketSink {
public:
    /// What the rest of the shard does. All calls come from the shard's thread.
    class Host {
    public:
        /// A packet of a client, or a run of them; the source is still to be checked. What is
        /// dropped is counted in `drops`.
        virtual void packets_from(DatagramLink& client, const datapath::SuperPacket& packet,
                                  std::size_t count, datapath::Drops& drops) = 0;
        /// The client ended its session by datagram.
        virtual void said_goodbye(const DatagramLink& client,
                                  const protocol::DisconnectNotice& notice) = 0;
        /// Has that shard's datagrams do something, in its thread.
        virtual void at_shard(std::size_t shard,
                              std::move_only_function<void(DatagramShard&)> action) = 0;
        /// There is room for packets to clients again.
        virtual void can_send() = 0;
        /// No more packets of clients come in this turn: `flush`, and what else waits for that.
        virtual void end_turn() = 0;

    protected:
        ~Host() = default;
    };

    struct Parts {
        EventLoop& loop;
        std::size_t shard;
        Registry& registry;
        DatagramTable& table;
        Host& host;
        datapath::CryptoBackend crypto;
        datapath::MergeKinds merges;  ///< What the TUN takes.
    };

    explicit DatagramShard(Parts parts);
    ~DatagramShard() override;

    /// A bound UDP socket; every shard has one for each address, in the same order. Fails as
    /// UdpPort::open.
    Result<void> add_socket(Fd socket);

    /// Packets for the client of that channel, by its number in the Place. Returns the largest
    /// packet that the way takes when these were larger; they are dropped and counted.
    std::optional<std::size_t> send(std::uint64_t number, const datapath::SuperPacket& packet);
    /// Nothing more comes in this turn.
    void flush();
    /// The sockets are full: packets should wait in the TUN until `can_send`.
    bool is_waiting() const;

    // For the TLS side and other shards.

    /// The client sent DATA through TLS.
    void data_by_tunnel(std::uint64_t number);
    /// TLS has new keys, under which a new channel should follow.
    void renew(std::uint64_t number);
    /// Ends a channel, without a word.
    void drop(std::uint64_t number);
    /// A record from a source that is new: if it is authentic and newer than all before, the
    /// channel moves to `path` of `socket` at `shard`.
    void try_move(std::uint64_t number, ByteView record, std::size_t shard, std::size_t socket,
                  const datapath::UdpPath& path, Stray& stray);

    /// Since the beginning; channels that are gone are in it.
    struct Report {
        std::size_t channels = 0;         ///< Now.
        Traffic traffic;                  ///< DATA of all channels.
        std::uint64_t control_in = 0;     ///< Payloads that were no DATA.
        std::uint64_t handshakes_in = 0;  ///< Datagrams of handshakes.
        std::uint64_t control_out = 0;    ///< Datagrams without DATA, of both kinds.
        std::size_t waiting = 0;          ///< Datagrams that wait for the sockets.
        datapath::Drops drops_in;         ///< Of what arrived, whosever it was.
        datapath::Drops drops_out;        ///< Of what was to be sent.
        datapath::UdpOffloads offloads;
        datapath::CallCounters sends;
        datapath::CallCounters receives;
        std::uint64_t overflowed = 0;  ///< Datagrams the kernel dropped: we were too slow.
        std::uint64_t unsent = 0;      ///< Of `drops_out`: sealed, and not taken by the kernel.
    };
    Report report() const;

private:
    struct Socket {
        std::unique_ptr<datapath::UdpPort> port;
        std::unique_ptr<datapath::SendPath> way;
        datapath::ReceiveModeration moderation;
        EventLoop::Watch watch;
        bool wants_writing = false;
        bool is_drained = false;  ///< Nothing was left in it after the last turn.
    };
    /// A remote address on one of our sockets.
    struct Source {
        Endpoint remote;
        std::size_t socket;
        bool operator==(const Source&) const = default;
    };
    struct SourceHash {
        std::size_t operator()(const Source& source) const noexcept;
    };
    /// Who is reached there.
    struct Peers {
        std::uint64_t up = 0;
        std::uint64_t shaking_hands = 0;
    };
    struct Entry {
        std::unique_ptr<DatagramAssociation> association;
        EventLoop::Timer timer;
        std::optional<Instant> armed;
        std::optional<Place> replaces;  ///< Carries until this one does.
        bool was_used = false;          ///< In this turn.
    };

    // datapath::SuperPacketSink
    void take(const datapath::SuperPacket& packet, std::size_t count) override;

    void on_ready(std::size_t socket, std::uint32_t flags);
    /// The association that is up for a source; 0 for none.
    std::uint64_t up_at(const Source& source) const;
    /// How many datagrams it had, at least 1.
    std::size_t take_train(std::size_t socket, datapath::Train& train);
    /// Hands on what trains of one client that followed one another have gathered.
    void end_run();
    bool take_record(Entry* entry, ByteView datagram);
    void take_other(std::size_t socket, const datapath::UdpPath& path, ByteView datagram);
    void take_handshake(std::size_t socket, const datapath::UdpPath& path, ByteView datagram);
    void take_hello(std::size_t socket, const datapath::UdpPath& path, ByteView datagram,
                    ByteView random, ByteView name);
    void take_stray(std::size_t socket, const datapath::UdpPath& path, ByteView record);
    void ask_to_move(const DatagramLink& link, std::size_t socket, const datapath::UdpPath& path,
                     ByteView record, const std::shared_ptr<Stray>& stray);
    bool may_try_stray();
    std::expected<DatagramAssociation::Opened, datapath::Drop> open(DatagramAssociation& to,
                                                                    ByteView record);
    void feed(std::uint64_t number, Entry& entry, ByteView datagram);
    void settle_received(DatagramLink& link);
    void end_sending(DatagramAssociation& association, Instant now);
    void adopt(std::unique_ptr<DatagramAssociation> association, std::size_t socket,
               const datapath::UdpPath& path);
    void take_trouble(std::size_t socket);
    void want_writing(Socket& socket);

    std::uint64_t insert(std::unique_ptr<DatagramAssociation> association);
    Entry* entry(std::uint64_t number);
    Place place(std::uint64_t number) const {
        return {static_cast<std::uint32_t>(parts_.shard), number};
    }
    datapath::SendPath& way_of(const DatagramAssociation& association) {
        return *sockets_[association.socket].way;
    }

    /// Carries out what the channel's events say; it may be gone afterwards.
    void settle(std::uint64_t number);
    void on_ready_channel(std::uint64_t number, Entry& entry);
    void on_up(std::uint64_t number, Entry& entry);
    void on_down(std::uint64_t number, Entry& entry, const protocol::DatagramDown& down);
    void on_narrow(std::uint64_t number, Entry& entry, std::size_t fits);
    void on_over(std::uint64_t number, const AssociationOver& over);
    void stop_carrying(std::uint64_t number, DatagramAssociation& association);
    void remove(std::uint64_t number);
    void leave_source(std::uint64_t number, const DatagramAssociation& association);
    void arm(std::uint64_t number, Entry& entry);

    Parts parts_;
    std::vector<Socket> sockets_;
    datapath::ReceivePath receive_;
    // Every packet looks into these. Side by side in a few pages they stay in the processor's
    // caches with a thousand sessions; strewn among all else that sessions allocate they do not.
    std::pmr::unsynchronized_pool_resource nodes_;
    std::pmr::unordered_map<std::uint64_t, Entry> entries_{&nodes_};
    std::pmr::unordered_map<Source, Peers, SourceHash> sources_{&nodes_};
    std::uint64_t last_number_ = association_bit;
    std::size_t handshakes_ = 0;
    std::vector<std::uint64_t> used_;  ///< Sent to in this turn.

    // While a run of one client's trains is taken apart
    DatagramAssociation* current_ = nullptr;
    std::uint64_t current_number_ = 0;
    datapath::Drops from_client_;
    Traffic received_;
    Instant now_;

    // Of all channels, also those that are gone.
    Traffic traffic_;
    std::uint64_t control_in_ = 0;
    std::uint64_t handshakes_in_ = 0;
    datapath::Drops drops_in_;
    datapath::Drops drops_out_;
    std::shared_ptr<SharedDrops> stray_drops_ = std::make_shared<SharedDrops>();

    Instant strays_since_;
    int strays_ = 0;
};

}  // namespace causeway::gateway
