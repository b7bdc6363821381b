// Where packets go that came from the gateway, whichever way: put together and written to the TUN.

#pragma once

#include "causeway/datapath/receive_path.h"
#include "causeway/datapath/tun_lanes.h"
#include "causeway/error/error.h"

#include <optional>
#include <utility>

namespace causeway::provider {

/// Counts what the TUN took. A TUN that is gone shows in `take_failure`; nothing is written then.
class TunSink final : public datapath::SuperPacketSink {
public:
    /// `tun` outlives it.
    explicit TunSink(datapath::TunLanes& tun) : tun_(tun) {}

    void take(const datapath::SuperPacket& packet, std::size_t count) override {
        if (failure_) return counters_.drops.add(datapath::Drop::interface_down, count);
        auto written = tun_.write(packet, count, counters_);
        if (written) return;
        counters_.drops.add(datapath::Drop::interface_down, count);
        failure_ = std::move(written).error();
    }
    std::optional<Error> take_failure() { return std::exchange(failure_, std::nullopt); }
    datapath::MergeKinds merges() const { return tun_.merges(); }
    datapath::Counters& counters() { return counters_; }

private:
    datapath::TunLanes& tun_;
    datapath::Counters counters_;
    std::optional<Error> failure_;
};

}  // namespace causeway::provider
