"""Ways by which a packet may leave a machine beside its tunnel, and a watch over all of them.

    guest 10.77.1.1 ---- 10.77.1.2 client 10.77.0.1 ---- cable ---- server 10.77.0.2
          fd77:1::1      fd77:1::2        fd77:0::1                        fd77:0::2
                                   |                                198.51.100.7, 2001:db8:7::7
                                cw-test, the tunnel                 192.0.2.9, 2001:db8:9::9

Each way is a function that sends a packet or two from the client, with no regard to what comes of
it. Whether something left is seen on the server's side of the cable, and there alone.
"""

import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.cases import eventually, expect, expect_equal  # noqa: E402
from lab.host import link  # noqa: E402
from lab.scene import BIN, SOAK  # noqa: E402

TOOL = BIN / "device_tool"
TUN = "cw-test"
STATE = "/run/causeway-test"
CABLE, GUEST_CABLE = "server0", "guest1"
OURS = 0x43570001
PEER = {4: "10.77.0.2", 6: "fd77::2"}
OWN = {4: "10.77.0.1", 6: "fd77::1"}
ELSEWHERE = {4: "198.51.100.7", 6: "2001:db8:7::7"}
LAN = {4: "192.0.2.9", 6: "2001:db8:9::9"}
FULL = ("address=10.99.0.50/24", "address=fd00:99::50/64", "include=0.0.0.0/0", "include=::/0")
SO_MARK, SO_BINDTODEVICE, SOL_PACKET, PACKET_QDISC_BYPASS = 36, 25, 263, 20
ETH_P_ALL, ETH_P_IP, ETH_P_IPV6, ETH_P_ARP, ETH_P_8021Q = 3, 0x0800, 0x86DD, 0x0806, 0x8100
PORT = 7009


class Cable:
    """Everything that the client sends to the server, frame by frame."""

    def __init__(self, host, interface):
        self.frames = []
        self._stopping = False

        def make():
            watching = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            watching.bind((interface, ETH_P_ALL))
            watching.settimeout(0.1)
            return watching

        self.socket = host.inside(make)
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self._stopping:
            try:
                frame, (_, _, kind, *_) = self.socket.recvfrom(1 << 16)
            except TimeoutError:
                continue
            if kind != socket.PACKET_OUTGOING:
                self.frames.append(frame)

    def take(self, quiet=0.15, at_most=2.0):
        """What passed since the last time, as words, once nothing has come for a while; or after so
        many seconds, where somebody goes on sending."""
        count, end = -1, time.monotonic() + at_most
        while count != len(self.frames) and time.monotonic() < end:
            count = len(self.frames)
            time.sleep(quiet)
        taken, self.frames[:count] = self.frames[:count], []
        return [describe(frame) for frame in taken]

    def close(self):
        self._stopping = True
        self.thread.join()
        self.socket.close()


def describe(frame):
    kind = struct.unpack(">H", frame[12:14])[0]
    packet = frame[14:]
    if kind == ETH_P_ARP:
        return "arp"
    if kind == ETH_P_8021Q:
        return "tagged"
    if kind == ETH_P_IP:
        at, protocol = 4 * (packet[0] & 15), packet[9]
        target = ipaddress.ip_address(packet[16:20])
        if struct.unpack(">H", packet[6:8])[0] & 0x1fff:
            return f"{target} fragment"
    elif kind == ETH_P_IPV6:
        at, protocol, target = 40, packet[6], ipaddress.ip_address(packet[24:40])
        if protocol == 0:
            at, protocol = 40 + 8 * (packet[41] + 1), packet[40]
        if protocol == 44:
            return f"{target} fragment"
    else:
        return f"type {kind:#x}"
    if protocol == 58 and packet[at] in (133, 135, 136):
        return "neighbour discovery"
    if protocol in (6, 17):
        ports = struct.unpack(">HH", packet[at:at + 4])
        if protocol == 17 and ports in ((68, 67), (546, 547)):
            return "dhcp"
        return f"{target} {'tcp' if protocol == 6 else 'udp'} {ports[1]}"
    return f"{target} protocol {protocol}"


def strangers(seen):
    """Without what a link needs."""
    return [words for words in seen if words not in ("arp", "neighbour discovery", "dhcp")]


def of_somebody(seen):
    """Without what the kernel tells of its own groups (MLD), too, which is no user's."""
    return [words for words in strangers(seen) if words != "ff02::16 protocol 58"]


