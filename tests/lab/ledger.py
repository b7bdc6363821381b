"""What went into a tunnel and what came out of it, with every loss in between: sums that come out even.

    client's TUN -> causeway -> relay -> causeway-gateway -> server's TUN, and back

Units are what each part counts: the kernel what it hands over at once (a super-packet is one), the
programs packets and datagrams. The parts are joined where both sides of a boundary count alike.
"""

import json
import time

from .cases import eventually, expect
from .datagrams import counters

# How a client's counter and a gateway's begin that say why something was dropped.
SENT_DROPPED, RECEIVED_DROPPED = "sent_dropped_", "received_dropped_"


def interface(host, name):
    """The kernel's counters of an interface."""
    (only,) = json.loads(host.run("ip", "-s", "-j", "link", "show", "dev", name))
    return only["stats64"]


def unreachable_ports(host):
    """Datagrams that came for a UDP port that nobody had open, and broken ones."""
    names, values = [line.split()[1:] for line in
                     host.run("cat", "/proc/self/net/snmp").splitlines()
                     if line.startswith("Udp:")]
    found = dict(zip(names, map(int, values)))
    return found["NoPorts"] + found["InCsumErrors"]


def wait_gone(gateway):
    """Until it has forgotten its last session."""
    eventually(lambda: not gateway.control("sessions")["sessions"] and
               not any(thread["datagram_channels"]
                       for thread in gateway.control("status")["status"]["threads"]),
               "the gateway does not forget the session")


def by_reason(counted, prefix):
    return {name.removeprefix(prefix): value for name, value in counted.items()
            if name.startswith(prefix) and name != "received_dropped_by_socket"}


def gateway_totals(gateway):
    """The gateway's counters, all threads together."""
    total = {"overflowed": 0, "drops_in": {}, "drops_out": {}}
    for thread in gateway.control("status")["status"]["threads"]:
        total["overflowed"] += thread["overflowed"]
        for name, value in thread["counters"].items():
            total[name] = total.get(name, 0) + value
        for way in ("drops_in", "drops_out"):
            for reason, count in thread[way].items():
                total[way][reason] = total[way].get(reason, 0) + count
    return total


# What is summed up are tuples (what, one side, the other side), of which both sides must be equal.

def client_sums(client):
    """Of a client's last counters."""
    yield ("the client's TUN to its sockets",
           client["tun_read_packets"] + client["repeated_packets"] + client["control_sent"],
           client["udp_send_packets"] + client["sent_packets"] - client["sent_as_datagrams"] +
           sum(by_reason(client, SENT_DROPPED).values()))
    yield ("the client's sockets to its TUN",
           client["udp_receive_packets"] + client["received_through_tls"],
           client["received_packets"] + client["control_received"] +
           client["handshakes_received"] + sum(by_reason(client, RECEIVED_DROPPED).values()))
    yield ("the client's packets and its TUN's", client["tun_write_packets"],
           client["received_packets"] + client["answers_written"])


def gateway_sums(gate):
    """Of `gateway_totals`, while nothing is between two of its threads."""
    yield ("the gateway's sockets to its TUN", gate["datagrams_received"] + gate["tls_packets_in"],
           gate["tun_packets_written"] - gate["answers_written"] +
           gate["packets_between_clients"] + gate["control_received"] +
           gate["handshakes_received"] + sum(gate["drops_in"].values()))
    yield ("the gateway's TUN to its sockets",
           gate["tun_packets_read"] + gate["packets_between_clients"] + gate["answers"] +
           gate["control_sent"],
           gate["datagrams_sent"] + gate["datagrams_waiting"] + gate["tls_packets_out"] +
           gate["answers_written"] + sum(gate["drops_out"].values()))


def tls_sums(client, gate):
    """Through TLS nothing is lost while the connection lives."""
    yield ("packets up through TLS", client["sent_packets"] - client["sent_as_datagrams"],
           gate["tls_packets_in"])
    yield "packets down through TLS", gate["tls_packets_out"], client["received_through_tls"]


def expect_even(sums, story=""):
    wrong = [f"{what}: {left} is not {right}" for what, left, right in sums if left != right]
    expect(not wrong, lambda: "\n".join([*wrong, str(story)]))


