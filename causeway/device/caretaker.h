// How often what others take away is put back, and what is said about it.
//
// Two programs that each put their own settings back would go on for ever: so there is an end.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/device/inspection.h"

#include <deque>
#include <set>
#include <string>
#include <vector>

namespace causeway::device {

/// Repairs within `repair_window`; with one more it is given up, for the rest of the run.
inline constexpr std::size_t repair_limit = 5;
inline constexpr std::chrono::seconds repair_window{60};

class Caretaker {
public:
    struct Decision {
        std::vector<Step> repairs;       ///< To be carried out now, in this order.
        std::vector<std::string> words;  ///< To be said, a sentence each.
    };

    /// What is to be done about what was found. A thing is said once, as long as it lasts.
    Decision decide(const std::vector<Deviation>& found, Instant now);

private:
    bool may_repair(Instant now);

    std::deque<Instant> repairs_;
    std::set<std::string> said_;
    bool has_given_up_ = false;
};

}  // namespace causeway::device
