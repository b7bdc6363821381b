"""The tunnels that are measured: how each is set up, by which programs, at their best settings.

All of them encrypt with a modern AEAD and log in or know each other's keys. wireguard-go is the
userspace program, never the kernel's; OpenVPN runs without its kernel module too, since what is
compared are programs. Every setting that departs from a default is there to make the peer faster.
"""

import json
import subprocess
import time
from dataclasses import dataclass, field as default
from pathlib import Path

from field import NotMeasurable
from lab import pki
from lab.client import Client
from lab.gateway import Gateway
from lab.ocserv import Ocserv
from lab.openconnect import OpenConnect
from lab.process import Gone
from lab.scene import BIN

ROOT = Path(__file__).resolve().parents[1]
COPY_BUILD = ROOT / "build/measure-copy"
URL = "https://vpn.test/"
OURS_INSIDE, OCSERV_INSIDE = "10.78.0.1", "10.79.0.1"
WAIT_FOR_DATAGRAMS = 10.0


@dataclass
class Tunnel:
    """A tunnel that stands. The processes are those whose CPU seconds count, with their children."""
    address: str                       # of the server, as the client sees it through the tunnel
    client: list = default(default_factory=list)
    gateway: list = default(default_factory=list)
    details: dict = default(default_factory=dict)  # what was agreed on, in the program's words
    our_client: object = None


@dataclass(frozen=True)
class Peer:
    key: str            # for --only
    name: str           # `peer` of a row
    mode: str           # `mode` of a row
    about: str
    start: object       # Field -> Tunnel
    needs_copy_build: bool = False


def raw_veth(field):
    return Tunnel("10.77.0.2")


def identity_for(field):
    authority = pki.Authority(field.scene.folder)
    return authority, authority.issue("server", ["vpn.test"])


def start_ocserv(field, identity, datagrams):
    versions = "+VERS-TLS1.3:+VERS-TLS1.2" + (":+VERS-DTLS1.2" if datagrams else "")
    options = {"tls-priorities": f'"NORMAL:%SERVER_PRECEDENCE:-RSA:-VERS-ALL:{versions}"',
               "mtu": 1434, "dtls-legacy": "true", "match-tls-dtls-ciphers": "false"}
    if datagrams:
        options["udp-port"] = 443
    return Ocserv(field.scene, field.server, identity, options=options)


def start_openconnect(field, authority, inside, datagrams):
    client = OpenConnect(field.scene, field.client, URL, f"--cafile={authority.file}",
                         "--user=alice", "--non-inter", password="secret", routes=[inside],
                         dtls=datagrams).connected()
    if datagrams:
        try:
            said = client.process.wait_for(
                r"Established DTLS connection.*[Cc]iphersuite (\S+?)\.?\n", WAIT_FOR_DATAGRAMS)
        except Gone:
            raise NotMeasurable("openconnect has no DTLS: "
                                + client.output().strip().splitlines()[-1])
    else:
        said = client.process.wait_for(r"with ciphersuite (\S+)")
    return client, {"cipher": said.group(1)}


def start_client(field, authority, datagrams, *options, programs=BIN):
    """Our client, once the channel it is asked for carries data."""
    given = options if datagrams else (*options, "--no-datagrams")
    client = Client(field.scene, field.client, URL, *given, ca=authority.file,
                    programs=programs).connected()
    details = wait_for_datagrams(client) if datagrams else {}
    return client, details


def wait_for_datagrams(client):
    """What was agreed on, from the event by which datagrams take over."""
    end = time.monotonic() + WAIT_FOR_DATAGRAMS
    while True:
        states = [event for event in client.events() if event["event"] == "datagram"]
        if states and states[-1]["state"] == "up":
            return {"cipher": f"{states[-1]['suite']} by {states[-1]['crypto']}"}
        if time.monotonic() > end or not client.process.running():
            raise NotMeasurable(f"our client has no datagrams after {WAIT_FOR_DATAGRAMS:.0f} s: "
                                + json.dumps((states or client.events() or [None])[-1]))
        time.sleep(0.02)


def start_gateway(field, identity, programs=BIN, crypto=None):
    sections = {"datagram": {"crypto": crypto}} if crypto else None
    return Gateway(field.scene, field.server, identity, sections=sections, programs=programs)


def stock_pair(field, datagrams):
    authority, identity = identity_for(field)
    gateway = start_ocserv(field, identity, datagrams)
    client, details = start_openconnect(field, authority, OCSERV_INSIDE, datagrams)
    return Tunnel(OCSERV_INSIDE, [client.process], [gateway.process], details)


def our_pair(field, datagrams, programs=BIN, crypto=None):
    authority, identity = identity_for(field)
    gateway = start_gateway(field, identity, programs, crypto)
    options = ["--crypto", crypto] if crypto else []
    client, details = start_client(field, authority, datagrams, *options, programs=programs)
    return Tunnel(OURS_INSIDE, [client.process], [gateway.process], details, client)


def our_client_with_ocserv(field):
    authority, identity = identity_for(field)
    gateway = start_ocserv(field, identity, True)
    client, details = start_client(field, authority, True)
    return Tunnel(OCSERV_INSIDE, [client.process], [gateway.process], details, client)


def openconnect_with_our_gateway(field):
    authority, identity = identity_for(field)
    gateway = start_gateway(field, identity)
    client, details = start_openconnect(field, authority, OURS_INSIDE, True)
    return Tunnel(OURS_INSIDE, [client.process], [gateway.process], details)


