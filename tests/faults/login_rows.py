"""Faults of a login at stock ocserv, and of its certificate (rows 9 to 20, 23 to 25)."""

import ssl

from lab import pki, record
from lab.alert_server import AlertServer
from lab.client import Client
from lab.ocserv import Ocserv
from lab.pki import DAY
from lab.tls_server import TlsServer, context
from rows import row

STOCK = "ocserv"
URL = "https://vpn.test/"
CREDENTIALS = "user or password"
CERTIFICATE = "certificate at a gateway that says nothing"
OLD = "a server that only has TLS 1.1"
NO_ANSWER = "a gateway that ends the handshake without a word"


def stock(scene, identity=None, names=("vpn.test",), **kwargs):
    """(client host, authority, ocserv) with a good certificate unless another is given."""
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    identity = identity(ca) if identity else ca.issue("server", names)
    return client, ca, Ocserv(scene, server, identity, **kwargs)


@row("9", "wrong password (on standard input)", "authenticationFailed", against=STOCK,
     family=CREDENTIALS, within=3.0)
def wrong_password(scene):
    client, ca, _ = stock(scene)
    return Client(scene, client, URL, "--password-fd", "0", password=None, stdin="wrong\n",
                  ca=ca.file).report()


@row("10", "wrong password (from a file, nobody to ask)", "authenticationFailed", against=STOCK,
     family=CREDENTIALS, within=3.0)
def wrong_password_file(scene):
    client, ca, _ = stock(scene)
    return Client(scene, client, URL, password="wrong", ca=ca.file).report()


@row("11", "unknown user", "authenticationFailed", against=STOCK, family=CREDENTIALS, within=3.0)
def unknown_user(scene):
    client, ca, _ = stock(scene)
    return Client(scene, client, URL, user="mallory", ca=ca.file).report()


@row("11b", "no password, and no terminal to ask at", "authenticationFailed", against=STOCK,
     having=["password"])
def unanswered(scene):
    client, ca, _ = stock(scene)
    return Client(scene, client, URL, password=None, ca=ca.file).report()


def server_certificate(scene, identity, trust=None):
    client, ca, _ = stock(scene, identity)
    return Client(scene, client, URL, ca=trust or ca.file).report()


@row("12", "server certificate expired", "serverCertificateExpired", "errSSLCertExpired",
     against=STOCK, having=["3 days"])
def server_expired(scene):
    return server_certificate(scene, lambda ca: ca.issue("server", ["vpn.test"], starts=-9 * DAY,
                                                         ends=-3 * DAY))


@row("12b", "issuer of the server certificate expired", "serverCertificateExpired",
     "errSSLCertExpired", against=STOCK, having=["office"])
def issuer_expired(scene):
    return server_certificate(scene, lambda ca: pki.Authority(
        scene.folder, "office", ca, starts=-9 * DAY, ends=-3 * DAY).issue("server", ["vpn.test"]))


@row("13", "server certificate not yet valid", "serverCertificateNotYetValid",
     "errSSLCertNotYetValid", against=STOCK)
def server_future(scene):
    return server_certificate(scene, lambda ca: ca.issue("server", ["vpn.test"], starts=2 * DAY))


@row("14", "unknown authority", "serverCertificateInvalid",
     "errSSLUnknownRootCert", against=STOCK)
def unknown_authority(scene):
    trusted = pki.Authority(scene.folder, "elsewhere")
    return server_certificate(scene, lambda ca: ca.issue("server", ["vpn.test"]).with_root(ca),
                              trusted.file)


@row("14b", "self-signed server certificate", "serverCertificateInvalid", "errSSLUnknownRootCert",
     against=STOCK)
def self_signed(scene):
    return server_certificate(scene, lambda ca: ca.self_signed("server", ["vpn.test"]))


@row("15", "host name mismatch", "serverCertificateInvalid", "errSSLHostNameMismatch",
     against=STOCK, having=["vpn.test", "mail.test"])
def wrong_name(scene):
    return server_certificate(scene, lambda ca: ca.issue("server", ["mail.test"]))


