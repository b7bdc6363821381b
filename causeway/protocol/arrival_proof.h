// Whether what we send to a stock peer arrives. What it sends by itself says nothing about that,
// nor does silence of a peer that has nothing to say: its answers to questions do.
//
//     DATA sent --after DPD/4--> question --answer--> proven
//                                   `--none: again, more often, and after DPD/2: lost
//
// So a cut in our direction is noticed within 3/4 of a DPD; one below 1.5 s counts as 1.5 s here,
// since a way under full load may take long to answer.

#pragma once

#include "causeway/base/clock.h"

#include <chrono>
#include <optional>

namespace causeway::protocol {

class ArrivalProof {
public:
    ArrivalProof(std::chrono::milliseconds dpd, Instant now) : dpd_(dpd), answered_(now) {}

    /// DATA was sent, which ought to arrive.
    void sent() { is_wanted_ = true; }
    /// A question small enough for any way has left.
    void asked(Instant now);
    /// An answer to any question came.
    void answered(Instant now);
    /// Everything anew; what was answered before counts on.
    void restart(Instant now);

    std::optional<Instant> question_due() const;
    /// When it is certain that nothing arrives. Never for a peer that has never answered: not every
    /// one may.
    std::optional<Instant> loss_due() const;
    /// Since when questions have had no answer.
    std::optional<Instant> doubted_since() const { return doubted_since_; }

private:
    std::chrono::milliseconds dpd_;
    Instant answered_;
    Instant asked_{};
    std::optional<Instant> doubted_since_;  ///< The first question since the last answer.
    bool is_wanted_ = false;
    bool has_ever_answered_ = false;
};

}  // namespace causeway::protocol
