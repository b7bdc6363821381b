#include "causeway/provider/count.h"

#include <string>

namespace causeway::provider {
namespace {

class Writer {
public:
    explicit Writer(Counted& to) : to_(to) {}

    void value(std::string name, std::uint64_t value) {
        to_.values.emplace_back(std::move(name), value);
    }
    void counters(const std::string& name, const datapath::Counters& counters) {
        value(name + "_packets", counters.packets);
        value(name + "_bytes", counters.bytes);
    }
    /// Only reasons that were met.
    void drops(const std::string& name, const datapath::Drops& drops) {
        for (std::size_t i = 0; i < datapath::drop_reasons; ++i) {
            const auto reason = static_cast<datapath::Drop>(i);
            if (drops.count(reason) != 0)
                value(name + "_dropped_" + std::string(datapath::name(reason)),
                      drops.count(reason));
        }
    }
    void calls(const std::string& name, const datapath::CallCounters& calls) {
        value(name + "_calls", calls.calls);
        value(name + "_packets", calls.packets);
    }
    void offload(const char* name, bool on) {
        if (on) to_.offloads.emplace_back(name);
    }

private:
    Counted& to_;
};

}  // namespace

Counted counted(const TunnelTotals& totals, const datapath::TunLanes& tun) {
    Counted counted;
    Writer to(counted);
    const auto& datagrams = totals.datagrams;
    to.counters("sent", totals.sent);
    to.counters("received", totals.received);
    to.value("sent_as_datagrams", totals.sent_as_datagrams);
    to.value("received_as_datagrams", totals.received_as_datagrams);
    auto sent_drops = totals.sent.drops;
    sent_drops += datagrams.drops_out;
    auto received_drops = totals.received.drops;
    received_drops += datagrams.drops_in;
    to.drops("sent", sent_drops);
    if (totals.looped != 0) to.value("sent_dropped_looped", totals.looped);
    to.drops("received", received_drops);
    to.value("received_through_tls", totals.received_through_tls);
    to.value("received_dropped_by_socket", datagrams.overflowed);
    to.value("control_received", datagrams.control_in);
    to.value("handshakes_received", datagrams.handshakes_in);
    to.value("control_sent", datagrams.control_out);
    to.value("questions_sent", datagrams.questions);
    to.value("answers_written", totals.answers);
    to.value("repeated_packets", totals.repeated);
    to.calls("tun_read", tun.reads());
    to.calls("tun_write", tun.writes());
    to.calls("udp_send", datagrams.sends);
    to.calls("udp_receive", datagrams.receives);

    const auto& offloads = tun.offloads();
    to.offload("tun_checksum", offloads.checksum);
    to.offload("tun_tcp4", offloads.tcp4);
    to.offload("tun_tcp6", offloads.tcp6);
    to.offload("tun_tcp_ecn", offloads.tcp_ecn);
    to.offload("tun_udp", offloads.udp);
    if (datagrams.offloads) {
        to.offload("udp_segmentation", datagrams.offloads->segmentation);
        to.offload("udp_coalescing", datagrams.offloads->coalescing);
    }
    return counted;
}

}  // namespace causeway::provider
