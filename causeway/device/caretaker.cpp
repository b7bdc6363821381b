#include "causeway/device/caretaker.h"

#include <fmt/format.h>

#include <algorithm>

namespace causeway::device {

bool Caretaker::may_repair(Instant now) {
    while (!repairs_.empty() && now - repairs_.front() > repair_window) repairs_.pop_front();
    return !has_given_up_ && repairs_.size() < repair_limit;
}

Caretaker::Decision Caretaker::decide(const std::vector<Deviation>& found, Instant now) {
    Decision decision;
    std::set<std::string> lasting;
    const bool needs_repair =
        std::ranges::any_of(found, [](const Deviation& d) { return d.repair.has_value(); });
    const bool repairs = needs_repair && may_repair(now);
    for (const auto& deviation : found) {
        if (repairs && deviation.repair) {
            decision.repairs.push_back(*deviation.repair);
            decision.words.push_back(
                "somebody changed the tunnel's settings, which are put back: " + deviation.what);
            continue;
        }
        lasting.insert(deviation.what);
        if (!said_.contains(deviation.what))
            decision.words.push_back("somebody changed the tunnel's settings: " + deviation.what);
    }
    if (repairs) repairs_.push_back(now);
    if (needs_repair && !repairs && !has_given_up_) {
        has_given_up_ = true;
        decision.words.push_back(fmt::format(
            "nothing is put back any more: it was {} times within {} s, and somebody else "
            "wants it otherwise",
            repair_limit, repair_window.count()));
    }
    said_ = std::move(lasting);
    return decision;
}

}  // namespace causeway::device
