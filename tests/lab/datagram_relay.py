"""A network that harms datagrams, and says of how many: tests/netns/datagram_relay_tool.cpp.

    client 10.77.0.1 ---- 10.77.0.2 relay 10.77.1.1 ---- 10.77.1.2 server

The client knows the server by the relay's address. UDP goes through the tool, which harms it; TCP is
handed on by the kernel as it is.
"""

import json
import subprocess

from .cases import eventually
from .host import link
from .scene import BIN

CLIENT_SIDE, SERVER_SIDE, SERVER = "10.77.0.2", "10.77.1.1", "10.77.1.2"
# Another address that the relay may have towards the server.
ELSEWHERE = "10.77.1.9"
TCP = f"""
table ip relay {{
  chain in {{ type filter hook prerouting priority -300;
    iifname "client0" tcp dport 443 ip daddr set {SERVER}; }}
  chain out {{ type filter hook postrouting priority 300;
    oifname "client0" tcp sport 443 ip saddr set {CLIENT_SIDE}; }}
}}
"""


class DatagramRelay:
    """Makes the hosts .client, .host (its own) and .server, with itself between them."""

    def __init__(self, scene, seed=1):
        self.client, self.host, self.server = map(scene.host, ("client", "relay", "server"))
        link(self.client, self.host)
        link(self.host, self.server, 1)
        self.host.run("ip", "addr", "add", f"{ELSEWHERE}/24", "dev", "server1")
        self.host.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.server.run("ip", "route", "add", "10.77.0.0/24", "via", SERVER_SIDE)
        self.client.knows(CLIENT_SIDE, "vpn.test")
        self.host.nft(TCP)
        command = [BIN / "datagram_relay_tool", f"{CLIENT_SIDE}:443", f"{SERVER}:443", SERVER_SIDE,
                   seed]
        self.process = self.host.start(command, "datagram_relay", stdin=subprocess.PIPE)
        self.answers = 0
        self._answer()

    def _answer(self):
        """What it has said since the last answer."""
        self.answers += 1
        lines = eventually(lambda: (self.process.printed().split("\n")[:-1] + [""] * self.answers)
                           if self.process.printed().count("\n") >= self.answers else None,
                           lambda: f"the relay says nothing: {self.process.output()}", pause=0.01)
        return json.loads(lines[self.answers - 1])

    def _ask(self, command):
        self.process.child.stdin.write(f"{command}\n".encode())
        self.process.child.stdin.flush()
        answer = self._answer()
        if isinstance(answer, str) and answer != "done":
            raise RuntimeError(f"{command}: {answer}")
        return answer

    def harm(self, direction="both", **harms):
        """From now on; what is not named is done no more. See the tool for the words."""
        self._ask(" ".join([direction] + [f"{name}={value}" for name, value in harms.items()]))

    def move(self, address=SERVER_SIDE):
        """The client has another port towards the server from now on, and maybe address."""
        self._ask(f"move {address}")

    def counts(self):
        """{"up": {"received": 10, "lost": 1, ...}, "down": {...}}"""
        return self._ask("count")
