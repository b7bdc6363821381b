"""Faults of cookies, limits and running sessions at stock ocserv (rows 38 to 51, 58)."""

import base64
import os

from lab import cookie_proxy, pki
from lab.client import Client
from lab.cookie_proxy import CookieProxy
from lab.ocserv import Ocserv
from lab.tls_server import context
from login_rows import STOCK, URL, stock
from rows import row

COOKIE = "a cookie, a limit or a pool at a gateway that answers 401 to all"
ENDED = "an end that the gateway does not explain"
LOST = "the connection ended"
PROXY = "https://vpn.test:444/"


def changed_cookie(scene, change):
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    identity = ca.issue("server", ["vpn.test"])
    Ocserv(scene, server, identity)
    scene.keep(CookieProxy(server, 444, context(identity), 443, change))
    return Client(scene, client, PROXY, "--once", ca=ca.file).report()


@row("38", "undecodable cookie", "authenticationFailed", "Service Unavailable", against=STOCK,
     within=3.0)
def undecodable_cookie(scene):
    return changed_cookie(scene, lambda cookie: "!" * len(cookie))


@row("39", "unknown cookie", "authenticationFailed", "Unauthorized|Cookie is not acceptable",
     against=STOCK, family=COOKIE, within=3.0)
def unknown_cookie(scene):
    return changed_cookie(scene, lambda _: base64.b64encode(os.urandom(32)).decode())


def second_session(scene, **options):
    """The report of a second session of the same user while the first one stands."""
    client, ca, _ = stock(scene, options=options)
    Client(scene, client, URL, "--interface", "first0", ca=ca.file, name="first").connected()
    return Client(scene, client, URL, "--interface", "second0", ca=ca.file, name="second").report()


@row("40", "max-same-clients reached", "serverDisconnected|authenticationFailed", against=STOCK,
     family=COOKIE, within=3.0)
def same_user_limit(scene):
    return second_session(scene, **{"max-same-clients": 1})


@row("41", "address pool exhausted", "serverDisconnected|authenticationFailed", against=STOCK,
     family=COOKIE, within=3.0)
def pool_exhausted(scene):
    return second_session(scene, **{"ipv4-network": "10.79.0.0", "ipv4-netmask": "255.255.255.252"})


def running(scene, *options, url=URL, **kwargs):
    """(client program, ocserv, client host) with a tunnel that stands."""
    host, ca, ocserv = stock(scene, **kwargs)
    client = Client(scene, host, url, *options, ca=ca.file).connected()
    return client, ocserv, host


@row("43", "ended by the administrator", "serverDisconnected", against=STOCK, family=ENDED,
     within=3.0)
def administrator(scene):
    client, ocserv, _ = running(scene)
    client.fault()
    ocserv.control("disconnect", "user", "alice")
    return client.report()


@row("44", "idle timeout", "serverDisconnected", against=STOCK, family=ENDED, within=22.0)
def idle(scene):
    client, _, _ = running(scene, options={"idle-timeout": 3})
    client.fault()
    return client.report()


@row("45", "session timeout", "serverDisconnected", against=STOCK, family=ENDED, within=22.0)
def session_timeout(scene):
    client, _, _ = running(scene, options={"session-timeout": 3})
    client.fault()
    return client.report()


@row("46", "cookie used elsewhere", "serverDisconnected", against=STOCK, family=ENDED, within=3.0)
def taken_over(scene):
    host, server = scene.pair()
    ca = pki.Authority(scene.folder)
    identity = ca.issue("server", ["vpn.test"])
    Ocserv(scene, server, identity)
    proxy = scene.keep(CookieProxy(server, 444, context(identity), 443))
    client = Client(scene, host, PROXY, ca=ca.file).connected()
    client.fault()
    other = cookie_proxy.take_over(server, "127.0.0.1", 443, proxy.cookies[0])
    try:
        return client.report()
    finally:
        other.close()


@row("47", "gateway ended by SIGTERM", "serverDisconnected|serverDead", against=STOCK,
     family=f"{LOST}|{ENDED}", within=9.0)
def gateway_stopped(scene):
    client, ocserv, _ = running(scene, "--once")
    client.fault()
    ocserv.stop()
    return client.report()


@row("48", "gateway killed, port closed", "serverDead|serverDisconnected", against=STOCK,
     family=LOST, within=9.0)
def gateway_killed(scene):
    client, ocserv, _ = running(scene, "--once")
    client.fault()
    ocserv.kill()
    return client.report()


@row("49", "gateway restarted", "serverDisconnected", against=STOCK, within=9.0,
     having=["reauthenticate.*yes"])
def gateway_restarted(scene):
    client, ocserv, _ = running(scene, "--once")
    client.fault()
    with ocserv.host.mute(443):
        ocserv.kill()
        ocserv.start()
    return client.report()


@row("51", "all packets dropped, DPD 5 s", "serverDead", against=STOCK, within=16.0)
def dead_peer(scene):
    client, ocserv, _ = running(scene, "--once", options={"dpd": 5})
    client.fault()
    ocserv.host.swallow()
    return client.report()


@row("58", "a group that the gateway does not have", "configurationFailed", against=STOCK,
     within=3.0, having=["nosuch"])
def unknown_group(scene):
    client, ca, _ = stock(scene)
    return Client(scene, client, URL, "--group", "nosuch", ca=ca.file).report()


@row("58b", "a group that is not among the gateway's", "configurationFailed", against=STOCK,
     within=3.0, having=["nosuch", "staff"])
def other_group(scene):
    client, ca, _ = stock(scene, options={"select-group": ["staff", "guests"]})
    return Client(scene, client, URL, "--group", "nosuch", ca=ca.file).report()


@row("60", "the provider process is killed", "pluginFailed", "SIGKILL", against=STOCK, within=3.0)
def provider_killed(scene):
    client, _, _ = running(scene)
    children = f"/proc/{client.process.pid}/task/{client.process.pid}/children"
    with open(children) as file:
        (provider,) = file.read().split()
    client.fault()
    os.kill(int(provider), 9)
    return client.report()
