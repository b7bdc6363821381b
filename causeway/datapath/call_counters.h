// How well the work is batched: packets a system call.

#pragma once

#include <cstddef>
#include <cstdint>

namespace causeway::datapath {

/// How much a system call carried.
struct CallCounters {
    std::uint64_t calls = 0;    ///< System calls that moved something.
    std::uint64_t packets = 0;  ///< IP packets, or datagrams of a UDP socket, in all of them.

    void add(std::size_t count) { ++calls, packets += count; }
    CallCounters& operator+=(const CallCounters& other) {
        calls += other.calls, packets += other.packets;
        return *this;
    }
    bool operator==(const CallCounters&) const = default;
};

}  // namespace causeway::datapath