def openvpn(field):
    """Point to point under TLS, with buffers larger than the defaults and without needless polls."""
    authority, server = identity_for(field)
    client = authority.issue("client", usage=pki.CLIENT)
    common = ["--dev", "ovpn0", "--dev-type", "tun", "--proto", "udp", "--disable-dco",
              "--data-ciphers", "AES-256-GCM", "--auth", "SHA256", "--ca", authority.file,
              "--sndbuf", 4194304, "--rcvbuf", 4194304, "--fast-io", "--txqueuelen", 2000,
              "--verb", 3]
    listening = field.server.start(
        ["openvpn", "--tls-server", "--dh", "none", "--cert", server.chain, "--key", server.key,
         "--local", "10.77.0.2", "--port", 1194, "--ifconfig", "10.80.0.2", "10.80.0.1", *common],
        "openvpn-server")
    dialling = field.client.start(
        ["openvpn", "--tls-client", "--remote", "10.77.0.2", 1194, "--nobind",
         "--remote-cert-tls", "server", "--cert", client.chain, "--key", client.key,
         "--ifconfig", "10.80.0.1", "10.80.0.2", *common], "openvpn-client")
    dialling.wait_for("Initialization Sequence Completed", 20)
    cipher = dialling.wait_for(r"Data Channel: cipher '([^']+)'").group(1)
    return Tunnel("10.80.0.2", [dialling], [listening], {"cipher": cipher})


def wireguard_go(field):
    """As packaged, in userspace on both ends; each host has a /run of its own for the sockets."""
    ends = ((field.server, "10.81.0.2", "10.81.0.1"), (field.client, "10.81.0.1", "10.81.0.2"))
    running, public = [], {}
    for host, own, _ in ends:
        secret = subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout
        field.scene.write(f"wg-{host.name}.key", secret, 0o600)
        public[own] = subprocess.run(["wg", "pubkey"], input=secret, capture_output=True, text=True,
                                     check=True).stdout.strip()
        running.append(host.start(["wireguard-go", "-f", "wg0"], "wireguard-go"))
    for (host, own, other), process in zip(ends, running):
        wait_for_socket(host, process)
        endpoint = [] if host is field.server else ["endpoint", "10.77.0.2:51820"]
        host.run("wg", "set", "wg0", "private-key", field.scene.folder / f"wg-{host.name}.key",
                 "listen-port", 51820, "peer", public[other], "allowed-ips", f"{other}/32",
                 *endpoint)
        host.run("ip", "addr", "add", own, "peer", other, "dev", "wg0")
        host.run("ip", "link", "set", "wg0", "mtu", 1420, "up")
    return Tunnel("10.81.0.2", [running[1]], [running[0]], {"cipher": "ChaCha20-Poly1305"})


def wait_for_socket(host, process):
    for _ in range(100):
        if host.succeeds("test", "-S", "/run/wireguard/wg0.sock"):
            return
        if not process.running():
            break
        host.succeeds("sleep", "0.05")
    raise Gone(f"wireguard-go does not come up:\n{process.output()[-2000:]}")


def copy_cipher(field):
    return our_pair(field, True, programs=COPY_BUILD / "bin")


PEERS = (
    Peer("none", "none", "veth", "the cable alone, without a tunnel", raw_veth),
    Peer("ocserv-dtls", "ocserv", "dtls", "openconnect with ocserv over DTLS",
         lambda field: stock_pair(field, True)),
    Peer("ocserv-tls", "ocserv", "tls", "openconnect with ocserv over TLS",
         lambda field: stock_pair(field, False)),
    Peer("openvpn", "openvpn", "udp", "OpenVPN 2.6, AES-256-GCM, larger buffers, fast-io", openvpn),
    Peer("wireguard-go", "wireguard-go", "udp", "WireGuard in userspace, as packaged",
         wireguard_go),
    Peer("causeway", "causeway", "dtls", "both ends ours, as they are by default",
         lambda field: our_pair(field, True)),
    Peer("causeway-evp", "causeway", "evp", "both ends ours, cipher of OpenSSL instead of ipsec-mb",
         lambda field: our_pair(field, True, crypto="evp")),
    Peer("causeway-tls", "causeway", "tls", "both ends ours, no datagrams",
         lambda field: our_pair(field, False)),
    Peer("causeway-copy", "causeway", "copy",
         "both ends ours, a copy in place of the cipher (a build for measuring only)", copy_cipher,
         needs_copy_build=True),
    Peer("causeway-ocserv", "causeway+ocserv", "dtls", "our client with ocserv",
         our_client_with_ocserv),
    Peer("openconnect-causeway", "openconnect+causeway", "dtls", "openconnect with our gateway",
         openconnect_with_our_gateway),
)
BY_KEY = {peer.key: peer for peer in PEERS}

CALLS = ("tun_read", "udp_send", "udp_receive", "tun_write")


def packets_per_call(tunnel):
    """How many packets each system call of our client carried, once the tunnel is taken down."""
    ended = tunnel.our_client.stop()
    counters = next((event["counters"] for event in reversed(ended.events)
                     if event.get("event") == "counters"), {})
    return {f"packets_per_{name}": counters[f"{name}_packets"] / counters[f"{name}_calls"]
            for name in CALLS if counters.get(f"{name}_calls")}
