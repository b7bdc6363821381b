"""Faulty clients at our gateway: what it writes into its log about each (rows S1 to S30)."""

import ssl
import time

from cryptography.hazmat.primitives import hashes

from lab import listener, pki, record, relay
from lab.cases import eventually
from lab.client import Report
from lab.gateway import Gateway
from lab.pki import DAY
from lab.relay import Relay, edit_hello
from rows import row

OURS = "our gateway"
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Setup:
    """A gateway, and a client host from which anything may be sent."""

    def __init__(self, scene, make=None, revoke=False, **kwargs):
        """make(authority): the client's identity, for a gateway that asks for one."""
        self.scene = scene
        self.host, self.server = scene.pair()
        self.ca = pki.Authority(scene.folder)
        self.identity = make(self.ca) if make else None
        self.gateway = Gateway(scene, self.server, self.ca.issue("server", ["vpn.test"]),
                               ca=self.ca.file if kwargs else None,
                               crl=self.ca.revoke(self.identity) if revoke else None, **kwargs)
        self.began = time.monotonic()

    def dial(self, port=443):
        self.began = time.monotonic()
        return self.host.dial("10.77.0.2", port)

    def handshake(self, tls=None, port=443):
        """The stream of a client that believes any certificate; None when it was refused."""
        try:
            tls = tls or client_context()
            return tls.wrap_socket(self.dial(port), server_hostname="vpn.test")
        except OSError:
            return None

    def harmed(self, *rules, tls=None):
        """A handshake of which records are harmed on their way to the gateway."""
        self.scene.keep(Relay(self.server, 444, 443, rules, to="10.77.0.2"))
        if stream := self.handshake(tls, 444):
            try:
                stream.sendall(b"GET / HTTP/1.1\r\nHost: vpn.test\r\n\r\n")
                stream.recv(100)
            except OSError:
                pass  # The gateway's log says what happened.
        return self.logged()

    def logged(self, timeout=15.0):
        """The first incident of the gateway's log, as a report."""
        eventually(self.gateway.incidents, "the gateway logged nothing", timeout)
        return Report(self.gateway.incidents()[:1], None, time.monotonic() - self.began, "")


def client_context(maximum=TLS13, minimum=TLS12, ciphers="DEFAULT:@SECLEVEL=0", identity=None):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    tls.set_ciphers(ciphers)
    tls.minimum_version, tls.maximum_version = minimum, maximum
    if identity:
        tls.load_cert_chain(identity.chain, identity.key)
    return tls


@row("S1", "a client without a suite in common", "", "errSSLNegotiation", against=OURS)
def no_suite(scene):
    def only_unknown(suites, extensions):
        suites[:] = [0xC07B]
        extensions[:] = [e for e in extensions if e[0] not in (43, 51, 45)]
    return Setup(scene).harmed(("c2s", 0, edit_hello(only_unknown)))


@row("S2", "a client that only has TLS 1.1", "", "errSSLNegotiation", against=OURS)
def old_client(scene):
    setup = Setup(scene)
    setup.handshake(client_context(ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1))
    return setup.logged()


@row("S3", "a client that speaks plain HTTP", "", "errSSLProtocol", against=OURS, having=["HTTP"])
def plain_http(scene):
    setup = Setup(scene)
    with setup.dial() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: vpn.test\r\n\r\n")
        return setup.logged()


@row("S4", "a client that does not trust the gateway", "", "errSSLPeerUnknownCA", against=OURS)
def distrusted(scene):
    setup = Setup(scene)
    tls = ssl.create_default_context()
    try:
        tls.wrap_socket(setup.dial(), server_hostname="vpn.test")
    except ssl.SSLError:
        pass  # This is the fault.
    return setup.logged()


@row("S5", "a damaged record of a client", "", "errSSLDecryptionFail|errSSLBadRecordMac",
     against=OURS)
def damaged(scene):
    return Setup(scene).harmed(("c2s", 2, relay.flip()))


@row("S6", "a record of a client longer than allowed", "", "errSSLRecordOverflow", against=OURS)
def too_long(scene):
    return Setup(scene).harmed(("c2s", 2, relay.too_big))


@row("S7", "a record of an unknown type", "", "errSSLUnexpectedRecord", against=OURS)
def unknown_type(scene):
    return Setup(scene).harmed(("c2s", 1, relay.retype(99)))


@row("S8", "a client that ends inside a record", "", "errSSLClosedAbort", against=OURS)
def ends_inside(scene):
    setup = Setup(scene)
    with setup.dial() as connection:
        connection.sendall(record.record(record.HANDSHAKE, b"\x01\x00\x01\x00" + bytes(50))[:40])
        connection.shutdown(1)
        return setup.logged()


@row("S9", "a client that ends between two records", "", "errSSLClosedNoNotify", against=OURS)
def ends_between(scene):
    return Setup(scene).harmed(("c2s", 1, relay.fin))


