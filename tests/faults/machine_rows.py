"""Faults of this machine: files, the TUN device (rows 21, 22, 54 to 56).

The server of these rows counts what it was told: nothing secret may leave before they are found.
"""

import fcntl
import os
import struct

from lab import pki, web_server
from lab.client import Client
from lab.tls_server import TlsServer, context
from rows import row

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000


class Watched:
    """A gateway that only counts the requests it got."""

    def __init__(self, scene):
        self.client, server = scene.pair()
        self.ca = pki.Authority(scene.folder)
        self.requests = []
        scene.keep(TlsServer(server, 443, context(self.ca.issue("server", ["vpn.test"])),
                             self._serve))

    def _serve(self, stream):
        while request := web_server.read_request(stream):
            self.requests.append(request)
            stream.sendall(web_server.response("200 OK", web_server.FORM, kind="text/xml"))

    def untold(self, report):
        """The report, if no credential was used for it."""
        said = [request for request in self.requests if "secret" in request[1]]
        if said:
            raise AssertionError(f"the password left before the fault was found: {said}")
        return report


def with_files(scene, certificate, key, *options):
    watched = Watched(scene)
    return watched.untold(Client(scene, watched.client, "https://vpn.test/", "--certificate",
                                 certificate, "--key", key, *options, ca=watched.ca.file).report())


@row("21", "certificate and key are no pair", "clientCertificateInvalid", "errSSLBadConfiguration")
def no_pair(scene):
    ca = pki.Authority(scene.folder, "users")
    one, other = ca.issue("one", usage=pki.CLIENT), ca.issue("other", usage=pki.CLIENT)
    return with_files(scene, one.chain, other.key)


@row("21b", "the certificate file holds no certificate", "clientCertificateInvalid")
def no_certificate(scene):
    identity = pki.Authority(scene.folder, "users").issue("one", usage=pki.CLIENT)
    return with_files(scene, scene.write("note.pem", "nothing to see here\n"), identity.key)


@row("22", "certificate file missing", "configurationFailed", "ENOENT", having=["nowhere.pem"])
def file_missing(scene):
    identity = pki.Authority(scene.folder, "users").issue("one", usage=pki.CLIENT)
    return with_files(scene, scene.folder / "nowhere.pem", identity.key)


@row("22b", "key file missing", "configurationFailed", "ENOENT", having=["nowhere.key"])
def key_missing(scene):
    identity = pki.Authority(scene.folder, "users").issue("one", usage=pki.CLIENT)
    return with_files(scene, identity.chain, scene.folder / "nowhere.key")


@row("54", "TUN not permitted", "configurationFailed", "VPN_CREATION_DENIED", "EPERM")
def tun_denied(scene):
    watched = Watched(scene)
    powerless = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", "--"]
    return watched.untold(Client(scene, watched.client, "https://vpn.test/", ca=watched.ca.file,
                                 prefix=powerless).report())


@row("55", "/dev/net/tun missing", "configurationFailed", "CAPABILITY_NOT_SUPPORTED", "ENOENT")
def tun_missing(scene):
    watched = Watched(scene)
    watched.client.run("mount", "-t", "tmpfs", "nothing", "/dev/net")
    return watched.untold(Client(scene, watched.client, "https://vpn.test/",
                                 ca=watched.ca.file).report())


@row("56", "TUN name busy", "configurationFailed", "VPN_ALREADY_EXISTS", "EBUSY", having=["busy0"])
def tun_busy(scene):
    watched = Watched(scene)

    def attach():
        tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"busy0", IFF_TUN | IFF_NO_PI))
        return tun
    holder = watched.client.inside(attach)
    try:
        return watched.untold(Client(scene, watched.client, "https://vpn.test/", "--interface",
                                     "busy0", ca=watched.ca.file).report())
    finally:
        os.close(holder)
