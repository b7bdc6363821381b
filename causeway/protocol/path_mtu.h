// How large a packet the way through the datagram channel carries: found by probes of chosen sizes
// that the other side echoes, followed when it shrinks and when it grows.
//
//     proving    the largest size is tried alone; most ways carry it
//     searching  a fan of sizes at once; the answers narrow it until the size is exact
//     settled    the size in use is tried again while packets are sent (a black hole shows within a
//                second), and larger ones from time to time

#pragma once

#include "causeway/base/clock.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace causeway::protocol {

/// Sizes of packets in the tunnel, in bytes.
struct PathMtuLimits {
    std::size_t smallest = 576;  ///< Of any use. 1280 when the tunnel carries IPv6.
    std::size_t largest = 1434;  ///< What the link and the session allow.
    /// The other side echoes what it is sent. Without that (stock clients) the largest size is
    /// believed until the way says otherwise.
    bool is_echoed = true;
};

/// No I/O and no clock. Sizes to be probed come out of `next_probe`, answers go in.
class PathMtu {
public:
    PathMtu(PathMtuLimits limits, Instant now);

    /// The size that packets may have now.
    std::size_t size() const { return size_; }
    /// The first search has ended: `size` is what the way carries.
    bool is_known() const { return is_known_; }

    /// Not even the smallest size gets through. It is tried again from time to time.
    bool is_too_narrow() const { return is_too_narrow_; }
    std::size_t smallest() const { return limits_.smallest; }

    /// A size to probe now; nothing when there is none.
    std::optional<std::size_t> next_probe();
    /// A probe of that size came back.
    void answered(std::size_t size, Instant now);
    /// The way refused something larger than `size` (ICMP, EMSGSIZE).
    void refused(std::size_t size, Instant now);
    /// Packets are being sent, the largest of them of that size. Those that every way carries put
    /// no size to the test.
    void used(std::size_t size, Instant now) {
        if (size > small_packet) used_ = now;
    }
    /// The probe that is to be sent now looks after the size in use for the first time. It may go
    /// without a small question: only when it is not answered does it matter what else comes back.
    bool is_first_check() const { return is_checking_ && tries_ == 1; }
    /// A small question that left beside the probes was answered. Without that, probes that do not
    /// come back say nothing about sizes.
    void heard(Instant now) { heard_ = now; }

    /// Everything anew: the way has changed (another address, another network).
    void restart(Instant now);

    /// Acknowledgements, pings and the like.
    static constexpr std::size_t small_packet = 128;

    std::optional<Instant> deadline() const;
    void advance(Instant now);

private:
    enum class State : std::uint8_t { proving, searching, settled };

    void probe(std::size_t size);
    void fan_out(Instant now);
    void narrow(Instant now);
    void settle(std::size_t size, Instant now);
    void advance_settled(Instant now);
    void raise(Instant now);
    std::chrono::milliseconds patience() const;

    PathMtuLimits limits_;
    State state_ = State::proving;
    bool is_known_ = false;
    bool is_too_narrow_ = false;
    std::size_t size_;
    std::size_t low_ = 0;                   ///< While searching: carried for certain.
    std::size_t high_ = 0;                  ///< And not carried, as far as is known.
    std::vector<std::size_t> wanted_;       ///< Probes to send, the next one last.
    std::vector<std::size_t> outstanding_;  ///< Sent in this round and not answered.
    int tries_ = 0;
    Instant asked_;  ///< When probes were sent last.
    Instant heard_;
    bool is_checking_ = false;
    Instant used_;
    Instant raise_at_;
    std::chrono::milliseconds round_trip_{0};
};

}  // namespace causeway::protocol
