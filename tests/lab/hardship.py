"""Hardship for a tunnel: under full load both ways datagrams are cut, and the cable changes.

    load = Load(host, server, inner, own)     # "up" to inner, "down" to own; beside each a beat
    hardship = Hardship(load, [program, ...])
    hardship.inflict(seconds=600, cuts=30)
    hardship.judge(longest_silence=2.0)

A flow is TCP: its silences contain the pauses of the sender, who tries again after 0.2, 0.4, 0.8,
1.6 s. A beat is a small datagram every few milliseconds: its silence is the tunnel's alone.
"""

import re
import time
from pathlib import Path

from .cases import expect
from .traffic import Beat, Flow

BLOCK = ("table inet block {{ chain in {{ type filter hook input priority -300; {rule} drop; }}; "
         "}}\n")
TO_GATEWAY, TO_CLIENT = "udp dport 443", "udp sport 443"
MEMORY_LIMIT = 8192  # kB that a program may grow by


def block(host, rule):
    """The network drops what the rule names, on its way to the host."""
    host.nft(BLOCK.format(rule=rule))


def unblock(host):
    host.run("nft", "delete", "table", "inet", "block")


def resident(process):
    """Kilobytes of memory that the program and those it started hold."""
    total = 0
    for pid in [process.pid, *children(process.pid)]:
        status = Path(f"/proc/{pid}/status").read_text()
        total += int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
    return total


def children(pid):
    found = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [below for one in found for below in children(one)]


class Load:
    """As much as goes in both directions, and a beat beside each."""

    def __init__(self, host, server, inner, own, port=5011):
        self.host, self.server = host, server
        ways = {"up": (host, server, inner, port), "down": (server, host, own, port + 1)}
        self.flows = {name: Flow(*way) for name, way in ways.items()}
        self.beats = {name: Beat(*way) for name, way in ways.items()}

    def stop(self):
        for part in (*self.flows.values(), *self.beats.values()):
            part.stop()
        return self

    def judge(self, longest_silence, least_bytes=20_000_000, of_flows=None):
        """After `stop`: no wrong byte, and none of them silent for so many seconds."""
        for name, flow in self.flows.items():
            beat = self.beats[name]
            print(f"       {name}: {flow.received / 1e6:.0f} MB, longest silence "
                  f"{flow.longest_silence:.2f} s; {beat.lost} of {beat.sent} beats lost, longest "
                  f"silence {beat.longest_silence:.2f} s", flush=True)
        for name, flow in self.flows.items():
            expect(not flow.fault, f"{name}: {flow.fault}")
            expect(flow.received > least_bytes, f"{name}: only {flow.received} bytes")
            silences = ((flow, of_flows or longest_silence), (self.beats[name], longest_silence))
            for one, limit in silences:
                expect(one.longest_silence < limit,
                       f"{name}: {one.longest_silence:.2f} s without a byte of the "
                       f"{type(one).__name__.lower()}")


class Hardship:
    """programs: those whose memory must stay as it is. narrow: what the cable takes at times."""

    def __init__(self, load, programs, narrow=1380):
        self.load, self.programs, self.narrow = load, programs, narrow
        self.memory = {}

    def inflict(self, seconds, cuts, cut_for=1.5):
        """Cuts the way of the datagrams so often, in one direction, the other, both; after each cut
        the cable takes smaller packets, or usual ones again."""
        to_gateway = (self.load.server, TO_GATEWAY)
        to_client = (self.load.host, TO_CLIENT)
        ways = ([to_gateway], [to_client], [to_gateway, to_client])
        time.sleep(3)
        began = time.monotonic()
        for turn in range(cuts):
            self._cut(ways[turn % len(ways)], cut_for)
            self._set_mtu(1500 if turn % 2 else self.narrow)
            time.sleep(max(0.0, began + seconds * (turn + 1) / cuts - time.monotonic()))
            if turn == cuts // 3:
                self.memory = {program: resident(program) for program in self.programs}
        self.load.stop()

    @staticmethod
    def _cut(way, seconds):
        for host, rule in way:
            block(host, rule)
        time.sleep(seconds)
        for host, _ in way:
            unblock(host)

    def _set_mtu(self, mtu):
        """The cable takes packets of that size from now on."""
        for host, interface in ((self.load.host, "server0"), (self.load.server, "client0")):
            host.run("ip", "link", "set", interface, "mtu", mtu)

    def judge(self, longest_silence, **limits):
        self.load.judge(longest_silence, **limits)
        for program, before in self.memory.items():
            now = resident(program)
            print(f"       memory: {before} kB, then {now} kB", flush=True)
            expect(now < before + MEMORY_LIMIT, f"{before} kB became {now} kB")
