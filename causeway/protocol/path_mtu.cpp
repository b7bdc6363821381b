#include "causeway/protocol/path_mtu.h"

#include <algorithm>

namespace causeway::protocol {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t fan = 8;  // sizes of one round: each narrows the search to a ninth
constexpr int round_tries = 2;  // a probe may be lost for other reasons
constexpr milliseconds least_patience{150};
constexpr milliseconds most_patience{1'000};
constexpr milliseconds check_interval{500};  // of the size in use, while packets are sent
constexpr int check_tries = 3;
constexpr seconds raise_interval{30};

}  // namespace

PathMtu::PathMtu(PathMtuLimits limits, Instant now)
    : limits_(limits),
      size_(limits.largest),
      asked_(now),

      heard_(now),
      used_(now),
      raise_at_(now) {
    limits_.smallest = std::min(limits_.smallest, limits_.largest);
    wanted_.reserve(fan);
    outstanding_.reserve(fan);
    restart(now);
}

void PathMtu::restart(Instant now) {
    wanted_.clear();
    outstanding_.clear();
    is_checking_ = false;
    tries_ = 0;
    if (!limits_.is_echoed || limits_.smallest == limits_.largest)
        return settle(limits_.largest, now);
    is_known_ = false;
    state_ = State::proving;
    low_ = limits_.smallest - 1;
    high_ = limits_.largest + 1;
    asked_ = now;
    tries_ = 1;
    probe(limits_.largest);
}

void PathMtu::probe(std::size_t size) {
    wanted_.push_back(size);
    if (std::ranges::find(outstanding_, size) == outstanding_.end()) outstanding_.push_back(size);
}

std::optional<std::size_t> PathMtu::next_probe() {
    if (wanted_.empty()) return std::nullopt;
    const std::size_t size = wanted_.back();
    wanted_.pop_back();
    return size;
}

milliseconds PathMtu::patience() const {
    return std::clamp(3 * round_trip_, least_patience, most_patience);
}

// What comes back

void PathMtu::answered(std::size_t size, Instant now) {
    if (size > limits_.largest || !limits_.is_echoed) return;
    heard_ = now;
    round_trip_ = std::max(round_trip_ / 2, std::chrono::duration_cast<milliseconds>(now - asked_));
    std::erase(outstanding_, size);
    if (size == limits_.largest) return settle(size, now);
    if (state_ == State::settled && size == size_) is_checking_ = false;
    if (state_ == State::settled && (size < size_ || (size == size_ && !is_too_narrow_))) return;
    if (state_ == State::settled) {
        // The way has grown: in use at once, and the search goes on above.
        is_too_narrow_ = false;
        size_ = low_ = size;
        high_ = limits_.largest;
        return fan_out(now);
    }
    low_ = std::max(low_, size);
    high_ = std::max(high_, low_ + 1);
    std::erase_if(outstanding_, [&](std::size_t other) { return other <= low_; });
    if (state_ == State::searching && outstanding_.empty()) narrow(now);
}

void PathMtu::refused(std::size_t size, Instant now) {
    // Below the smallest size nobody is believed: it would be a way to stop us.
    size = std::clamp(size, limits_.smallest, limits_.largest);
    if (state_ == State::settled) {
        if (size < size_) settle(size, now);
        return;
    }
    if (size + 1 >= high_) return;
    high_ = std::max(size + 1, low_ + 1);
    std::erase_if(wanted_, [&](std::size_t other) { return other >= high_; });
    std::erase_if(outstanding_, [&](std::size_t other) { return other >= high_; });
    if (outstanding_.empty()) narrow(now);
}

// The search

/// Sizes spread evenly over what is still open, the largest among them.
void PathMtu::fan_out(Instant now) {
    state_ = State::searching;
    wanted_.clear();
    outstanding_.clear();
    tries_ = 1;
    asked_ = now;
    is_checking_ = false;
    const std::size_t open = high_ - 1 - low_;
    const std::size_t count = std::min(fan, open);
    for (std::size_t i = 1; i <= count; ++i) probe(low_ + open * i / count);
}

/// A round has ended: all sizes that did not come back are taken for too large.
void PathMtu::narrow(Instant now) {
    for (const std::size_t size : outstanding_)
        if (size > low_) high_ = std::min(high_, size);
    if (high_ - low_ <= 1) return settle(low_, now);
    fan_out(now);
}

void PathMtu::settle(std::size_t size, Instant now) {
    state_ = State::settled;
    is_known_ = true;
    is_too_narrow_ = size < limits_.smallest;
    size_ = std::max(size, limits_.smallest);
    wanted_.clear();
    outstanding_.clear();
    is_checking_ = false;
    asked_ = now;
    raise_at_ = now + raise_interval;
}

// Time

std::optional<Instant> PathMtu::deadline() const {
    if (!limits_.is_echoed || limits_.smallest == limits_.largest) return std::nullopt;
    if (state_ != State::settled) return asked_ + patience();
    std::optional<Instant> due;
    if (is_checking_)
        due = asked_ + patience();
    else if (used_ > asked_)
        due = asked_ + check_interval;
    if (size_ < limits_.largest && (!due || raise_at_ < *due)) due = raise_at_;
    return due;
}

void PathMtu::advance(Instant now) {
    const auto due = deadline();
    if (!due || now < *due) return;
    if (state_ == State::settled) return advance_settled(now);
    const bool says_something = heard_ > asked_;
    if (says_something && tries_ >= round_tries) return narrow(now);
    tries_ = says_something ? tries_ + 1 : 1;
    asked_ = now;
    wanted_ = outstanding_;
}

void PathMtu::advance_settled(Instant now) {
    if (size_ < limits_.largest && now >= raise_at_) return raise(now);
    const bool says_something = heard_ > asked_;
    if (is_checking_ && says_something && tries_ >= check_tries) {
        // A black hole. The smallest size is in use until the search is over.
        size_ = limits_.smallest;
        low_ = limits_.smallest - 1;
        high_ = limits_.largest + 1;
        return fan_out(now);
    }
    tries_ = is_checking_ && (says_something || is_first_check()) ? tries_ + 1 : 1;
    is_checking_ = true;
    asked_ = now;
    wanted_.assign(1, size_);
}

void PathMtu::raise(Instant now) {
    raise_at_ = now + raise_interval;
    if (is_too_narrow_) wanted_.push_back(size_);
    const std::size_t open = limits_.largest - size_;
    const std::size_t count = std::min(fan, open);
    for (std::size_t i = 1; i <= count; ++i) wanted_.push_back(size_ + open * i / count);
}

}  // namespace causeway::protocol
