"""What is measured, in which order: rounds, in each every mode and every peer in turn.

The peers take turns within a round, so that a change of the machine's speed meets all of them.
"""

from dataclasses import dataclass

MAIN = ("none", "ocserv-dtls", "ocserv-tls", "openvpn", "wireguard-go", "causeway")
RIVALS = ("ocserv-dtls", "ocserv-tls", "openvpn", "wireguard-go")
MODES = ("on", "plain", "no_gro")  # of the cable: see field.py
SIZES = (64, 512, 1200)


@dataclass(frozen=True)
class Throughput:
    direction: str
    streams: int = 1

    def __str__(self):
        return f"{self.direction}, {self.streams} stream{'s' if self.streams > 1 else ''}"


@dataclass(frozen=True)
class RoundTrip:
    loaded: bool

    def __str__(self):
        return f"round trips, {'one bulk stream' if self.loaded else 'idle'}"


@dataclass(frozen=True)
class PacketRate:
    direction: str
    sizes: tuple

    def __str__(self):
        return f"packets a second, {self.direction}"


@dataclass(frozen=True)
class Effort:
    """How long each measurement takes."""
    rounds: int
    seconds: int            # a run of iperf3
    pings: int
    milliseconds: int       # a step of the search for the packet rate
    search_steps: int


FULL = Effort(rounds=5, seconds=3, pings=300, milliseconds=500, search_steps=5)
QUICK = Effort(rounds=1, seconds=1, pings=100, milliseconds=200, search_steps=3)

BOTH_WAYS = [Throughput("up"), Throughput("down")]


def full(peer, mode):
    """The measurements of one peer in one mode of the cable."""
    if mode == "on" and peer in MAIN:
        return ([Throughput(direction, streams) for streams in (1, 4, 16)
                 for direction in ("up", "down", "both")] +
                [RoundTrip(False), RoundTrip(True)] +
                [PacketRate(direction, SIZES) for direction in ("up", "down")])
    if mode == "on" or peer in MAIN:
        return list(BOTH_WAYS)
    return []


def quick(peer, mode):
    """What the ratios need, and little more."""
    if mode != "on":
        return list(BOTH_WAYS) if peer in ("ocserv-dtls", "causeway") else []
    found = list(BOTH_WAYS)
    if peer == "causeway":
        found += [Throughput("both"), *(Throughput(direction, streams) for streams in (4, 16)
                                        for direction in ("up", "down"))]
    if peer == "causeway" or peer in RIVALS:
        found += [RoundTrip(False), RoundTrip(True), PacketRate("up", SIZES)]
    return found


def parts(peer, wanted):
    """What one tunnel each is set up for. Our client counts its system calls from its start to its
    end, so that each direction has a tunnel of its own; other peers need one for everything."""
    if peer != "causeway":
        return [wanted]
    ways = [[one for one in wanted if isinstance(one, Throughput) and one.direction == way]
            for way in ("up", "down")]
    return [part for part in (*ways, [one for one in wanted if one not in ways[0] + ways[1]])
            if part]


def sessions(peers, modes, measurements):
    """One round: [(mode, peer, what to measure)], a tunnel each."""
    return [(mode, peer, part) for mode in modes for peer in peers
            for part in parts(peer.key, measurements(peer.key, mode)) if part]