class Ledger:
    """Opened before the client starts; `close` ends the client and does the sums."""

    def __init__(self, relay, gateway, tun="acct0"):
        self.relay, self.gateway = relay, gateway
        self.ends = {"client": (relay.client, tun),
                     "gateway": (relay.server, gateway.sections[""]["interface"])}
        for host, name in self.ends.values():
            host.nft("table inet ledger { counter entered { }\n chain out { type filter hook "
                     f"postrouting priority 350; oifname {name} counter name entered; }}; }}\n")

    def _entered(self, end):
        """What the kernel had for the TUN, counted before the TUN."""
        host, _ = self.ends[end]
        said = json.loads(host.run("nft", "-j", "list", "counter", "inet", "ledger", "entered"))
        return next(one["counter"]["packets"] for one in said["nftables"] if "counter" in one)

    def _moved(self):
        return [interface(*end)[way]["packets"] for end in self.ends.values()
                for way in ("rx", "tx")]

    def refused_by_tuns(self):
        """Packets that a TUN's queue had no room for."""
        return sum(interface(*end)["tx"]["dropped"] for end in self.ends.values())

    def wait_quiet(self, quiet=0.5, timeout=20.0):
        """Until nothing moves in the tunnel, and nothing is held on the way."""
        end, last, since = time.monotonic() + timeout, None, 0.0
        while True:
            now = self._moved()
            if now != last:
                last, since = now, time.monotonic()
            held = sum(count["held"] for count in self.relay.counts().values())
            if held == 0 and time.monotonic() - since > quiet:
                return
            expect(time.monotonic() < end, "the tunnel does not come to rest")
            time.sleep(0.05)

    def close(self, client):
        """Waits for quiet, ends the client, and holds all counters against each other."""
        self.wait_quiet()
        self.tun = {end: interface(*place) for end, place in self.ends.items()}
        self.entered = {end: self._entered(end) for end in self.ends}
        report = client.stop()
        expect(report.status == 0, lambda: f"the client's end: {report}")
        self.client = counters(report)
        wait_gone(self.gateway)
        self.counts = self.relay.counts()
        self.gate = gateway_totals(self.gateway)
        expect_even(self.sums(), self)
        return self

    def losses(self, direction):
        """Every loss of a direction, in packets and datagrams, by where and why. What the relay
        doubled is a gain."""
        relay, client, gate = self.counts[direction], self.client, self.gate
        found = {f"relay {name}": relay[name]
                 for name in ("lost", "too_large", "stale", "refused", "held", "overflowed")}
        found["relay doubled"] = -relay["doubled"]
        if direction == "up":
            found["gateway's socket"] = gate["overflowed"]
            ends = {"client": by_reason(client, SENT_DROPPED), "gateway": gate["drops_in"]}
        else:
            found["client's socket"] = client["received_dropped_by_socket"]
            found["client's closed ports"] = unreachable_ports(self.relay.client)
            ends = {"gateway": gate["drops_out"], "client": by_reason(client, RECEIVED_DROPPED)}
        for end, drops in ends.items():
            found.update({f"{end} {reason}": count for reason, count in drops.items()})
        return {where: count for where, count in found.items() if count}

    def sums(self):
        client, gate = self.client, self.gate
        for end, reads in (("client", client["tun_read_calls"]), ("gateway", gate["tun_reads"])):
            sent = self.tun[end]["tx"]
            yield (f"{end}: what the kernel had for the TUN, and what that took or dropped",
                   self.entered[end], sent["packets"] + sent["dropped"])
            yield f"{end}: what the TUN handed out, and reads", sent["packets"], reads
        for end, writes in (("client", client["tun_write_calls"]), ("gateway", gate["tun_writes"])):
            got = self.tun[end]["rx"]
            yield f"{end}: writes, and what the TUN took", writes, got["packets"] + got["dropped"]

        up, down = self.counts["up"], self.counts["down"]
        for direction, count in self.counts.items():
            yield (f"relay, {direction}: in and out", count["received"] + count["doubled"],
                   sum(count[name] for name in ("forwarded", "lost", "too_large", "stale",
                                                "refused", "held")))
        yield ("datagrams from the client to the relay", client["udp_send_packets"],
               up["received"] + up["overflowed"])
        yield ("datagrams from the relay to the gateway", up["forwarded"],
               gate["datagrams_received"] + gate["overflowed"])
        yield ("datagrams from the gateway to the relay", gate["datagrams_sent"],
               down["received"] + down["overflowed"])
        yield ("datagrams from the relay to the client", down["forwarded"],
               client["udp_receive_packets"] + client["received_dropped_by_socket"] +
               unreachable_ports(self.relay.client))
        yield from tls_sums(client, gate)
        yield from client_sums(client)
        yield from gateway_sums(gate)

        # What follows from all of them, said in one line.
        yield ("up: sent less received, and all losses",
               client["tun_read_packets"] + client["control_sent"] -
               (gate["tun_packets_written"] - gate["answers_written"] + gate["control_received"] +
                gate["handshakes_received"]), sum(self.losses("up").values()))
        yield ("down: sent less received, and all losses",
               gate["tun_packets_read"] + gate["answers"] - gate["answers_written"] +
               gate["control_sent"] -
               (client["received_packets"] + client["control_received"] +
                client["handshakes_received"]), sum(self.losses("down").values()))

    def left_tun(self, direction):
        """Packets of others that came out at the far end."""
        if direction == "up":
            return self.gate["tun_packets_written"] - self.gate["answers_written"]
        return self.client["received_packets"]

    def __str__(self):
        lines = []
        for direction, end, read in (("up", "client", self.client["tun_read_packets"]),
                                     ("down", "gateway", self.gate["tun_packets_read"])):
            lines.append(f"{direction}: {self.tun[end]['tx']['dropped']} dropped by the TUN, "
                         f"{read} packets read, {self.left_tun(direction)} written; "
                         f"lost {self.losses(direction)}")
        return "\n".join(lines)
