"""The ratios by which the speed is judged, each from the samples of the same interleaved rounds.

A ratio that speaks of a direction is computed for each direction, and the worse one counts. Its
value is the median of the rounds' ratios; its spread is the lowest and the highest of them.
"""

import statistics
from dataclasses import dataclass

from plan import RIVALS

DIRECTIONS = ("up", "down")


class Samples:
    """What was measured, to be asked round by round."""

    def __init__(self, samples):
        self.samples = samples
        self.rounds = sorted({sample["round"] for sample in samples})

    def of(self, key, field, mode="on", **where):
        """{round: value}; nothing where it was not measured."""
        return {sample["round"]: sample[field] for sample in self.samples
                if sample["key"] == key and sample["offload"] == mode and field in sample
                and all(sample.get(name) == value for name, value in where.items())}

    def best(self, keys, choose, field, **where):
        """The values of the peer whose median is the best."""
        found = [values for key in keys if (values := self.of(key, field, **where))]
        return choose(found, key=lambda values: statistics.median(values.values()), default={})


def divided(above, below):
    """The ratios of the rounds in which both were measured."""
    return [above[number] / below[number] for number in above
            if below.get(number) and above[number] is not None]


def gbit(samples, key, direction, mode="on", streams=1):
    return samples.of(key, "gbit_per_s", mode, measure="throughput", direction=direction,
                      streams=streams)


def cpu(samples, key, direction, mode="on", end=""):
    return samples.of(key, f"cpu_s_per_gb{end}", mode, measure="throughput", direction=direction,
                      streams=1)


def faster_than(rival, mode="on"):
    return lambda s: [divided(gbit(s, "causeway", d, mode), gbit(s, rival, d, mode))
                      for d in DIRECTIONS]


def cheaper_than(rival, mode="on", ours="causeway"):
    return lambda s: [divided(cpu(s, rival, d, mode), cpu(s, ours, d, mode)) for d in DIRECTIONS]


def streams(count):
    return lambda s: [divided(gbit(s, "causeway", d, streams=count), gbit(s, "causeway", d))
                      for d in DIRECTIONS]


def crypto_cost(s):
    return [divided(cpu(s, "causeway", d), cpu(s, "causeway-copy", d)) for d in DIRECTIONS]


def small_packets(s):
    asked = [{"measure": "packet_rate", "size": 64, "direction": d} for d in DIRECTIONS]
    found = [divided(s.of("causeway", "pps", **one), s.best(RIVALS, max, "pps", **one))
             for one in asked]
    return [ratios for ratios in found if ratios] or [[]]  # a quick run has one direction


def round_trip(loaded):
    asked = {"measure": "round_trip", "loaded": loaded}
    return lambda s: [divided(s.of("causeway", "rtt_ms_p50", **asked),
                              s.best(RIVALS, min, "rtt_ms_p50", **asked))]


def foreign(pair, direction):
    return lambda s: [divided(gbit(s, pair, direction), gbit(s, "ocserv-dtls", direction))]


def foreign_own_end(s):
    return [divided(cpu(s, pair, d, end=end), cpu(s, "ocserv-dtls", d, end=end))
            for pair, end in (("causeway-ocserv", "_client"), ("openconnect-causeway", "_gateway"))
            for d in DIRECTIONS]


@dataclass(frozen=True)
class Ratio:
    name: str
    what: str
    must: float
    goal: float
    cases: object               # Samples -> the ratios of the rounds, for each direction
    at_most: bool = False


RATIOS = (
    Ratio("ocserv_dtls_throughput", "one stream, against openconnect+ocserv DTLS", 6.5, 9,
          faster_than("ocserv-dtls")),
    Ratio("ocserv_dtls_cpu", "their CPU / ours", 8, 11, cheaper_than("ocserv-dtls")),
    Ratio("ocserv_dtls_throughput_plain", "the same, segments cut", 5, 7,
          faster_than("ocserv-dtls", "plain")),
    Ratio("ocserv_dtls_cpu_plain", "the same, segments cut", 5.5, 8,
          cheaper_than("ocserv-dtls", "plain")),
    Ratio("openvpn_throughput", "one stream, against OpenVPN", 8, 11, faster_than("openvpn")),
    Ratio("openvpn_cpu", "their CPU / ours", 10, 14, cheaper_than("openvpn")),
    Ratio("wireguard_go_throughput", "one stream, against wireguard-go", 10, 14,
          faster_than("wireguard-go")),
    Ratio("wireguard_go_cpu", "their CPU / ours", 12, 18, cheaper_than("wireguard-go")),
    Ratio("evp_cpu", "ocserv DTLS CPU / ours without ipsec-mb", 5, 6.5,
          cheaper_than("ocserv-dtls", ours="causeway-evp")),
    Ratio("crypto_cost", "our CPU / ours with a copy for a cipher", 1.35, 1.2, crypto_cost, True),
    Ratio("four_streams", "our 4 streams / our one", 0.8, 1, streams(4)),
    Ratio("sixteen_streams", "our 16 streams / our one", 0.75, 1, streams(16)),
    Ratio("small_packets", "64-byte packets a second / the best peer's", 1.2, 2, small_packets),
    Ratio("idle_rtt", "our round trip / the best peer's, idle", 1.3, 0.8, round_trip(False), True),
    Ratio("loaded_rtt", "the same under one bulk stream", 1, 0.5, round_trip(True), True),
    Ratio("tls_only_cpu", "ocserv TLS CPU / ours without datagrams", 4, 6,
          cheaper_than("ocserv-tls", ours="causeway-tls")),
    Ratio("foreign_gateway", "our client with ocserv / the stock pair, up", 1.2, 1.3,
          foreign("causeway-ocserv", "up")),
    Ratio("foreign_client", "openconnect with our gateway / the stock pair, down", 1.2, 1.3,
          foreign("openconnect-causeway", "down")),
    Ratio("foreign_own_end", "CPU of our end / of the stock program in its place", 0.4, 0.25,
          foreign_own_end, True),
    Ratio("no_gro_cpu", "nothing merged anywhere: ocserv DTLS CPU / ours", 1.7, 2.2,
          cheaper_than("ocserv-dtls", "no_gro")),
)


def judged(samples):
    """[{name, what, value, lowest, highest, must, goal, at_most}], value None if not measured."""
    asked, found = Samples(samples), []
    for ratio in RATIOS:
        cases = ratio.cases(asked)
        worst = max if ratio.at_most else min
        # A direction that is missing could have been the worse one: then there is no value.
        value = worst(cases, key=statistics.median) if all(cases) else None
        found.append({
            "name": ratio.name, "what": ratio.what, "must": ratio.must, "goal": ratio.goal,
            "at_most": ratio.at_most,
            "value": statistics.median(value) if value else None,
            "lowest": min(value) if value else None, "highest": max(value) if value else None})
    return found


def verdict(ratio):
    """Where a ratio stands: "goal", "must", "below", or "-" when it was not measured."""
    if ratio["value"] is None:
        return "-"
    sign = -1 if ratio["at_most"] else 1
    for name in ("goal", "must"):
        if sign * ratio["value"] >= sign * ratio[name]:
            return name
    return "below"
