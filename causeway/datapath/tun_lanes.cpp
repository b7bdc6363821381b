#include "causeway/datapath/tun_lanes.h"

#include <sys/epoll.h>

#include <cerrno>
#include <utility>

namespace causeway::datapath {
namespace {

Result<Fd> watcher_of(int first, int second) {
    Fd watcher(epoll_create1(EPOLL_CLOEXEC));
    if (!watcher) return std::unexpected(system_error(errno, "epoll_create1"));
    for (const int fd : {first, second}) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
        if (epoll_ctl(watcher.get(), EPOLL_CTL_ADD, fd, &event) != 0)
            return std::unexpected(system_error(errno, "epoll_ctl"));
    }
    return watcher;
}

}  // namespace

Result<TunLanes> TunLanes::open(int express, int bulk) {
    auto first = TunPort::open(express);
    if (!first) return pass(first);
    auto second = TunPort::open(bulk);
    if (!second) return pass(second);
    auto either = watcher_of(express, bulk);
    if (!either) return pass(either);
    return TunLanes(std::move(*first), std::move(*second), std::move(*either));
}

TunLanes::TunLanes(TunPort express, TunPort bulk, Fd either)
    : express_(std::move(express)), bulk_(std::move(bulk)), either_(std::move(either)) {}

Result<std::optional<SuperPacket>> TunLanes::read(Drops& drops) {
    const bool bulk_first = express_run_ >= express_limit;
    express_run_ = bulk_first ? 0 : express_run_ + 1;
    auto packet = bulk_first ? bulk_.read(drops) : express_.read(drops);
    if (packet && !*packet) {
        express_run_ = 0;
        packet = bulk_first ? express_.read(drops) : bulk_.read(drops);
    }
    if (packet && *packet) flows_.saw(flow_of((*packet)->bytes), **packet);
    return packet;
}

Result<void> TunLanes::write(ByteView packet, const VirtioHeader& offload, std::size_t count,
                             Counters& counters) {
    const auto kind = flows_.answered(flow_of(packet));
    if (kind == BulkFlows::Kind::small) return express_.write(packet, offload, count, counters);
    if (kind == BulkFlows::Kind::newly_bulk) express_run_ = 0;  // its older packets wait there
    return bulk_.write(packet, offload, count, counters);
}

CallCounters TunLanes::reads() const {
    auto both = express_.reads();
    return both += bulk_.reads();
}

CallCounters TunLanes::writes() const {
    auto both = express_.writes();
    return both += bulk_.writes();
}

}  // namespace causeway::datapath
