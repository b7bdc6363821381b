#include "causeway/protocol/arrival_proof.h"

#include <algorithm>

namespace causeway::protocol {
namespace {

using std::chrono::milliseconds;

// Fifteen questions without an answer, or more: a lossy way does not count as cut.
constexpr milliseconds shortest_doubt{750};
constexpr milliseconds shortest_pause{50};
constexpr milliseconds longest_pause{1'000};

}  // namespace

void ArrivalProof::asked(Instant now) {
    asked_ = now;
    if (!doubted_since_) doubted_since_ = now;
}

void ArrivalProof::answered(Instant now) {
    has_ever_answered_ = true;
    restart(now);
}

void ArrivalProof::restart(Instant now) {
    answered_ = now;
    doubted_since_.reset();
    is_wanted_ = false;
}

std::optional<Instant> ArrivalProof::question_due() const {
    if (doubted_since_) return asked_ + std::clamp(dpd_ / 30, shortest_pause, longest_pause);
    if (is_wanted_) return answered_ + dpd_ / 4;
    return std::nullopt;
}

std::optional<Instant> ArrivalProof::loss_due() const {
    if (!doubted_since_ || !has_ever_answered_) return std::nullopt;
    return *doubted_since_ + std::max(dpd_ / 2, shortest_doubt);
}

}  // namespace causeway::protocol
