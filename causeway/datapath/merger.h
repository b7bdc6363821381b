// Packets of one flow, as they come out of the records, put together into one super-packet for one
// write to the TUN.
//
//     run so far        | IP TCP | payload 0 | payload 1 |
//     room()                                 ^^ | type | IP TCP | payload 2 |
//                                  the next packet is opened here, so that its
//                                  payload lands directly behind payload 1
//
// The few bytes that its header overwrites are saved and put back. What cannot be merged passes
// byte for byte unchanged and in order: there is one run at a time.

#pragma once

#include "causeway/datapath/limits.h"
#include "causeway/datapath/super_packet.h"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace causeway::datapath {

/// What may be merged: what the TUN takes (TunOffloads).
struct MergeKinds {
    bool tcp = true;
    bool udp = true;
};

/// Merges as strictly as the kernel's GRO, and a little more: what it makes, cut again by any
/// Splitter, gives the same bytes. Two packets become one run only when
///   - both are TCP, or both UDP, without IPv4 options, fragments or IPv6 extension headers,
///     and their lengths say exactly what came;
///   - addresses, ports, TOS, TTL and flow label are the same, and IPv4's identification goes on
///     by one;
///   - TCP: the sequence number goes on, the acknowledgement, window, flags and options are the
///     same; FIN or PSH ends the run, SYN, RST, URG and CWR are never merged;
///   - the payload is not empty and as long as the first one's; a shorter one ends the run;
///   - all checksums are right. (So a run can claim them, and a wrong one is still seen.)
class Merger {
public:
    /// `sink` outlives the merger.
    explicit Merger(SuperPacketSink& sink, MergeKinds kinds = {});

    /// Where the next payload goes: a type byte and a packet of up to `payload_limit` bytes.
    /// Must be followed by `merge` or `put_back` before anything else is called.
    std::span<std::byte> room();
    /// The first `size` bytes of `room` are a type byte, which is not looked at, and an IP packet.
    void merge(std::size_t size);
    /// What is in `room` is no packet.
    void put_back();

    /// The same for a packet that lies elsewhere; it is copied. At most `payload_limit` bytes.
    void add(ByteView packet);

    /// Hands the run to the sink: at the end of a batch.
    void flush();

    /// Bytes of `room`: a type byte and the largest packet a tunnel carries.
    static constexpr std::size_t payload_limit = 1 + 16'384;

private:
    struct Run {
        std::size_t begin = 0;  ///< In the buffer.
        std::size_t end = 0;
        std::size_t count = 0;         ///< Of packets; 0 when there is no run.
        std::size_t header_size = 0;   ///< Of IP and transport.
        std::size_t transport = 0;     ///< Where the transport header begins.
        std::size_t segment_size = 0;  ///< Payload of the first packet.
        bool is_tcp = false;           ///< Or else UDP.
        bool is_verified = false;      ///< The checksum of its first packet is right.
    };

    bool continues(ByteView packet) const;
    bool ends_run(ByteView packet) const;
    bool first_is_verified();
    void begin(std::span<std::byte> packet);
    std::optional<Run> run_of(ByteView packet) const;
    VirtioHeader write_headers(std::span<std::byte> run) const;

    SuperPacketSink* sink_;
    MergeKinds kinds_;
    std::vector<std::byte> buffer_;
    Run run_;
    std::size_t room_ = 0;
    // IPv6 and TCP with options have 100 bytes at most.
    std::array<std::byte, 100> header_{};  ///< Of the run's first packet, which may be overlaid.
    std::array<std::byte, 101> saved_{};   ///< What lay in `room` where the next header goes.
};

}  // namespace causeway::datapath
