"""Rows 16 to 20, 23, 24 and 38 to 49 at our gateway, where each cause has a report of its own."""

import base64
import os

from lab import cookie_proxy, pki
from lab.client import Client
from lab.cookie_proxy import CookieProxy
from lab.gateway import Gateway
from lab.pki import DAY
from lab.relay import Relay, edit_hello
from lab.tls_server import context
from rows import row

OURS = "our gateway"
URL = "https://vpn.test/"
THROUGH = "https://vpn.test:444/"


def gateway(scene, **kwargs):
    """(client host, authority, gateway)"""
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    return client, ca, Gateway(scene, server, ca.issue("server", ["vpn.test"]), **kwargs)


def by_certificate(scene, refusal="words", issuer=None, revoked=False, without=False, **defects):
    """A login by certificate; refusal is how the gateway tells what it does not like."""
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    identity = (issuer or ca).issue("alice", usage=pki.CLIENT, user="alice", **defects)
    Gateway(scene, server, ca.issue("server", ["vpn.test"]), ca=ca.file,
            crl=ca.revoke(identity) if revoked else None,
            sections={"authentication": {"method": "certificate", "certificate_refusal": refusal}})
    own = [] if without else ["--certificate", identity.chain, "--key", identity.key]
    return Client(scene, client, URL, *own, password=None, ca=ca.file).report()


@row("16", "client certificate expired", "clientCertificateExpired", against=OURS,
     family="client certificate expired")
def client_expired(scene):
    return by_certificate(scene, starts=-9 * DAY, ends=-2 * DAY)


@row("17", "client certificate not yet valid", "clientCertificateNotYetValid", against=OURS,
     family="client certificate not yet valid")
def client_future(scene):
    return by_certificate(scene, starts=2 * DAY)


@row("18", "client certificate revoked, told by an alert", "clientCertificateInvalid",
     "errSSLPeerCertRevoked", against=OURS)
def revoked_alert(scene):
    return by_certificate(scene, "alert", revoked=True)


@row("18w", "client certificate revoked, told in words", "clientCertificateInvalid", against=OURS,
     having=["revoked", "gateway_incident"])
def revoked_words(scene):
    return by_certificate(scene, "words", revoked=True)


@row("19", "client certificate from another authority, told by an alert",
     "clientCertificateInvalid", "errSSLPeerUnknownCA", against=OURS)
def foreign_alert(scene):
    return by_certificate(scene, "alert", pki.Authority(scene.folder, "elsewhere"))


@row("19w", "client certificate from another authority, told in words",
     "clientCertificateInvalid", against=OURS, having=["not issued by"])
def foreign_words(scene):
    return by_certificate(scene, "words", pki.Authority(scene.folder, "elsewhere"))


@row("20", "no client certificate where one is required, told by an alert",
     "clientCertificateInvalid", "errSSLCertificateRequired", against=OURS)
def without_alert(scene):
    return by_certificate(scene, "alert", without=True)


@row("20w", "no client certificate where one is required, told in words",
     "clientCertificateInvalid", against=OURS, having=["asks for a client certificate"])
def without_words(scene):
    return by_certificate(scene, "words", without=True)


def through_relay(scene, change, **tls):
    """A relay that takes something out of our ClientHello, as a middlebox does."""
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    Gateway(scene, server, ca.issue("server", ["vpn.test"]), sections={
        "": {"listen": ["127.0.0.1:443"]}, "tls": tls})
    scene.keep(Relay(server, 444, 443, [("c2s", 0, edit_hello(change))]))
    return Client(scene, client, THROUGH, ca=ca.file).report()


@row("23", "no TLS version in common", "negotiationFailed", "errSSLPeerProtocolVersion",
     against=OURS, family="alert 70")
def version_mismatch(scene):
    def only_1_2(_, extensions):
        extensions[:] = [e for e in extensions if e[0] not in (43, 51, 45)]
    return through_relay(scene, only_1_2, minimum_version="1.3")


@row("24", "no cipher suite in common", "negotiationFailed",
     "errSSLPeerHandshakeFail|errSSLNegotiation", against=OURS, family="alert 40")
def cipher_mismatch(scene):
    def only_unknown(suites, extensions):
        suites[:] = [0xC07B]
        extensions[:] = [e for e in extensions if e[0] not in (43, 51, 45)]
    return through_relay(scene, only_unknown)


