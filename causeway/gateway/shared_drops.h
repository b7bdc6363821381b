// Drops that one thread counts and another reads.

#pragma once

#include "causeway/datapath/counters.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

namespace causeway::gateway {

/// For any thread.
class SharedDrops {
public:
    void add(datapath::Drop reason, std::uint64_t count = 1) {
        by_reason_[std::to_underlying(reason)].fetch_add(count, std::memory_order_relaxed);
    }
    void add(const datapath::Drops& drops) {
        for (std::size_t i = 0; i < by_reason_.size(); ++i)
            if (drops.by_reason[i] > 0)
                by_reason_[i].fetch_add(drops.by_reason[i], std::memory_order_relaxed);
    }
    datapath::Drops sum() const {
        datapath::Drops drops;
        for (std::size_t i = 0; i < by_reason_.size(); ++i) drops.by_reason[i] = by_reason_[i];
        return drops;
    }

private:
    std::array<std::atomic<std::uint64_t>, datapath::drop_reasons> by_reason_{};
};

}  // namespace causeway::gateway
