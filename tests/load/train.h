// What the datagrams of the traffic test carry in the tunnel: which one they are of which train.
//
//     driver (in a session)                            load_peer (behind the gateway)
//        upload     data 0, data 1, ... data n-1  --->  counts
//                                                 <---  receipt: so many of them arrived
//        download   ask                           --->
//        counts                                   <---  data 0, data 1, ... data n-1
//
// Both ends are on one machine: host byte order.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/datapath/limits.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace causeway::load {

/// Bytes of an IPv4 header without options, and of a UDP header.
inline constexpr std::size_t inner_headers = 20 + 8;
/// Most datagrams of a train: so that it is one super-packet and one train on the outside as well.
inline constexpr std::size_t train_count_limit = 44;
static_assert(train_count_limit <= datapath::train_segment_limit);
/// Largest datagram of a train; the smallest holds a head.
inline constexpr std::size_t train_payload_limit = 1444;

enum class TrainKind : std::uint16_t { data, ask, receipt };

/// What every datagram begins with.
struct TrainHead {
    std::uint32_t mark = mark_of_all;
    TrainKind kind = TrainKind::data;
    std::uint16_t size = 0;    ///< Bytes of each datagram of the train, this head among them.
    std::uint32_t loop = 0;    ///< The driver's number for who waits for the train.
    std::uint32_t number = 0;  ///< Of the train in its loop.
    std::uint16_t count = 0;   ///< Datagrams of the train.
    std::uint16_t index = 0;   ///< Data: which of them; receipt: how many arrived.

    static constexpr std::uint32_t mark_of_all = 0x4357'4c54;  // "CWLT"
};

/// Nothing for a datagram that is none of ours.
inline std::optional<TrainHead> read_head(ByteView datagram) {
    TrainHead head;
    if (datagram.size() < sizeof head) return std::nullopt;
    std::memcpy(&head, datagram.data(), sizeof head);
    if (head.mark != TrainHead::mark_of_all || head.count == 0 || head.count > train_count_limit ||
        head.size < sizeof head || head.size > train_payload_limit)
        return std::nullopt;
    return head;
}

inline void write_head(const TrainHead& head, std::span<std::byte> datagram) {
    std::memcpy(datagram.data(), &head, sizeof head);
}

}  // namespace causeway::load