def through_proxy(scene, change):
    """(client host, authority, proxy) with a proxy on port 444 that changes cookies."""
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    identity = ca.issue("server", ["vpn.test"])
    Gateway(scene, server, identity, sections={"": {"listen": ["127.0.0.1:443"]}})
    return client, ca, server, scene.keep(CookieProxy(server, 444, context(identity), 443, change))


@row("38", "undecodable cookie", "authenticationFailed", against=OURS, within=3.0)
def undecodable_cookie(scene):
    client, ca, _, _ = through_proxy(scene, lambda cookie: "!" * len(cookie))
    return Client(scene, client, THROUGH, "--once", ca=ca.file).report()


@row("39", "unknown cookie", "authenticationFailed", against=OURS, within=3.0,
     having=["cookie is not known"])
def unknown_cookie(scene):
    client, ca, _, _ = through_proxy(
        scene, lambda _: base64.b64encode(os.urandom(32)).decode())
    return Client(scene, client, THROUGH, "--once", ca=ca.file).report()


def second_session(scene, **sections):
    """The report of a second session of the same user while the first one stands."""
    client, ca, _ = gateway(scene, sections=sections)
    Client(scene, client, URL, "--interface", "first0", ca=ca.file, name="first").connected()
    return Client(scene, client, URL, "--interface", "second0", ca=ca.file, name="second").report()


@row("40", "limit of sessions for the user", "serverDisconnected", against=OURS, within=3.0,
     having=["as many sessions as allowed"])
def user_limit(scene):
    return second_session(scene, limits={"sessions_per_user": 1})


@row("41", "address pool exhausted", "serverDisconnected", against=OURS, within=3.0,
     having=["no address left"])
def pool_exhausted(scene):
    return second_session(scene, network={"ipv4_pool": "10.78.0.0/30", "ipv6_pool": None})


@row("42", "limit of sessions in all", "serverNotResponding", against=OURS, within=3.0,
     having=["full"])
def full(scene):
    return second_session(scene, limits={"sessions": 1})


def running(scene, *options, **kwargs):
    """(client program, gateway) with a tunnel that stands."""
    host, ca, its_gateway = gateway(scene, **kwargs)
    client = Client(scene, host, URL, *options, ca=ca.file).connected()
    client.fault()
    return client, its_gateway


@row("43", "ended by the administrator", "serverDisconnected", against=OURS, within=3.0,
     having=["administrator"])
def administrator(scene):
    client, its_gateway = running(scene)
    its_gateway.control("disconnect", "user:alice")
    return client.report()


@row("44", "idle timeout", "serverDisconnected", against=OURS, within=6.0, having=["idle"])
def idle(scene):
    client, _ = running(scene, sections={"session": {"idle_timeout": 2}})
    return client.report()


@row("45", "session timeout", "serverDisconnected", against=OURS, within=6.0,
     having=["time it may last"])
def session_timeout(scene):
    client, _ = running(scene, sections={"session": {"session_timeout": 2}})
    return client.report()


@row("46", "cookie used elsewhere", "serverDisconnected", against=OURS, within=3.0,
     having=["taken over"])
def taken_over(scene):
    host, ca, server, proxy = through_proxy(scene, lambda cookie: cookie)
    client = Client(scene, host, THROUGH, ca=ca.file).connected()
    client.fault()
    other = cookie_proxy.take_over(server, "127.0.0.1", 443, proxy.cookies[0])
    try:
        return client.report()
    finally:
        other.close()


@row("47", "gateway ended by SIGTERM", "serverDisconnected", against=OURS, within=3.0,
     having=["shutting down"])
def gateway_stopped(scene):
    client, its_gateway = running(scene, "--once")
    its_gateway.stop()
    return client.report()


@row("48", "gateway killed, port closed", "serverDead", against=OURS, within=9.0,
     family="the connection ended")
def gateway_killed(scene):
    client, its_gateway = running(scene, "--once")
    its_gateway.kill()
    return client.report()


@row("49", "gateway restarted", "serverDisconnected", against=OURS, within=9.0,
     having=["reauthenticate.*yes"])
def gateway_restarted(scene):
    client, its_gateway = running(scene, "--once")
    with its_gateway.host.mute(443):
        its_gateway.kill()
        its_gateway.start()
    return client.report()