@row("S10", "a client that resets the connection", "", "errSSLTransportReset", against=OURS)
def resets(scene):
    setup = Setup(scene)
    connection = setup.dial()
    connection.sendall(record.record(record.HANDSHAKE, b"\x01\x00\x01\x00" + bytes(50))[:40])
    time.sleep(0.2)
    listener.reset(connection)
    return setup.logged()


@row("S11", "a client that stops in the middle of its hello", "", "errSSLNetworkTimeout", within=35.0,
     against=OURS)
def silent(scene):
    setup = Setup(scene)
    with setup.dial() as connection:
        connection.sendall(record.record(record.HANDSHAKE, b"\x01\x00\x01\x00" + bytes(50))[:40])
        return setup.logged(40)


@row("S12", "a second ClientHello", "", "errSSLUnexpectedMessage|errSSLProtocol",
     against=OURS)
def second_hello(scene):
    return Setup(scene).harmed(("c2s", 0, relay.double), tls=client_context(TLS12))


@row("S13", "a fallback that was not needed", "", "errSSLInappropriateFallback", against=OURS)
def fallback(scene):
    def falls_back(suites, extensions):
        suites.append(0x5600)
        extensions[:] = [e for e in extensions if e[0] not in (43, 51, 45)]
    return Setup(scene).harmed(("c2s", 0, edit_hello(falls_back)))


@row("S14", "a TLS 1.3 hello without groups and key shares", "", "errSSLMissingExtension",
     against=OURS)
def no_key_share(scene):
    def without(_, extensions):
        extensions[:] = [e for e in extensions if e[0] not in (51, 10)]
    return Setup(scene).harmed(("c2s", 0, edit_hello(without)), tls=client_context(minimum=TLS13))


@row("S15", "a hello that does not add up", "", "errSSLDecodeError", against=OURS)
def malformed(scene):
    setup = Setup(scene)
    with setup.dial() as connection:
        connection.sendall(record.record(record.HANDSHAKE, record.message(
            1, b"\x03\x03" + bytes(32) + b"\xff" + bytes(40))))
        return setup.logged()


BY_CERTIFICATE = {"authentication": {"method": "certificate", "certificate_refusal": "alert"}}


def by_certificate(scene, make, revoke=False):
    """A client whose certificate, or the lack of one, the gateway refuses by an alert."""
    setup = Setup(scene, make, revoke, sections=BY_CERTIFICATE)
    if stream := setup.handshake(client_context(identity=setup.identity)):
        try:
            stream.recv(1)
        except OSError:
            pass  # The alert of TLS 1.3 comes behind the handshake.
    return setup.logged()


@row("S20", "a client certificate that expired", "clientCertificateExpired", "errSSLCertExpired",
     against=OURS)
def certificate_expired(scene):
    return by_certificate(scene, lambda ca: ca.issue("alice", usage=pki.CLIENT, user="alice",
                                                     starts=-9 * DAY, ends=-2 * DAY))


@row("S21", "a client certificate that is not yet valid", "clientCertificateNotYetValid",
     "errSSLCertNotYetValid", against=OURS)
def certificate_future(scene):
    return by_certificate(scene, lambda ca: ca.issue("alice", usage=pki.CLIENT, user="alice",
                                                     starts=2 * DAY))


@row("S22", "a client certificate that was revoked", "clientCertificateInvalid",
     "errSSLXCertChainInvalid", "errSecCertificateRevoked", against=OURS)
def certificate_revoked(scene):
    return by_certificate(scene, lambda ca: ca.issue("alice", usage=pki.CLIENT, user="alice"), True)


@row("S23", "a client certificate of another authority", "clientCertificateInvalid",
     "errSSLUnknownRootCert|errSSLNoRootCert", against=OURS)
def certificate_foreign(scene):
    return by_certificate(scene, lambda _: pki.Authority(scene.folder, "elsewhere").issue(
        "alice", usage=pki.CLIENT, user="alice"))


@row("S24", "a server certificate as client certificate", "clientCertificateInvalid",
     "errSSLXCertChainInvalid", "errSecInvalidExtendedKeyUsage", against=OURS)
def certificate_purpose(scene):
    return by_certificate(scene, lambda ca: ca.issue("alice", usage=pki.SERVER, user="alice"))


@row("S25", "a client certificate signed with SHA-1", "clientCertificateInvalid",
     "errSSLATSLeafCertificateHashAlgorithmViolation", against=OURS)
def certificate_weak_hash(scene):
    return by_certificate(scene, lambda ca: ca.issue("alice", usage=pki.CLIENT, user="alice",
                                                     digest=hashes.SHA1()))


@row("S26", "a client certificate with a small key", "clientCertificateInvalid",
     "errSSLATSMinimumKeySizeViolation", against=OURS)
def certificate_small_key(scene):
    return by_certificate(scene, lambda ca: ca.issue("alice", usage=pki.CLIENT, user="alice",
                                                     rsa_bits=1024))


@row("S27", "no client certificate", "clientCertificateInvalid", "errSSLCertificateRequired",
     against=OURS)
def certificate_missing(scene):
    return by_certificate(scene, None)
