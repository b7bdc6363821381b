#include "causeway/gateway/status.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace causeway::gateway {
namespace {

using Json = nlohmann::ordered_json;

/// So many calls without a train are no accident.
constexpr std::uint64_t calls_that_tell = 10'000;

double packets_a_call(const datapath::CallCounters& counters) {
    if (counters.calls == 0) return 0;
    return static_cast<double>(counters.packets * 10 / counters.calls) / 10;
}

Json json_of(const datapath::TunOffloads& offloads) {
    Json list = Json::array();
    if (offloads.checksum) list.push_back("checksum");
    if (offloads.tcp4) list.push_back("tcp4");
    if (offloads.tcp6) list.push_back("tcp6");
    if (offloads.tcp_ecn) list.push_back("tcp_ecn");
    if (offloads.udp) list.push_back("udp");
    return list;
}

Json json_of(const datapath::UdpOffloads& offloads) {
    Json list = Json::array();
    if (offloads.segmentation) list.push_back("segmentation");
    if (offloads.coalescing) list.push_back("coalescing");
    return list;
}

Json json_of(const datapath::Drops& drops) {
    Json json = Json::object();
    for (std::size_t i = 0; i < datapath::drop_reasons; ++i)
        if (drops.by_reason[i] > 0)
            json[std::string(datapath::name(static_cast<datapath::Drop>(i)))] = drops.by_reason[i];
    return json;
}

/// What came and what left, in packets and in datagrams. With the drops the sums come out even:
///     in    datagrams_received + tls_packets_in
///           = tun_packets_written - answers_written + packets_between_clients
///             + control_received + handshakes_received + drops_in
///     out   tun_packets_read + packets_between_clients + answers + control_sent
///           = datagrams_sent + datagrams_waiting + tls_packets_out + answers_written + drops_out
Json counters_of(const Shard::Report& report) {
    const auto& datagrams = report.datagrams;
    return {{"tun_reads", report.tun_reads.calls},
            {"tun_packets_read", report.tun_reads.packets},
            {"tun_writes", report.tun_writes.calls},
            {"tun_packets_written", report.tun_writes.packets},
            {"tls_packets_in", report.through_tls.packets_in},
            {"tls_packets_out", report.through_tls.packets_out},
            {"datagram_packets_in", datagrams.traffic.packets_in},
            {"datagram_packets_out", datagrams.traffic.packets_out},
            {"packets_between_clients", report.between_clients},
            {"answers", report.answers},
            {"answers_written", report.answers_written},
            {"datagrams_received", datagrams.receives.packets},
            {"datagrams_sent", datagrams.sends.packets},
            {"datagrams_waiting", datagrams.waiting},
            {"control_received", datagrams.control_in},
            {"handshakes_received", datagrams.handshakes_in},
            {"control_sent", datagrams.control_out}};
}

Json json_of(const Shard::Report& report) {
    const auto& datagrams = report.datagrams;
    datapath::Drops drops_in = report.drops_in;
    drops_in += datagrams.drops_in;
    datapath::Drops drops_out = report.drops_out;
    drops_out += datagrams.drops_out;
    return {{"connections", report.connections},
            {"sessions", report.sessions.size()},
            {"datagram_channels", datagrams.channels},
            {"tun_offloads", json_of(report.tun_offloads)},
            {"packets_a_read", packets_a_call(report.tun_reads)},
            {"packets_a_write", packets_a_call(report.tun_writes)},
            {"udp_offloads", json_of(datagrams.offloads)},
            {"datagrams_a_send", packets_a_call(datagrams.sends)},
            {"datagrams_a_receive", packets_a_call(datagrams.receives)},
            {"unsent", datagrams.unsent},
            {"overflowed", datagrams.overflowed},
            {"drops_in", json_of(drops_in)},
            {"drops_out", json_of(drops_out)},
            {"counters", counters_of(report)}};
}

Json warnings_of(std::span<const Shard::Report> shards) {
    Json list = Json::array();
    datapath::CallCounters receives;
    for (const auto& shard : shards) receives += shard.datagrams.receives;
    if (receives.calls >= calls_that_tell && packets_a_call(receives) < 1.5)
        list.push_back(
            "datagrams arrive one by one: this machine's network card or driver does not join them "
            "(ethtool -K DEVICE gro on rx-udp-gro-forwarding on), and speed suffers");
    if (!shards.empty() && !shards.front().tun_offloads.tcp4)
        list.push_back("the kernel hands packets to the tunnel one by one, and speed suffers");
    return list;
}

}  // namespace

std::string status_json(std::span<const Shard::Report> shards, datapath::CryptoBackend crypto) {
    Json threads = Json::array();
    for (const auto& shard : shards) threads.push_back(json_of(shard));
    return Json{{"status",
                 {{"crypto", datapath::name(datapath::chosen(crypto))},
                  {"threads", std::move(threads)},
                  {"warnings", warnings_of(shards)}}}}
        .dump();
}

}  // namespace causeway::gateway
