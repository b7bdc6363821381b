"""A client and a gateway on one cable with a tunnel between them: what the tests of a tunnel's
behaviours share."""

import json

from lab import pki
from lab.cases import eventually, expect, expect_equal
from lab.client import Client
from lab.datagrams import wait_state
from lab.gateway import Gateway

INNER = ("10.78.0.1", "fd78::1")
OUTER = ("10.77.0.2", "fd77:0::2")
URLS = ("https://vpn.test/", "https://vpn6.test/")
CLIENT_CABLE, SERVER_CABLE = "server0", "client0"


class Tunnel:
    """The hosts and the gateway; `up` makes the tunnel. cable: the MTU between the two."""

    def __init__(self, scene, ipv6=False, cable=1500, **sections):
        self.scene = scene
        self.host, self.server = scene.pair(ipv6)
        for host, interface in ((self.host, CLIENT_CABLE), (self.server, SERVER_CABLE)):
            if cable != 1500:
                host.run("ip", "link", "set", interface, "mtu", cable)
        self.ca = pki.Authority(scene.folder)
        self.url = URLS[ipv6]
        self.gateway = Gateway(scene, self.server,
                               self.ca.issue("server", ["vpn.test", "vpn6.test"]),
                               sections=sections)

    def up(self, *options, datagrams=True, url=None):
        """Our client, connected, with datagrams unless it shall have none."""
        more = [] if datagrams else ["--no-datagrams"]
        client = Client(self.scene, self.host, url or self.url, *more, *options,
                        ca=self.ca.file).connected()
        if datagrams:
            wait_state(client, "up")
        return client

    def session(self):
        (only,) = self.gateway.control("sessions")["sessions"]
        return only

    def carried_by(self, way, timeout=10):
        eventually(lambda: self.session()["carried_by"] == way,
                   lambda: f"not carried by {way}: {self.session()}", timeout)

    def pings(self, inner=INNER):
        for address in inner:
            expect_equal(self.host.ping(address, 3, wait=2), 3, f"pings of {address} answered")


def addresses(client):
    """Ours in the tunnel, and the interface they are on."""
    event = client.wait_event("connected")
    return event["addresses"], event["interface"]


def mtu(host, interface):
    return json.loads(host.run("ip", "-j", "link", "show", interface))[0]["mtu"]


def transmitted(host, interface):
    """Bytes that the kernel gave to the interface."""
    link = json.loads(host.run("ip", "-j", "-s", "link", "show", interface))[0]
    return link["stats64"]["tx"]["bytes"]


def ends_well(client):
    report = client.stop()
    expect_equal(report.status, 0, f"exit status after SIGTERM ({report})")
    return report


def notes(client, words):
    return [e for e in client.events() if e["event"] == "note" and words in e["text"]]
