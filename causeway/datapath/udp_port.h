// One UDP socket that sends and receives trains: many datagrams of equal size in one system call.
//
//     send_train      | datagram | datagram | ... | last (may be shorter) |  UDP_SEGMENT
//     receive_train   | datagram | datagram | ... | last (may be shorter) |  UDP_GRO

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/fd.h"
#include "causeway/datapath/call_counters.h"
#include "causeway/datapath/counters.h"
#include "causeway/datapath/limits.h"
#include "causeway/error/error.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace causeway::datapath {

/// What the kernel agreed to, each found out alone.
struct UdpOffloads {
    bool segmentation = false;  ///< UDP_SEGMENT; may be lost later, when the route's card has none.
    bool coalescing = false;    ///< UDP_GRO.

    bool operator==(const UdpOffloads&) const = default;
};

/// Where datagrams go to, or came from.
struct UdpPath {
    Endpoint remote;
    /// Our own address of it; unspecified for "whatever the kernel chooses".
    IpAddress local;

    auto operator<=>(const UdpPath&) const = default;
};

/// Datagrams that arrived together, from one source. Lasts until the next `receive_train`.
struct Train {
    std::span<std::byte> bytes;
    std::size_t segment_size = 0;  ///< Of each datagram but the last. 0 for an empty datagram.
    UdpPath path;

    std::size_t count() const;
    /// Cuts the first datagram off; empty when there is none left.
    std::span<std::byte> next();
};

/// What a socket says about earlier datagrams, or about the one just given to it.
struct UdpTrouble {
    int number = 0;  ///< errno: ECONNREFUSED, EMSGSIZE, EHOSTUNREACH, ENETUNREACH …
    /// What fits on the way, IP header included, where the kernel or a router said so.
    std::optional<std::size_t> mtu;
    /// Where to; nothing on a connected socket.
    std::optional<Endpoint> remote;

    bool operator==(const UdpTrouble&) const = default;
};

class UdpPort {
public:
    /// Prepares a UDP socket that is bound or connected already: non-blocking, never fragmented
    /// (datagrams that are too large are an error, not two fragments), with its offloads, its
    /// error queue and larger buffers.
    /// Fails with the errno of setsockopt(2) for what there is no doing without.
    static Result<UdpPort> open(Fd socket);

    int fd() const { return socket_.get(); }
    const UdpOffloads& offloads() const { return offloads_; }

    enum class Sent : std::uint8_t {
        all,
        later,   ///< The socket's buffer is full: what is left should be tried on EPOLLOUT.
        failed,  ///< Some or all were dropped and counted; `trouble` may say why.
    };
    /// Sends `bytes` as datagrams of `segment_size`, the last of which may be shorter, and takes
    /// off their front what left or was dropped. At most `train_segment_limit` of them and
    /// `train_size_limit` bytes. Without `path` on a connected socket.
    Sent send_train(ByteView& bytes, std::size_t segment_size, const UdpPath* path, Drops& drops);

    /// What arrived, or nothing when the socket is empty or has trouble to tell.
    std::optional<Train> receive_train();

    /// What went wrong since the last call, oldest first; nothing when nothing did. To be asked on
    /// `has_trouble` and on EPOLLERR, until it has nothing more.
    std::optional<UdpTrouble> trouble();
    /// A call has failed since. What routers say later shows by EPOLLERR alone.
    bool has_trouble() const { return trouble_.has_value(); }

    /// What the kernel dropped since the beginning because we were too slow (SO_RXQ_OVFL, and
    /// SO_MEMINFO for what came last): datagrams, and trains where they arrive as trains.
    std::uint64_t overflowed() const;
    const CallCounters& sends() const { return sends_; }
    const CallCounters& receives() const { return receives_; }

private:
    UdpPort(Fd socket, bool is_v6);
    Result<void> prepare();
    int transmit(ByteView bytes, std::size_t segment_size, const UdpPath* path);
    Sent send_each(ByteView& bytes, std::size_t segment_size, const UdpPath* path, Drops& drops);
    void note(int number, const UdpPath* path);

    Fd socket_;
    bool is_v6_;
    UdpOffloads offloads_;
    std::vector<std::byte> buffer_;
    std::optional<UdpTrouble> trouble_;
    std::uint32_t overflow_seen_ = 0;
    std::uint64_t overflowed_ = 0;
    CallCounters sends_;
    CallCounters receives_;
};

}  // namespace causeway::datapath
