"""The instruments: payload and CPU seconds, round trips, packets a second.

Payload is what the receiving iperf3 counted; GB is 10^9 of its bytes. CPU seconds are user and system
time of the programs of the tunnel on both ends, with their threads and children; of the kernel's
work they contain what it did on their behalf. iperf3 uses cubic whatever the machine's default.
"""

import contextlib
import itertools
import json
import os
import re
import statistics
import time

from field import NotMeasurable
from lab.process import Gone
from lab.scene import BIN

PORT, RATE_PORT = 5301, 5302
TICKS = os.sysconf("SC_CLK_TCK")
LOSS = 0.01         # of the packets may be lost
FIRST_RATE, LAST_RATE = 10_000, 4_000_000
_numbers = itertools.count(1)


def _name(word):
    return f"{word}-{next(_numbers)}"


def _processes():
    """{pid: (parent, ticks)} of all processes, with what their ended children took."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with open(f"/proc/{entry}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
                found[int(entry)] = (int(fields[1]), sum(map(int, fields[11:15])))
    return found


def cpu_seconds(roots):
    """User and system seconds of these processes and all below them."""
    everything = _processes()
    total = 0
    for pid in everything:
        above = pid
        while above in everything and above not in roots:
            above = everything[above][0]
        if above in roots:
            total += everything[pid][1]
    return total / TICKS


def machine_busy_seconds():
    """Seconds that all processors together were not idle since the machine started."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


class Load:
    """CPU seconds of both ends of a tunnel, and of what else ran on the machine, while it lasts."""

    def __init__(self, tunnel):
        self.client = {process.pid for process in tunnel.client}
        self.gateway = {process.pid for process in tunnel.gateway}

    def _now(self):
        return (cpu_seconds(self.client), cpu_seconds(self.gateway), cpu_seconds({os.getpid()}),
                machine_busy_seconds(), time.monotonic())

    def __enter__(self):
        self.before = self._now()
        return self

    def __exit__(self, *_):
        spent = [after - before for after, before in zip(self._now(), self.before)]
        self.client_seconds, self.gateway_seconds, own, busy, elapsed = spent
        self.other = max(0.0, busy - own) / elapsed  # in processors


@contextlib.contextmanager
def _iperf3(field, address, direction, streams, seconds):
    """A run of iperf3; its server lives for this run only."""
    server = field.server.start(["iperf3", "-s", "-1", "-p", PORT, "--forceflush"], _name("iperf3"))
    try:
        server.wait_for("listening")
        way = {"up": [], "down": ["-R"], "both": ["--bidir"]}[direction]
        yield field.client.start(["iperf3", "-c", address, "-p", PORT, "-t", seconds, "-C", "cubic",
                                  "-P", streams, "-J", *way], _name("iperf3"))
    finally:
        server.stop(timeout=1.0)


def throughput(field, tunnel, direction, streams, seconds):
    """One run; up is from the client to the server."""
    with Load(tunnel) as load, _iperf3(field, tunnel.address, direction, streams, seconds) as run:
        run.wait(seconds + 30)
    told = json.loads(run.printed() or "{}")
    if "error" in told or "end" not in told:
        raise NotMeasurable(f"iperf3: {told.get('error') or run.output()[-300:]}")
    end = told["end"]
    arrived = [end["sum_received"]]
    if direction == "both":
        arrived.append(end["sum_received_bidir_reverse"])
    gigabytes = sum(part["bytes"] for part in arrived) / 1e9
    if gigabytes == 0:
        raise NotMeasurable("no payload arrived")
    each = [part["bits_per_second"] / 1e9 for part in arrived]
    sample = {"measure": "throughput", "direction": direction, "streams": streams,
              "gbit_per_s": sum(each), "retransmits": end["sum_sent"].get("retransmits", 0),
              "other_load": load.other}
    if direction == "both":
        sample["gbit_per_s_up"], sample["gbit_per_s_down"] = each
    if tunnel.client:
        sample.update(cpu_s_per_gb=(load.client_seconds + load.gateway_seconds) / gigabytes,
                      cpu_s_per_gb_client=load.client_seconds / gigabytes,
                      cpu_s_per_gb_gateway=load.gateway_seconds / gigabytes)
    return sample


