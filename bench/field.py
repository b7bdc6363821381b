"""The field that a measurement is played on: two hosts and one cable, in one of three modes.

    client 10.77.0.1 ---- veth, MTU 1500 ---- server 10.77.0.2

    on      a train of segments crosses the cable in one piece, as veth does by default. This
            flatters everybody who sends trains.
    plain   trains are cut into packets of 1500 bytes before the cable and merged again behind
            it (GRO), as two plain network cards would.
    no_gro  cut as well, and nothing is merged: the worst case, where a receiver walks through
            the network stack once for every packet.
"""

import subprocess
import time
from pathlib import Path

from lab.scene import Scene

MODES = ("on", "plain", "no_gro")

# What ethtool is told, and what its list must say afterwards.
FEATURES = {
    "on": {},
    "plain": {"tcp-segmentation-offload": "off", "tx-udp-segmentation": "off",
              "generic-receive-offload": "on"},
    "no_gro": {"tcp-segmentation-offload": "off", "tx-udp-segmentation": "off",
               "generic-receive-offload": "off"},
}
WAIT_FOR_PING = 15.0


class NotMeasurable(Exception):
    """A tunnel that does not come up, or is not what its name says."""


class Field:
    """with Field("plain") as field: field.client, field.server; all of it ends with the block."""

    def __init__(self, mode):
        self.mode = mode
        self.scene = Scene()

    def __enter__(self):
        try:
            self.client, self.server = self.scene.pair()
            # Each end of the cable has the name of the host behind it.
            self._set_features(self.client, "server0")
            self._set_features(self.server, "client0")
        except BaseException:
            self.scene.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.scene.__exit__()

    def _set_features(self, host, interface):
        wanted = FEATURES[self.mode]
        for name, value in wanted.items():
            host.run("ethtool", "-K", interface, name, value)
        listed = dict(line.strip().split(": ", 1)
                      for line in host.run("ethtool", "-k", interface).splitlines() if ": " in line)
        for name, value in wanted.items():
            if listed.get(name, "").split(" ")[0] != value:
                raise NotMeasurable(f"this kernel does not turn {name} {value} on a veth")

    def wait_for_answer(self, address):
        """Until the address answers the client's pings."""
        end = time.monotonic() + WAIT_FOR_PING
        while not self.client.ping(address, count=1, wait=0.2):
            if time.monotonic() > end:
                raise NotMeasurable(f"no answer from {address} within {WAIT_FOR_PING:.0f} s")
            time.sleep(0.05)

    def inner_address_of_client(self, address):
        """The client's own address on the way to the inner address of the server."""
        words = self.client.run("ip", "route", "get", address).split()
        return words[words.index("src") + 1]


def problem(error):
    """What went wrong, in one line."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"{Path(error.cmd[-1]).name} did not end within {error.timeout:.0f} s"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    if isinstance(error, NotMeasurable) or len(lines) == 1:
        return " ".join(lines)[:300]
    # Of a program that ended, its last words are nearest to the reason.
    return f"it said last: {lines[-1][:280]}"
