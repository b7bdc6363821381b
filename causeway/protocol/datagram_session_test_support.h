// What the tests of DatagramSession share: two ends, with a way between them that can be cut.

#pragma once

#include "causeway/protocol/datagram_session.h"

#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace causeway::protocol {

/// "up", "down: silence", "size 1200" … one behind the other.
inline std::string words_of(const DatagramEvent& event) {
    struct Words {
        std::string operator()(const DatagramUp&) const { return "up"; }
        std::string operator()(const DatagramDown& down) const {
            if (down.why == DatagramDown::Why::narrow) return "down: narrow";
            if (down.why == DatagramDown::Why::unanswered) return "down: unanswered";
            if (down.why == DatagramDown::Why::renewed) return "down: renewed";
            return down.why == DatagramDown::Why::silence ? "down: silence" : "down: peer left";
        }
        std::string operator()(const DatagramLost&) const { return "lost"; }
        std::string operator()(const PathMtuChanged& changed) const {
            return "size " + std::to_string(changed.size);
        }
        std::string operator()(const DatagramDisconnect&) const { return "disconnect"; }
    };
    return std::visit(Words{}, event);
}

/// One end: what happened to it, and when it last fell back.
struct DatagramEnd {
    DatagramSession session;
    std::vector<std::string> story{};
    Instant down_at{};
    bool has_data = false;      ///< It sends DATA all the time,
    bool answers_data = false;  ///< or once for each DATA that came.
};

/// Both ends with a way between them that can be cut in each direction, and by size.
struct DatagramPair {
    Instant now = Instant{} + std::chrono::seconds(1000);
    DatagramEnd client;
    DatagramEnd gateway;
    bool up_is_cut = false;
    bool down_is_cut = false;
    std::size_t width = 2000;  ///< Of payloads.
    std::chrono::milliseconds round_trip{10};
    std::size_t answer_size = 1400;  ///< Of packets that answer DATA.
    unsigned loses_every = 0;        ///< One of so many, by chance.
    std::minstd_rand chance{1};

    explicit DatagramPair(bool own = true, std::chrono::seconds dpd = std::chrono::seconds(30),
                          std::chrono::seconds keepalive = std::chrono::seconds(0))
        : client{DatagramSession(Role::client, {dpd, keepalive, own}, {.largest = 1434}, now)},
          gateway{DatagramSession(Role::gateway, {dpd, keepalive, own},
                                  {.largest = 1434, .is_echoed = own}, now)} {}

    struct Flight {
        Instant at;
        bool to_gateway;
        Bytes payload;
    };
    std::vector<Flight> flights{};

    bool is_lost() { return loses_every != 0 && chance() % loses_every == 0; }

    void send(DatagramEnd& from, bool to_gateway) {
        std::vector<Bytes> payloads;
        for (const auto& message : from.session.messages())
            payloads.push_back(copy(message.payload));
        from.session.sent();
        if (from.has_data) {
            if (from.session.carries()) {
                payloads.push_back({std::byte{0}, std::byte{0x45}});
                from.session.data_sent(1400, now);
            } else if (to_gateway) {
                gateway.session.data_by_tunnel(now);
            } else {
                client.session.data_by_tunnel(now);
            }
        }
        for (auto& payload : payloads)
            if (!(to_gateway ? up_is_cut : down_is_cut) && payload.size() <= width && !is_lost())
                flights.push_back({now + round_trip / 2, to_gateway, std::move(payload)});
    }

    void arrive(const Flight& flight) {
        auto& end = flight.to_gateway ? gateway : client;
        if (flight.payload.front() != std::byte{0}) return end.session.feed(flight.payload, now);
        end.session.data_heard(now);
        if (!end.answers_data || !end.session.carries()) return;
        end.session.data_sent(answer_size, now);
        if (!(flight.to_gateway ? down_is_cut : up_is_cut))
            flights.push_back({now + round_trip / 2, !flight.to_gateway, flight.payload});
    }

    void listen(DatagramEnd& end) {
        while (auto event = end.session.next()) {
            end.story.push_back(words_of(*event));
            if (std::holds_alternative<DatagramDown>(*event)) end.down_at = now;
        }
    }

    void pass(std::chrono::milliseconds length) {
        const Instant end = now + length;
        while (now < end) {
            send(client, true);
            send(gateway, false);
            now += std::chrono::milliseconds(5);
            const auto due = std::exchange(flights, {});
            for (const auto& flight : due)
                flight.at <= now ? arrive(flight) : flights.push_back(flight);
            for (auto* one : {&client, &gateway}) {
                if (const auto deadline = one->session.deadline(); deadline && *deadline <= now)
                    one->session.advance(now);
                listen(*one);
            }
        }
    }
};

/// What happened to one end.
using Story = std::vector<std::string>;

}  // namespace causeway::protocol
