#include "causeway/datapath/receive_moderation.h"

#include <sys/prctl.h>
#include <time.h>

namespace causeway::datapath {

std::chrono::microseconds ReceiveModeration::pause(const CallCounters& received, Instant now) {
    if (!since_ || now - *since_ >= window) {
        const auto calls = received.calls - before_.calls;
        const auto datagrams = received.packets - before_.packets;
        // What came in a longer time is rare.
        is_on_ =
            since_ && now - *since_ < 2 * window && calls >= busy_calls && datagrams < 2 * calls;
        since_ = now;
        before_ = received;
    }
    return is_on_ ? gathering : std::chrono::microseconds(0);
}

void let_gather(std::chrono::microseconds pause) {
    if (pause == pause.zero()) return;
    const timespec time{0, std::chrono::nanoseconds(pause).count()};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

void wake_in_time() { prctl(PR_SET_TIMERSLACK, 1UL); }

}  // namespace causeway::datapath
