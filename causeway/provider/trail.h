// What was tried, step by step, with times: for the report of a failure and for those who watch.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/error/incident.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace causeway::provider {

class Trail {
public:
    using Watcher = std::function<void(const TrailStep&)>;

    explicit Trail(Watcher watcher = {}) : watcher_(std::move(watcher)) {}

    /// The phase that runs from now on.
    void enter(Phase phase) {
        phase_ = phase;
        since_ = Clock::now();
    }
    /// The end of what runs: a result, or what went wrong.
    void note(std::string result) {
        steps_.push_back({phase_, elapsed(), std::move(result)});
        since_ = Clock::now();
        if (watcher_) watcher_(steps_.back());
    }
    Phase phase() const { return phase_; }
    const std::vector<TrailStep>& steps() const { return steps_; }
    /// Forgets the steps: what was tried before the last success explains nothing any more.
    void clear() { steps_.clear(); }

private:
    std::chrono::milliseconds elapsed() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since_);
    }

    Watcher watcher_;
    Phase phase_ = Phase::profile;
    Instant since_ = Clock::now();
    std::vector<TrailStep> steps_;
};

}  // namespace causeway::provider
