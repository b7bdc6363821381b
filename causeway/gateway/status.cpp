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

Json json_of(const Shard::Report& report) {
    const auto& datagrams = report.datagrams;
    datapath::Drops drops = report.drops;
    drops += datagrams.drops;
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
            {"drops", json_of(drops)}};
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
