"""Faults of the datagrams beside TLS (rows 52 and 53): the tunnel stays up, and says why without."""

import time

from gateway_rows import OURS, gateway
from lab.cases import expect_equal
from lab.client import Client, Report
from login_rows import STOCK, URL, stock
from rows import row

BLOCKED = "datagrams are lost from the start"
LOST = "datagrams are lost later"
UDP = "udp dport 443 drop;"
UDP_BACK = "udp sport 443 drop;"
# A datagram of 1250 bytes holds no packet of 1280, which IPv6 needs.
LARGE = "udp dport 443 udp length > 1250 drop;"


def lose(host, out="", back=""):
    """From now on what matches is lost on its way out of the host or back into it."""
    host.nft(f"table inet lost {{ chain out {{ type filter hook output priority 0; {out} }}; "
             f"chain back {{ type filter hook input priority -300; {back} }}; }}\n")


def fallen_back(client, host, inner):
    """What the client said when TLS took over; and that the tunnel stood all the time."""
    event = None
    end = time.monotonic() + 20
    while not event and time.monotonic() < end:
        event = next((e for e in client.events()
                      if e["event"] == "datagram" and e["state"] == "down"), None)
        time.sleep(0.02)
    seconds = time.monotonic() - client.began
    host.ping(inner)  # the gateway's answer to it may be the last that it sends as a datagram
    expect_equal(host.ping(inner, 3, wait=2), 3, f"pings of {inner} answered")
    return Report([event] if event else client.events(), None, seconds, "")


def peer(scene, ours, options=None):
    """(client host, authority, the gateway's host, its address inside)"""
    if ours:
        host, ca, there = gateway(scene)
        return host, ca, there.host, "10.78.0.1"
    host, ca, there = stock(scene, options={"udp-port": 443, **(options or {})})
    return host, ca, there.host, "10.79.0.1"


def from_the_start(scene, ours=False, options=None, on_the_way=False, **lost):
    """Lost before the first datagram arrives."""
    host, ca, server, inner = peer(scene, ours, options)
    if on_the_way:
        server.swallow("udp dport 443")
    else:
        lose(host, **lost)
    client = Client(scene, host, URL, ca=ca.file).connected(timeout=5)
    client.fault()
    return fallen_back(client, host, inner)


def in_the_middle(scene, ours=False, **lost):
    """Lost once datagrams carry the packets."""
    host, ca, _, inner = peer(scene, ours, {"dpd": 1})
    client = Client(scene, host, URL, ca=ca.file).connected()
    client.wait_event("datagram")
    time.sleep(1)
    lose(host, **lost)
    client.fault()
    host.ping(inner, 2)
    return fallen_back(client, host, inner)


@row("52", "UDP blocked from the start", "errSSLNetworkTimeout", against=STOCK, family=BLOCKED,
     within=14.0, having=["10.77.0.2:443"])
def blocked(scene):
    return from_the_start(scene, on_the_way=True)


@row("52b", "UDP refused from the start (ICMP)", "errSSLConnectionRefused", "ECONNREFUSED",
     against=STOCK, within=3.0)
def refused(scene):
    host, ca, ocserv = stock(scene, options={"udp-port": 443})
    ocserv.host.nft("table inet lost { chain in { type filter hook input priority 0; "
                    "udp dport 443 reject with icmp type port-unreachable; }; }\n")
    client = Client(scene, host, URL, ca=ca.file).connected()
    client.fault()
    return fallen_back(client, host, "10.79.0.1")


@row("52c", "UDP answers lost from the start", "errSSLNetworkTimeout", against=STOCK,
     family=BLOCKED, within=14.0)
def answers_lost(scene):
    return from_the_start(scene, back=UDP_BACK)


@row("52d", "UDP lost by size from the start, IPv6 inside", "errSSLNetworkTimeout", against=STOCK,
     within=6.0, having=["only small datagrams", "1280"])
def large_lost(scene):
    return from_the_start(scene, out=LARGE, options={"ipv6-network": "fd79::/64",
                                                     "ipv6-subnet-prefix": 128})


@row("52e", "UDP forbidden on this machine from the start", "errSSLNetworkTimeout", "EPERM",
     against=STOCK, within=3.0)
def forbidden(scene):
    return from_the_start(scene, out=UDP)


@row("52", "UDP blocked from the start", "errSSLNetworkTimeout", against=OURS, family=BLOCKED,
     within=14.0)
def ours_blocked(scene):
    return from_the_start(scene, ours=True, on_the_way=True)


@row("53", "UDP blocked later, DPD 1 s", "errSSLNetworkTimeout", against=STOCK, family=LOST,
     within=6.0, having=["silence_ms"])
def blocked_later(scene):
    return in_the_middle(scene, back=UDP_BACK)


@row("53b", "UDP forbidden on this machine later, DPD 1 s", "errSSLNetworkTimeout", "EPERM",
     against=STOCK, within=6.0, having=["silence_ms"])
def forbidden_later(scene):
    return in_the_middle(scene, out=UDP)


@row("53", "UDP answers lost later", "errSSLNetworkTimeout", against=OURS, family=LOST, within=3.0,
     having=["silence_ms"])
def ours_blocked_later(scene):
    return in_the_middle(scene, ours=True, back=UDP_BACK)
