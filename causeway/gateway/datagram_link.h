// What a session's TLS connection and its datagram channel know of each other. They may live in
// different threads: the kernel decides which shard a client's datagrams reach.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/clock.h"
#include "causeway/datapath/counters.h"
#include "causeway/gateway/incident_log.h"
#include "causeway/gateway/packet_gate.h"
#include "causeway/gateway/route_table.h"
#include "causeway/gateway/session_table.h"
#include "causeway/gateway/shared_drops.h"
#include "causeway/protocol/datagram_session.h"
#include "causeway/tls/datagram.h"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace causeway::gateway {

/// Numbers of associations, beside those of connections, in a Place.
inline constexpr std::uint64_t association_bit = std::uint64_t{1} << 63;
inline bool is_association(const Place& place) { return (place.connection & association_bit) != 0; }

/// What CONNECT agreed on about datagrams. Constant.
struct DatagramTerms {
    SessionNumber session = 0;
    Party party;
    Place tunnel;  ///< The TLS connection.
    InnerAddresses addresses;
    bool client_to_client = false;

    Bytes name;  ///< X-DTLS-App-ID or X-DTLS-Session-ID: what the client's hello names it by.
    std::variant<tls::PskKey, tls::ResumedKey> key;
    std::vector<std::uint16_t> suites;  ///< For PskKey; empty: all.
    Bytes connection_id;                ///< For a client of ours; else empty.
    protocol::DatagramTimes times;
    std::size_t mtu = 0;  ///< Of the tunnel.
};

/// One for each CONNECT. For any thread.
class DatagramLink {
public:
    explicit DatagramLink(DatagramTerms agreed) : terms(std::move(agreed)), key_(terms.key) {}

    const DatagramTerms terms;

    /// What handshakes are made under: that of the terms, or what TLS has given since.
    std::variant<tls::PskKey, tls::ResumedKey> key() const {
        const std::lock_guard lock(mutex_);
        return key_;
    }
    void set_key(tls::PskKey key) {
        const std::lock_guard lock(mutex_);
        key_ = std::move(key);
    }

    /// The TLS connection is gone, or belongs to the session no longer.
    std::atomic<bool> is_over = false;
    /// DATA for the client goes by datagram.
    std::atomic<bool> carries = false;
    /// Handshakes under way.
    std::atomic<int> handshakes = 0;

    /// Where the channel that carries, or did so last, is.
    std::optional<Place> association() const {
        const std::lock_guard lock(mutex_);
        return association_;
    }
    /// Returns the one before.
    std::optional<Place> set_association(std::optional<Place> place) {
        const std::lock_guard lock(mutex_);
        return std::exchange(association_, place);
    }
    /// Forgets it, if it is still that one.
    void forget_association(Place place) {
        const std::lock_guard lock(mutex_);
        if (association_ == place) association_.reset(), channel_.clear();
    }

    /// "DTLS 1.2, TLS_PSK_WITH_AES_128_GCM_SHA256"; empty when there is none.
    std::string channel() const {
        const std::lock_guard lock(mutex_);
        return channel_;
    }
    void set_channel(std::string name) {
        const std::lock_guard lock(mutex_);
        channel_ = std::move(name);
    }

    // Counted by the association's thread, a train at a time, and read by the connection's.

    void add(const Traffic& traffic, Instant now) {
        packets_in_.fetch_add(traffic.packets_in, std::memory_order_relaxed);
        bytes_in_.fetch_add(traffic.bytes_in, std::memory_order_relaxed);
        packets_out_.fetch_add(traffic.packets_out, std::memory_order_relaxed);
        bytes_out_.fetch_add(traffic.bytes_out, std::memory_order_relaxed);
        used_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    Traffic traffic() const { return {packets_in_, bytes_in_, packets_out_, bytes_out_}; }
    /// When DATA last went by datagram, in either direction; the clock's beginning for never.
    Instant used() const { return Instant(Instant::duration(used_.load())); }

    void add_dropped_from_client(const datapath::Drops& drops) { from_client_.add(drops); }
    void add_dropped_for_client(const datapath::Drops& drops) { for_client_.add(drops); }
    datapath::Drops dropped_from_client() const { return from_client_.sum(); }
    datapath::Drops dropped_for_client() const { return for_client_.sum(); }

private:
    mutable std::mutex mutex_;
    std::variant<tls::PskKey, tls::ResumedKey> key_;
    std::optional<Place> association_;
    std::string channel_;

    std::atomic<std::uint64_t> packets_in_ = 0;
    std::atomic<std::uint64_t> bytes_in_ = 0;
    std::atomic<std::uint64_t> packets_out_ = 0;
    std::atomic<std::uint64_t> bytes_out_ = 0;
    std::atomic<Instant::rep> used_ = 0;
    SharedDrops from_client_;
    SharedDrops for_client_;
};

}  // namespace causeway::gateway