def client_certificate(scene, **defects):
    """A login by certificate at an ocserv that trusts the same authority."""
    client, ca, _ = stock(scene, auth="certificate", ca=scene.folder / "lab-root.pem")
    identity = ca.issue("alice", usage=pki.CLIENT, user="alice", **defects)
    return Client(scene, client, URL, "--certificate", identity.chain, "--key", identity.key,
                  password=None, ca=ca.file).report()


@row("16", "client certificate expired", "clientCertificateExpired", against=STOCK)
def client_expired(scene):
    return client_certificate(scene, starts=-9 * DAY, ends=-2 * DAY)


@row("17", "client certificate not yet valid", "clientCertificateNotYetValid", against=STOCK)
def client_future(scene):
    return client_certificate(scene, starts=2 * DAY)


@row("18", "client certificate revoked", "clientCertificateInvalid", against=STOCK,
     family=CERTIFICATE, having=["revoked"])
def client_revoked(scene):
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    identity = ca.issue("alice", usage=pki.CLIENT, user="alice")
    Ocserv(scene, server, ca.issue("server", ["vpn.test"]), auth="certificate", ca=ca.file,
           options={"crl": ca.revoke(identity)})
    return Client(scene, client, URL, "--certificate", identity.chain, "--key", identity.key,
                  password=None, ca=ca.file).report()


@row("19", "client certificate from another authority", "clientCertificateInvalid", against=STOCK,
     family=CERTIFICATE)
def client_foreign(scene):
    client, ca, _ = stock(scene, auth="certificate", ca=scene.folder / "lab-root.pem")
    identity = pki.Authority(scene.folder, "elsewhere").issue("alice", usage=pki.CLIENT,
                                                              user="alice")
    return Client(scene, client, URL, "--certificate", identity.chain, "--key", identity.key,
                  password=None, ca=ca.file).report()


@row("20", "no client certificate where one is required", "clientCertificateInvalid",
     "errSSLClientCertRequested|errSSLCertificateRequired", against=STOCK)
def client_without(scene):
    client, ca, _ = stock(scene, auth="certificate", ca=scene.folder / "lab-root.pem")
    return Client(scene, client, URL, password=None, ca=ca.file).report()


@row("23", "no TLS version in common", "negotiationFailed|serverNotResponding", against=STOCK,
     family=OLD)
def version_mismatch(scene):
    client, ca, _ = stock(scene, options={"tls-priorities": '"NORMAL:-VERS-ALL:+VERS-TLS1.1"'})
    return Client(scene, client, URL, ca=ca.file).report()


@row("24", "no cipher suite in common", "negotiationFailed|serverNotResponding", against=STOCK,
     family=NO_ANSWER)
def cipher_mismatch(scene):
    client, ca, _ = stock(scene, options={
        "tls-priorities": '"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CAMELLIA-256-GCM"'})
    return Client(scene, client, URL, ca=ca.file).report()


@row("25a", "a server that only has TLS 1.1 (it sends alert 70)", "negotiationFailed",
     "errSSLPeerProtocolVersion", against="openssl", family="alert 70", having=["1\\.2"])
def old_server(scene):
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    tls = context(ca.issue("server", ["vpn.test"]), ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)
    scene.keep(TlsServer(server, 443, tls))
    return Client(scene, client, URL, ca=ca.file).report()


@row("25b", "a server that answers with TLS 1.1", "negotiationFailed",
     "errSSLATSMinimumVersionViolation", having=["1\\.1", "1\\.2"],
     family=OLD, within=3.0)
def old_answer(scene):
    client, server = scene.pair()
    scene.keep(AlertServer(server, 443, answer=record.server_hello(0x0302, 0xC013)))
    return Client(scene, client, URL).report()


@row("42", "max-clients reached", "serverNotResponding", against=STOCK, family=NO_ANSWER,
     within=3.0)
def gateway_full(scene):
    client, ca, _ = stock(scene, options={"max-clients": 1})
    Client(scene, client, URL, "--interface", "first0", ca=ca.file, name="first").connected()
    return Client(scene, client, URL, ca=ca.file).report()