def round_trips(field, tunnel, loaded, count):
    """Pings every 10 ms; loaded: while one stream goes up as fast as it can."""
    seconds = int(count * 0.01) + 30
    with contextlib.ExitStack() as held:
        if loaded:
            run = held.enter_context(_iperf3(field, tunnel.address, "up", 1, seconds))
            held.callback(run.stop, timeout=1.0)
            time.sleep(0.7)  # until the stream is at its speed
            if not run.running():
                raise NotMeasurable("iperf3 ended before the pings")
        else:
            field.client.ping(tunnel.address, count=20, interval=0.01)
        out = field.client.run("ping", "-n", "-i", "0.01", "-c", count, "-W", 1, tunnel.address,
                               check=False, timeout=seconds)
    times = sorted(float(ms) for ms in re.findall(r"time=([\d.]+) ms", out))
    if len(times) < count / 2:
        raise NotMeasurable(f"{len(times)} of {count} pings were answered")
    return {"measure": "round_trip", "loaded": loaded, "rtt_ms_p50": statistics.median(times),
            "rtt_ms_p99": times[min(len(times) - 1, int(len(times) * 0.99))],
            "lost": count - len(times)}


class PacketRates:
    """The highest rate of small packets of which less than 1 % are lost, found by a search."""

    def __init__(self, field, tunnel, direction, milliseconds):
        self.milliseconds = milliseconds
        self.direction = direction
        if direction == "up":
            self.source, target, self.address = field.client, field.server, tunnel.address
        else:
            self.source, target = field.server, field.client
            self.address = field.inner_address_of_client(tunnel.address)
        self.receiver = target.start([BIN / "packet_rate", "receive", RATE_PORT],
                                     _name("packet_rate"))
        self.receiver.wait_for("ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.receiver.stop()

    def _try(self, size, rate):
        """(arrived a second, whether that many may be counted, whether the source was the limit)"""
        words = ("send", f"{self.address}:{RATE_PORT}", size, int(rate), self.milliseconds)
        try:
            told = json.loads(self.source.run(BIN / "packet_rate", *words))
        except RuntimeError:
            return 0.0, False, False  # flooded so that not even the question for the count arrived
        arrived, sent = told["received"], told["sent"]
        return (arrived / told["seconds"], arrived > (1 - LOSS) * sent,
                sent < 0.9 * rate * told["seconds"])

    def _holds(self, size, rate):
        """As _try, with a second chance: one late wake-up is not yet the limit."""
        first = self._try(size, rate)
        return first if first[1] else self._try(size, rate)

    def search(self, size, steps):
        """Doubles the rate until packets are lost, then halves the gap so many times."""
        best, low, high, rate = 0.0, FIRST_RATE / 8, None, FIRST_RATE
        # Two rates in a row must lose: a moment's disturbance at a low one does not end the search.
        while rate <= LAST_RATE and (high is None or rate <= 2 * high):
            arrived, good, exhausted = self._holds(size, rate)
            if good:
                best, low, high = max(best, arrived), rate, None
            elif high is None:
                high = rate
            if exhausted:
                high = rate if high is None else high
                break
            rate *= 2
        for _ in range(steps if high else 0):
            rate = (low * high) ** 0.5
            arrived, good, _ = self._holds(size, rate)
            best = max(best, arrived) if good else best
            low, high = (rate, high) if good else (low, rate)
        return {"measure": "packet_rate", "direction": self.direction, "size": size, "pps": best}


FAILURES = (NotMeasurable, Gone, RuntimeError, OSError, json.JSONDecodeError)
