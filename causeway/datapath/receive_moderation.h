// How long to let datagrams gather before they are received, as a network card moderates its
// interrupts: where nothing joins them into trains, each would wake the thread for itself, and
// waking costs more than the datagram.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/datapath/call_counters.h"

#include <chrono>
#include <optional>

namespace causeway::datapath {

class ReceiveModeration {
public:
    /// To be asked before a turn that receives, with what the socket has counted until now. Zero
    /// while few datagrams come, or many with each call; so a single one is never held up.
    std::chrono::microseconds pause(const CallCounters& received, Instant now);

    /// Measured over so long.
    static constexpr std::chrono::milliseconds window{1};
    /// So many calls in a window are worth it.
    static constexpr std::uint64_t busy_calls = 10;
    /// What the datagrams that gather are held up by at most, beside what a late timer adds.
    static constexpr std::chrono::microseconds gathering{250};

private:
    CallCounters before_;
    std::optional<Instant> since_;
    bool is_on_ = false;
};

/// Sleeps so long, if at all. The kernel wakes a thread late by its timer slack (50 us unless it is
/// told otherwise).
void let_gather(std::chrono::microseconds pause);

/// Has the calling thread woken in time from now on.
void wake_in_time();

}  // namespace causeway::datapath
