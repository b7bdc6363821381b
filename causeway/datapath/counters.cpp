#include "causeway/datapath/counters.h"

#include <numeric>

namespace causeway::datapath {

std::string_view name(Drop reason) {
    switch (reason) {
        case Drop::malformed: return "malformed";
        case Drop::wrong_source: return "wrong_source";
        case Drop::no_destination: return "no_destination";
        case Drop::isolated: return "isolated";
        case Drop::too_large: return "too_large";
        case Drop::queue_full: return "queue_full";
        case Drop::interface_down: return "interface_down";
        case Drop::refused: return "refused";
        case Drop::record_too_short: return "record_too_short";
        case Drop::record_unknown: return "record_unknown";
        case Drop::record_forged: return "record_forged";
        case Drop::record_replayed: return "record_replayed";
        case Drop::no_key: return "no_key";
        case Drop::channel_closed: return "channel_closed";
    }
    std::unreachable();
}

std::uint64_t Drops::total() const {
    return std::accumulate(by_reason.begin(), by_reason.end(), std::uint64_t{0});
}

Drops& Drops::operator+=(const Drops& other) {
    for (std::size_t i = 0; i < drop_reasons; ++i) by_reason[i] += other.by_reason[i];
    return *this;
}

Counters& Counters::operator+=(const Counters& other) {
    packets += other.packets;
    bytes += other.bytes;
    drops += other.drops;
    return *this;
}

}  // namespace causeway::datapath
