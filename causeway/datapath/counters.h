// What went through and what did not, and why not. A packet is counted once.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace causeway::datapath {

/// Why a packet was dropped.
enum class Drop : std::uint8_t {
    malformed,       ///< Not an IP packet, or one whose lengths do not fit.
    wrong_source,    ///< Its source address is not the sender's.
    no_destination,  ///< Nobody here has its destination address.
    isolated,        ///< From one client to another, which is not allowed.
    too_large,       ///< Above what the way takes.
    queue_full,      ///< The receiver does not keep up.
    interface_down,  ///< The interface is down.
    refused,         ///< The kernel did not take it for another reason.

    record_too_short,  ///< A datagram with too few bytes for a record.
    record_unknown,    ///< A record of a type, version, epoch or length that is not ours.
    record_forged,     ///< A record whose tag is not the key's.
    record_replayed,   ///< A record whose number was seen before, or is too old to tell.

    no_key,          ///< No record number was left under the key.
    channel_closed,  ///< The channel that it waited in was closed.
};

inline constexpr std::size_t drop_reasons = 14;

/// "malformed", "wrong_source" …: for metrics and `--json`.
std::string_view name(Drop reason);

struct Drops {
    std::array<std::uint64_t, drop_reasons> by_reason{};

    void add(Drop reason, std::uint64_t count = 1) {
        by_reason[std::to_underlying(reason)] += count;
    }
    std::uint64_t count(Drop reason) const { return by_reason[std::to_underlying(reason)]; }
    std::uint64_t total() const;
    Drops& operator+=(const Drops& other);
    bool operator==(const Drops&) const = default;
};

/// One direction of one tunnel.
struct Counters {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;  ///< Of whole IP packets.
    Drops drops;

    void add(std::size_t packet_size) { ++packets, bytes += packet_size; }
    Counters& operator+=(const Counters& other);
    bool operator==(const Counters&) const = default;
};

}  // namespace causeway::datapath