class Place:
    """The hosts of the picture above, with a default route to the server in both families."""

    def __init__(self, scene):
        self.client, self.server = scene.pair(ipv6=True)
        self.guest = scene.host("guest")
        link(self.guest, self.client, 1)
        client, server = self.client, self.server
        for family in (4, 6):
            for address in (ELSEWHERE[family], LAN[family]):
                server.run("ip", "addr", "add", address, "dev", "lo")
            client.run("ip", f"-{family}", "route", "add", "default", "via", PEER[family])
            server.run("ip", f"-{family}", "route", "add",
                       "10.77.1.0/24" if family == 4 else "fd77:1::/64", "via", OWN[family])
            self.guest.run("ip", f"-{family}", "route", "add", "default", "via",
                           "10.77.1.2" if family == 4 else "fd77:1::2")
        client.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                   "net.ipv4.ping_group_range=0 2147483647")
        client.run("mkdir", "-m", "700", STATE)
        self.peer_mac = mac_of(server, "client0")
        self.own_mac = mac_of(client, CABLE)
        self.listener = server.listen(PORT)
        self.flows = {family: client.dial(PEER[family], PORT) for family in (4, 6)}
        self.cable = scene.keep(Cable(server, "client0"))
        # Neighbours are known, so that a packet that is let go goes at once.
        for family in (4, 6):
            client.ping(PEER[family])
            self.guest.ping(ELSEWHERE[family])

    def apply(self, *words, interface=TUN):
        """A tunnel of the tool's that is up."""
        tool = self.client.start([TOOL, "apply", STATE, interface, 1400, *words], "device_tool",
                                 stdin=subprocess.PIPE)
        tool.wait_for("^up ")
        return tool

    def end(self, tool):
        tool.child.stdin.close()
        expect(tool.wait() == 0, f"the tool ended badly: {tool.output()}")

    def recover(self):
        return self.client.run(TOOL, "recover", STATE).strip()

    def socket(self, family, kind=socket.SOCK_DGRAM, protocol=0, **options):
        domain = socket.AF_INET if family == 4 else socket.AF_INET6
        one = self.client.inside(lambda: socket.socket(domain, kind, protocol))
        one.setblocking(False)
        if options.get("device"):
            one.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, options["device"].encode())
        if options.get("mark"):
            one.setsockopt(socket.SOL_SOCKET, SO_MARK, options["mark"])
        return one

    def ways(self):
        """{name: function}: of each, what it sends is seen on the cable without a tunnel."""
        ways = {}
        for family in (4, 6):
            ways |= {f"IPv{family}: {name}": (lambda way=way, family=family: way(self, family))
                     for name, way in WAYS.items()}
        return ways


def mac_of(host, interface):
    words = json.loads(host.run("ip", "-j", "link", "show", "dev", interface))[0]["address"]
    return bytes.fromhex(words.replace(":", ""))


def attempt(send):
    """The errno of a refusal, or 0."""
    try:
        send()
        return 0
    except OSError as error:
        return error.errno


def udp(place, family, to, port=PORT, size=8, bind=None, **options):
    with place.socket(family, **options) as one:
        if bind:
            one.bind(bind)
        return attempt(lambda: one.sendto(bytes(size), (to, port)))


def multicast(place, family):
    group = "224.0.0.251" if family == 4 else "ff02::fb"
    with place.socket(family, device=CABLE) as one:
        return attempt(lambda: one.sendto(b"any?", (group, 5353)))


def broadcast(place, family):
    if family == 6:
        with place.socket(6, device=CABLE) as one:
            return attempt(lambda: one.sendto(b"all", ("ff02::1", PORT)))
    with place.socket(4, device=CABLE) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return attempt(lambda: one.sendto(b"all", ("255.255.255.255", PORT)))


def ping(place, family):
    protocol, kind = (socket.IPPROTO_ICMP, 8) if family == 4 else (socket.IPPROTO_ICMPV6, 128)
    with place.socket(family, protocol=protocol, device=CABLE) as one:
        return attempt(lambda: one.sendto(struct.pack(">BBHHH", kind, 0, 0, 1, 1), (PEER[family], 0)))


def own_header(family, place):
    """A UDP packet with its header, addressed to elsewhere."""
    segment = struct.pack(">HHHH", PORT, PORT, 12, 0) + b"self"
    source = socket.inet_pton(socket.AF_INET if family == 4 else socket.AF_INET6, OWN[family])
    target = socket.inet_pton(socket.AF_INET if family == 4 else socket.AF_INET6, ELSEWHERE[family])
    if family == 6:
        return struct.pack(">IHBB", 6 << 28, len(segment), 17, 64) + source + target + segment
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, 64, 17, 0)
    check = sum(struct.unpack(">10H", header + source + target))
    check = ~((check & 0xffff) + (check >> 16)) & 0xffff
    return header[:10] + struct.pack(">H", check) + source + target + segment


