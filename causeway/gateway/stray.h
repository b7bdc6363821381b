// A datagram that may be one of several sessions', which may live in several threads.

#pragma once

#include "causeway/gateway/shared_drops.h"

#include <atomic>
#include <memory>
#include <utility>

namespace causeway::gateway {

/// A datagram from a source that no shard knows, while it is tried with the sessions that it may
/// belong to, wherever they are. When the last of them has let go of it, it has been taken by one
/// or is counted as dropped.
class Stray {
public:
    explicit Stray(std::shared_ptr<SharedDrops> drops) : drops_(std::move(drops)) {}
    ~Stray() {
        if (!is_taken_) drops_->add(why_);
    }
    Stray(const Stray&) = delete;
    Stray& operator=(const Stray&) = delete;

    void taken() { is_taken_ = true; }
    /// By a session that it was tried with, which knows better than "unknown".
    void refused(datapath::Drop why) { why_ = why; }

private:
    std::shared_ptr<SharedDrops> drops_;
    std::atomic<bool> is_taken_ = false;
    std::atomic<datapath::Drop> why_ = datapath::Drop::record_unknown;
};

}  // namespace causeway::gateway
