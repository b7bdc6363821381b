// From the TUN to the network: what both programs do with a super-packet that leaves as datagrams.
//
// Stages, all on the thread that owns the socket:
//     SuperPacket -> Splitter -> type byte in front -> RecordSealer -> train -> UdpPort
//
// Records of equal size to one destination gather in a train until one is shorter, the train is
// full, or `flush` says that nothing more comes. Nothing waits longer than the caller's turn.

#pragma once

#include "causeway/datapath/record_sealer.h"
#include "causeway/datapath/splitter.h"
#include "causeway/datapath/udp_port.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace causeway::datapath {

/// The first byte of a payload that is an IP packet (openconnect protocol, section "DTLS").
inline constexpr std::byte data_payload{0};

class SendPath {
public:
    /// `port` outlives it.
    explicit SendPath(UdpPort& port);

    enum class Taken : std::uint8_t {
        all,        ///< Sealed; sent, or about to be.
        malformed,  ///< No packet: dropped.
        too_large,  ///< Dropped: its packets are larger than `packet_limit`; see `icmp_too_big`.
        no_key,     ///< Dropped, wholly or in part: the sealer has no numbers left.
    };
    /// Sends the packets of `packet` as DATA. `path` as for UdpPort::send_train. `counters` gets
    /// what was sealed, and in its drops what was not.
    Taken send(const SuperPacket& packet, RecordSealer& sealer, const UdpPath* path,
               std::size_t packet_limit, Counters& counters);

    /// Sends one control payload, its type byte in front. At most `record_plaintext_limit` bytes.
    /// False when there was no number or no room left for it: dropped and counted.
    bool send_payload(ByteView payload, RecordSealer& sealer, const UdpPath* path);

    enum class Carries : std::uint8_t { packet, control };
    /// Sends a datagram as it is: a record of another's making, or a handshake. As `send_payload`;
    /// a packet is the caller's to count.
    bool send_datagram(ByteView datagram, const UdpPath* path, Carries carries = Carries::control);

    /// Sends what has gathered.
    void flush();

    /// Trains wait for the socket: the TUN should not be read until it is writable (EPOLLOUT) and
    /// `flush` has been called. What comes in spite of it is dropped once there is no room.
    bool is_waiting() const { return is_waiting_; }

    /// Datagrams that the socket did not take, and those besides `send`'s that found no room.
    const Drops& drops() const { return drops_; }
    /// Datagrams that carry no packet, given so far: sent, dropped, or waiting.
    std::uint64_t control() const { return control_; }
    /// Datagrams that wait for the socket.
    std::size_t waiting() const;

private:
    struct Gathering {
        std::vector<std::byte> bytes;
        std::size_t size = 0;
        std::size_t sent = 0;  ///< Of `size`: only where trains leave one by one.
        std::size_t segment_size = 0;
        std::size_t count = 0;
        bool is_closed = false;
        bool has_path = false;
        UdpPath path;
    };
    enum class Put : std::uint8_t { done, no_room, no_key };

    Put put(ByteView payload, RecordSealer& sealer, const UdpPath* path);
    void keep_together(std::size_t size, std::size_t count);
    std::span<std::byte> room(std::size_t size, const UdpPath* path);
    void added(std::size_t size, const UdpPath* path);
    static bool fits(const Gathering& train, std::size_t size, const UdpPath* path);
    Gathering& newest() { return trains_[(first_ + used_ - 1) % train_count]; }

    // More than a super-packet of usual segments needs, so that one finds room while one waits.
    static constexpr std::size_t train_count = 4;

    UdpPort* port_;
    Splitter splitter_;
    std::array<Gathering, train_count> trains_;
    std::size_t first_ = 0;  ///< The oldest that has not left.
    std::size_t used_ = 1;   ///< That one and those behind it; the newest may be empty.
    bool is_waiting_ = false;
    Drops drops_;
    std::uint64_t control_ = 0;
};

}  // namespace causeway::datapath