def raw(place, family):
    with place.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW, device=CABLE) as one:
        return attempt(lambda: one.sendto(own_header(family, place), (ELSEWHERE[family], 0)))


def frame(place, family, tag=b"", bypass=False):
    kind = struct.pack(">H", ETH_P_IP if family == 4 else ETH_P_IPV6)

    def make():
        one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        one.bind((CABLE, 0))
        return one

    with place.client.inside(make) as one:
        if bypass:
            one.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        return attempt(lambda: one.send(place.peer_mac + place.own_mac + tag + kind +
                                        own_header(family, place)))


def connect(place, family):
    with place.socket(family, socket.SOCK_STREAM, device=CABLE) as one:
        return attempt(lambda: one.connect((PEER[family], PORT)))


def flow(place, family):
    return attempt(lambda: place.flows[family].send(b"still there?"))


def member(place, family):
    """Says on the link which group it listens to."""
    with place.socket(family) as one:
        if family == 4:
            entry = struct.pack("=4s4si", socket.inet_aton("239.7.7.7"), bytes(4),
                                place.client.inside(lambda: socket.if_nametoindex(CABLE)))
            return attempt(lambda: one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, entry))
        entry = socket.inet_pton(socket.AF_INET6, "ff15::7777") + struct.pack(
            "=i", place.client.inside(lambda: socket.if_nametoindex(CABLE)))
        return attempt(lambda: one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, entry))


def other_user(place, family):
    domain = "AF_INET" if family == 4 else "AF_INET6"
    place.client.run("setpriv", "--reuid", 4001, "--regid", 4001, "--clear-groups",
                     sys.executable, "-c", f"""
import socket
one = socket.socket(socket.{domain}, socket.SOCK_DGRAM)
one.setsockopt(socket.SOL_SOCKET, {SO_BINDTODEVICE}, b"{CABLE}")
one.sendto(b"me too", ("{PEER[family]}", {PORT}))
""", check=False)


def specific_route(place, family):
    """What a DHCP server may push: a route that is more specific than the tunnel's."""
    bits = 32 if family == 4 else 128
    words = (f"{ELSEWHERE[family]}/{bits}", "via", PEER[family])
    place.client.run("ip", f"-{family}", "route", "add", *words)
    try:
        return udp(place, family, ELSEWHERE[family], bind=(OWN[family], 0))
    finally:
        place.client.run("ip", f"-{family}", "route", "del", *words)


def forwarded(place, family):
    def make():
        return socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)

    with place.guest.inside(make) as one:
        return attempt(lambda: one.sendto(b"through you", (ELSEWHERE[family], PORT)))


def answer_to_ping(place, family):
    """The kernel's own answer, which no program sends."""
    place.server.ping(OWN[family], wait=0.3)


def answer_to_stranger(place, family):
    """A reset for a port that nobody listens at."""
    try:
        place.server.dial(OWN[family], 7010, timeout=0.3).close()
    except OSError:
        pass


WAYS = {
    "a datagram to the link": lambda p, f: udp(p, f, PEER[f]),
    "a datagram by the default route": lambda p, f: udp(p, f, ELSEWHERE[f]),
    "a datagram from a socket that is bound to the link": lambda p, f: udp(
        p, f, ELSEWHERE[f], device=CABLE),
    "a datagram from a socket that is bound to the link's address": lambda p, f: udp(
        p, f, PEER[f], bind=(OWN[f], 0)),
    "a datagram of many fragments": lambda p, f: udp(p, f, PEER[f], size=4000, device=CABLE),
    "a datagram with somebody else's mark": lambda p, f: udp(p, f, PEER[f], mark=0x77),
    "a datagram of another user": other_user,
    "a name query": lambda p, f: udp(p, f, PEER[f], 53, device=CABLE),
    "a datagram that looks like DHCP from an ordinary port": lambda p, f: udp(
        p, f, PEER[f], 67 if f == 4 else 547, device=CABLE),
    "a broadcast": broadcast,
    "a multicast": multicast,
    "news of a group that is listened to": member,
    "a ping": ping,
    "a packet with a header of its own": raw,
    "a frame from a packet socket": frame,
    "a frame that bypasses the queue": lambda p, f: frame(p, f, bypass=True),
    "a frame with a tag": lambda p, f: frame(p, f, tag=struct.pack(">HH", ETH_P_8021Q, 7)),
    "a new connection": connect,
    "a connection from before": flow,
    "a more specific route": specific_route,
    "a packet of a guest": forwarded,
    "the kernel's answer to a ping": answer_to_ping,
    "the kernel's answer to a connection": answer_to_stranger,
}


