// Traffic in the sessions of all clients at once, and how much of it arrived in which.
//
//     loop    sends a train (upload) or asks for one (download), and begins again when it is told
//             that the train arrived, or when too much time has passed: a train is lost then
//
// There are as many loops as sessions, or more of each, and so many trains on the way as the order
// says: who has none on the way waits his turn. With as many trains as loops each goes on as soon
// as its own has arrived, whatever the others do. The driver learns only from what comes through
// the tunnel, so what a session gets is up to the gateway.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/datapath/receive_path.h"
#include "causeway/datapath/send_path.h"
#include "causeway/datapath/udp_port.h"
#include "tests/load/load_channel.h"
#include "tests/load/load_client.h"
#include "tests/load/train.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::load {

/// What to measure.
struct Order {
    bool uploads = false;
    bool downloads = false;
    std::size_t sessions = 1;
    std::size_t on_the_way = 16;     ///< Trains, of all sessions together.
    std::uint16_t count = 40;        ///< Datagrams of a train.
    std::chrono::milliseconds time;  ///< After a quarter of it to get going.

    /// "down|up|both SESSIONS ON_THE_WAY COUNT MILLISECONDS"
    static std::optional<Order> parse(std::string_view line);
};

class Traffic final : private datapath::SuperPacketSink {
public:
    struct Settings {
        Endpoint gateway;     ///< Of TLS; the gateway may name another port for datagrams.
        Endpoint peer;        ///< Inner address and port of load_peer.
        IpAddress first_own;  ///< The first client's outer address; the others' follow.
    };

    /// Fails with the errno of socket(2) or bind(2), or as UdpPort::open.
    static Result<std::unique_ptr<Traffic>> open(EventLoop& loop, Settings settings);

    /// Begins the datagram channel of a client that is up. Fails when the gateway has offered none.
    Result<void> add(LoadClient& client);
    /// Calls it once, when all channels carry or have failed.
    void when_settled(std::size_t count, EventLoop::Action action);
    std::size_t carrying() const;
    /// The first failure, or nothing.
    std::optional<Error> failure() const;

    /// Calls `done` with a line of JSON.
    void measure(const Order& order, std::move_only_function<void(std::string)> done);

private:
    struct Session {
        std::unique_ptr<LoadChannel> channel;
        IpAddress inner;
        std::size_t payload = 0;    ///< Of each datagram of a train.
        std::uint64_t arrived = 0;  ///< Bytes of payload, in this measurement.
    };
    struct Loop {
        std::uint32_t session = 0;
        bool is_upload = false;
        bool is_waiting = false;   ///< For the train that is on the way.
        std::uint32_t number = 0;  ///< Of that train.
        Instant sent = {};
    };

    Traffic(EventLoop& loop, Settings settings, datapath::UdpPort port);

    void on_ready(std::uint32_t flags);
    void take_train(datapath::Train& train);
    // datapath::SuperPacketSink: packets of `current_`
    void take(const datapath::SuperPacket& packet, std::size_t count) override;
    void take_datagram(const TrainHead& head, std::size_t size);
    void tick();

    void start_loops();
    void begin(std::uint32_t loop);
    void begin_ready();
    void over(std::uint32_t loop);
    void send_data(Loop& loop, std::uint32_t index);
    void send_ask(const Loop& loop, std::uint32_t index);
    datapath::SuperPacket packet_of(const Session& session, std::size_t payload,
                                    std::size_t segment);
    /// Ends a turn: sends what has gathered, and begins what may begin.
    void flush();
    void want_writing();
    std::string report();
    double processor_seconds() const;

    EventLoop& loop_;
    Settings settings_;
    datapath::UdpPort port_;
    datapath::SendPath way_;
    datapath::ReceivePath receive_;
    EventLoop::Watch watch_;
    EventLoop::Timer tick_;
    bool wants_writing_ = false;

    std::vector<Session> sessions_;
    std::size_t first_number_ = 0;  ///< The last two bytes of the first own address.
    Session* current_ = nullptr;    ///< Whose train is being taken apart.
    std::size_t settled_count_ = 0;
    EventLoop::Action settled_;

    // While something is measured
    Order order_;
    std::uint32_t measurement_ = 0;
    std::vector<Loop> loops_;
    std::deque<std::uint32_t> ready_;  ///< Loops without a train on the way, in turn.
    std::size_t on_the_way_ = 0;
    EventLoop::Timer phase_;
    std::move_only_function<void(std::string)> done_;
    Instant began_;
    double processor_began_ = 0;
    std::uint64_t overflowed_began_ = 0;
    std::uint64_t all_bytes_ = 0;  ///< Also of the time before and after.
    std::uint64_t trains_ = 0;
    std::uint64_t lost_ = 0;
    std::vector<std::byte> room_;
};

}  // namespace causeway::load