# Multicast that no router passes on.
LINK_SCOPE = "ff02::"


def all_open(place, only=lambda name: True):
    """Every way leads onto the cable, so that the watch would see it."""
    ways = {name: way for name, way in place.ways().items() if only(name)}
    for name, way in ways.items():
        place.cable.take(0.02)
        way()
        seen = eventually(lambda: strangers(place.cable.take(0.02)), f"not seen at all: {name}", 3)
        expect(seen, name)
    return len(ways)


def all_closed(place, only=lambda name: True, passing="nothing", told=strangers):
    """No way leads onto the cable. Packets to an address that begins with `passing` may. `told` says
    what of all that is seen counts."""
    def seen():
        return [words for words in told(place.cable.take(0.02))
                if not words.startswith(passing)]

    ways = {name: way for name, way in place.ways().items() if only(name)}
    place.cable.take()
    for name, way in ways.items():
        way()
        left = seen()
        expect(not left, f"{name} left the machine: {left}")
    # What TCP, queues and neighbours send later.
    time.sleep(1.2)
    expect_equal(seen(), [], "packets that left later")


def passes(place, what, send):
    place.cable.take()
    send()
    return eventually(lambda: place.cable.take(0.05), f"{what} did not leave")


def a_third(name):
    """Other ways each time, all of them in the long form."""
    return SOAK or (zlib.crc32(name.encode()) + int(time.time() // 86400)) % 3 == 0


def forget_and_send(place, family):
    place.client.run("ip", f"-{family}", "neigh", "flush", "all")
    udp(place, family, PEER[family], mark=OURS)


def dhcp(place, family):
    with place.socket(family, device=CABLE) as one:
        if family == 4:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            one.bind(("", 68))
            one.sendto(b"discover", ("255.255.255.255", 67))
        else:
            one.bind(("::", 546))
            one.sendto(b"solicit", ("ff02::1:2", 547))


CGROUPS = "/run/cgroups"


def in_group(group, *argv):
    """The command line that runs a program in a cgroup of the test's own."""
    return ("sh", "-c", f'echo $$ > {CGROUPS}/{group}/cgroup.procs && exec "$@"', "sh", *argv)


def groups(scene, place):
    """Two cgroups, gone with the scene."""
    host = place.client
    name = f"causeway-test-{os.getpid()}-{host.holder.pid}"
    host.run("mkdir", CGROUPS)
    host.run("mount", "-t", "cgroup2", "none", CGROUPS)
    made = [f"{name}-{which}" for which in ("in", "else")]
    for group in made:
        host.run("mkdir", f"{CGROUPS}/{group}")
    scene.keep(SimpleNamespace(close=lambda: host.run(
        "rmdir", *(f"{CGROUPS}/{group}" for group in made), check=False)))
    return made


def source_in(place, group, family):
    return place.client.run(*in_group(group, *asking_source(family))).strip()


def mark_in(place, group):
    return int(place.client.run(*in_group(group, sys.executable, "-c", f"""
import socket
print(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).getsockopt(socket.SOL_SOCKET, {SO_MARK}))
""")))


def beside(family):
    """Sends a datagram from a socket that is bound to the cable."""
    return (sys.executable, "-c", f"""
import socket
one = socket.socket(socket.AF_INET{6 if family == 6 else ''}, socket.SOCK_DGRAM)
one.setsockopt(socket.SOL_SOCKET, {SO_BINDTODEVICE}, b"{CABLE}")
one.sendto(b"me too", ("{PEER[family]}", {PORT}))
""")


def asking_source(family):
    return (sys.executable, "-c", f"""
import socket
one = socket.socket(socket.AF_INET{6 if family == 6 else ''}, socket.SOCK_DGRAM)
one.connect(("{ELSEWHERE[family]}", 9))
print(one.getsockname()[0])
""")


def source_of(place, user, family):
    """The address a socket of the user gets."""
    return place.client.run("setpriv", "--reuid", user, "--clear-groups",
                            *asking_source(family)).strip()


# A program is told with its second packet, after a second, when its socket was busy with the first. What
# it is told differs by family: EHOSTUNREACH and EACCES.
HELD_BACK = ("OSError", "PermissionError", "TimeoutError")


def dialled(place, family, address, port, user, patience=0.2):
    """How an attempt to connect ends."""
    return place.client.run("setpriv", "--reuid", user, "--clear-groups", sys.executable, "-c", f"""
import socket
try:
    socket.create_connection(("{address}", {port}), {patience})
except OSError as error:
    print(type(error).__name__)
""").strip()
