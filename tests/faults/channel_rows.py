"""Faults of the secure channel: records harmed on their way, defective chains (rows C1 to C45)."""

import ssl

from cryptography.hazmat.primitives import hashes

from lab import pki, record, relay, web_server
from lab.alert_server import AlertServer
from lab.client import Client
from lab.pki import DAY
from lab.relay import Relay
from lab.tls_server import TlsServer, context, ends
from rows import row

URL = "https://vpn.test/"
RELAYED = "https://vpn.test:444/"
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
FORM = web_server.answers(web_server.response("200 OK", web_server.FORM, kind="text/xml"))


def harmed(scene, version, *rules, ciphers="DEFAULT:@SECLEVEL=0"):
    """Our client behind a relay that harms records, at a server of one TLS version."""
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    tls = context(ca.issue("server", ["vpn.test"]), version, version, ciphers)
    scene.keep(TlsServer(server, 443, tls, FORM))
    scene.keep(Relay(server, 444, 443, rules))
    return Client(scene, client, RELAYED, ca=ca.file).report()


# In TLS 1.2 the records of the server are: ServerHello, Certificate, ServerKeyExchange,
# ServerHelloDone, then (with tickets) NewSessionTicket, ChangeCipherSpec, Finished. In TLS 1.3:
# ServerHello, ChangeCipherSpec, then only encrypted ones.

@row("C1", "an encrypted record is damaged on the way (AEAD)", "negotiationFailed",
     "errSSLDecryptionFail")
def damaged_record(scene):
    return harmed(scene, TLS13, ("s2c", 3, relay.flip()))


@row("C2", "an encrypted record is damaged on the way (HMAC)", "negotiationFailed",
     "errSSLBadRecordMac", within=3.0)
def damaged_mac(scene):
    return harmed(scene, TLS12, ("s2c", "after CCS 1", relay.flip()),
                  ciphers="ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")


@row("C3", "a record longer than allowed", "negotiationFailed", "errSSLRecordOverflow")
def too_long(scene):
    return harmed(scene, TLS13, ("s2c", 3, relay.too_big))


@row("C4", "a record of an unknown type", "negotiationFailed", "errSSLUnexpectedRecord")
def unknown_type(scene):
    return harmed(scene, TLS12, ("s2c", 1, relay.retype(99)))


@row("C5", "a handshake message is missing", "negotiationFailed", "errSSLUnexpectedMessage")
def missing_message(scene):
    return harmed(scene, TLS12, ("s2c", 1, relay.swallow))


@row("C6", "the ServerHello does not add up", "negotiationFailed", "errSSLDecodeError")
def malformed_hello(scene):
    # The last two bytes before the extensions say how long these are.
    hello = record.server_hello(extensions=b"\xff\x01\x00\x05\x00")
    return answered(scene, hello)


@row("C7", "FIN between two records of the handshake", "serverNotResponding|negotiationFailed",
     "errSSLClosedNoNotify")
def fin_on_boundary(scene):
    return harmed(scene, TLS13, ("s2c", 2, relay.fin))


@row("C8", "FIN inside a record of the handshake", "serverNotResponding|negotiationFailed",
     "errSSLClosedAbort")
def fin_inside_record(scene):
    return harmed(scene, TLS13, ("s2c", 2, relay.fin_inside))


@row("C9", "RST in the handshake", "serverNotResponding", "errSSLTransportReset")
def reset_in_handshake(scene):
    return harmed(scene, TLS13, ("s2c", 2, relay.rst))


@row("C10", "the handshake stops in the middle", "serverNotResponding", "errSSLNetworkTimeout",
     within=12.0)
def handshake_stops(scene):
    return harmed(scene, TLS13, ("s2c", 2, relay.hang))


@row("C11", "close_notify instead of an answer", "serverNotResponding|negotiationFailed",
     "errSSLClosedGraceful", within=3.0)
def graceful_end(scene):
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    scene.keep(TlsServer(server, 443, context(ca.issue("server", ["vpn.test"])), ends))
    return Client(scene, client, URL, ca=ca.file).report()


def answered(scene, words, url=URL):
    """Our client whose ClientHello is answered with these bytes."""
    client, server = scene.pair()
    scene.keep(AlertServer(server, 443, answer=words))
    return Client(scene, client, url).report()


@row("C12", "the server picks a suite that was not offered", "negotiationFailed",
     "errSSLBadCipherSuite")
def suite_not_offered(scene):
    return answered(scene, record.server_hello(suite=0x0005))


@row("C13", "an extension that was not asked for", "negotiationFailed",
     "errSSLUnsupportedExtension")
def unasked_extension(scene):
    return answered(scene, record.server_hello(
        extensions=b"\xff\x01\x00\x01\x00" + b"\x00\x10\x00\x05\x00\x03\x02h2"))


@row("C14", "a TLS 1.3 answer without a key share", "negotiationFailed",
     "errSSLMissingExtension|errSSLHandshakeFail")
def no_key_share(scene):
    client, server = scene.pair()
    scene.keep(AlertServer(server, 443, answer=record.hello_without_share))
    return Client(scene, client, URL).report()


@row("C15", "a server that only has suites without forward secrecy", "negotiationFailed",
     "errSSLATSCiphersuiteViolation")
def no_forward_secrecy(scene):
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    tls = context(ca.issue("server", ["vpn.test"], rsa_bits=2048), TLS12, TLS12,
                  "AES128-GCM-SHA256:@SECLEVEL=0")
    scene.keep(TlsServer(server, 443, tls, FORM))
    return Client(scene, client, URL, ca=ca.file).report()


@row("C16", "a server whose Diffie-Hellman group is small", "negotiationFailed",
     "errSSLWeakPeerEphemeralDHKey")
def small_group(scene):
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    tls = context(ca.issue("server", ["vpn.test"], rsa_bits=2048), TLS12, TLS12,
                  "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    tls.load_dh_params(scene.write("dh1024.pem", pki.small_group()))
    scene.keep(TlsServer(server, 443, tls, FORM))
    return Client(scene, client, URL, ca=ca.file).report()


def chain(scene, make, *options, names=("vpn.test",), url=URL):
    """Our client at a server whose identity is make(root)."""
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    scene.keep(TlsServer(server, 443, context(make(ca)), FORM))
    return Client(scene, client, url, *options, ca=ca.file).report()


def between(scene, root, **defects):
    """A server certificate under an authority with a defect under the root."""
    return pki.Authority(scene.folder, "office", root, **defects).issue("server", ["vpn.test"])


@row("C20", "the key of the server certificate is small",
     "serverCertificateInvalid|negotiationFailed", "errSSLATSMinimumKeySizeViolation",
     having=["1024", "2048"])
def small_key(scene):
    return chain(scene, lambda ca: ca.issue("server", ["vpn.test"], rsa_bits=1024))


@row("C21", "the server certificate is signed with SHA-1", "serverCertificateInvalid",
     "errSSLATSLeafCertificateHashAlgorithmViolation")
def weak_leaf(scene):
    return chain(scene, lambda ca: ca.issue("server", ["vpn.test"], digest=hashes.SHA1()))


@row("C22", "an issuer's certificate is signed with SHA-1", "serverCertificateInvalid",
     "errSSLATSCertificateHashAlgorithmViolation")
def weak_issuer(scene):
    return chain(scene, lambda ca: between(scene, ca, digest=hashes.SHA1()))


@row("C23", "the certificate has another key than the pinned one", "serverCertificateInvalid",
     "errSSLATSCertificateTrustViolation", having=["pin-sha256"])
def other_pin(scene):
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    scene.keep(TlsServer(server, 443, context(ca.issue("server", ["vpn.test"])), FORM))
    return Client(scene, client, URL, "--pin", ca.issue("other", ["vpn.test"]).pin(),
                  ca=ca.file).report()


@row("C24", "the certificate is for clients", "serverCertificateInvalid",
     "errSSLXCertChainInvalid", "errSecInvalidExtendedKeyUsage")
def wrong_purpose(scene):
    return chain(scene, lambda ca: ca.issue("server", ["vpn.test"], usage=pki.CLIENT))


@row("C25", "the issuer is no authority", "serverCertificateInvalid", "errSSLXCertChainInvalid",
     "errSecNoBasicConstraintsCA")
def no_authority(scene):
    return chain(scene, lambda ca: between(scene, ca, ca=False))


@row("C26", "the path is longer than an authority allows", "serverCertificateInvalid",
     "errSSLXCertChainInvalid", "errSecPathLengthConstraintExceeded")
def path_too_long(scene):
    def make(ca):
        short = pki.Authority(scene.folder, "short", ca, path_length=0)
        return pki.Authority(scene.folder, "below", short).issue("server", ["vpn.test"])
    return chain(scene, make)


@row("C27", "the issuer may not issue for this name", "serverCertificateInvalid",
     "errSSLXCertChainInvalid", "errSecCertificateNameNotAllowed")
def name_not_permitted(scene):
    return chain(scene, lambda ca: between(scene, ca, permitted="other.test"))


@row("C28", "a critical extension that nobody knows", "serverCertificateInvalid",
     "errSSLXCertChainInvalid", "errSecUnknownCriticalExtensionFlag")
def critical_extension(scene):
    return chain(scene, lambda ca: ca.issue("server", ["vpn.test"], critical=b"\x05\x00"))


@row("C29", "the signature of the certificate is wrong", "serverCertificateInvalid",
     "errSSLXCertChainInvalid|errSSLBadCert")
def bad_signature(scene):
    return chain(scene, lambda ca: ca.issue("server", ["vpn.test"]).break_signature())


@row("C30", "the certificate is no certificate", "serverCertificateInvalid", "errSSLBadCert")
def malformed_certificate(scene):
    nonsense = b"\x30\x82\x01\x00" + bytes(90)
    return answered(scene, record.server_hello() + record.certificate(nonsense) +
                    record.SERVER_HELLO_DONE)


@row("C31", "the issuer is missing", "serverCertificateInvalid", "errSSLNoRootCert")
def missing_issuer(scene):
    return chain(scene, lambda ca: between(scene, ca).without_issuers())


@row("C32", "an address instead of a name", "serverCertificateInvalid", "errSSLHostNameMismatch",
     having=["10\\.77\\.0\\.2"])
def address_not_named(scene):
    return chain(scene, lambda ca: ca.issue("server", ["vpn.test"]), url="https://10.77.0.2/")


@row("C33", "a name only as common name", "serverCertificateInvalid", "errSSLHostNameMismatch")
def only_common_name(scene):
    return chain(scene, lambda ca: ca.issue("server", common_name="vpn.test"))


@row("C34", "the trusted root expired", "serverCertificateExpired", "errSSLCertExpired",
     having=["lab root"])
def root_expired(scene):
    client, server = scene.pair()
    ca = pki.Authority(scene.folder, starts=-30 * DAY, ends=-DAY)
    scene.keep(TlsServer(server, 443, context(ca.issue("server", ["vpn.test"])), FORM))
    return Client(scene, client, URL, ca=ca.file).report()


@row("C35", "a pin does not excuse an expired certificate", "serverCertificateExpired",
     "errSSLCertExpired")
def pinned_and_expired(scene):
    client, server = scene.pair()
    identity = pki.Authority(scene.folder).issue("server", ["mail.test"], starts=-9 * DAY,
                                                 ends=-2 * DAY)
    scene.keep(TlsServer(server, 443, context(identity), FORM))
    return Client(scene, client, URL, "--pin", identity.pin()).report()


def with_library(scene, config):
    """Our client with an OpenSSL configuration that takes something away."""
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    scene.keep(TlsServer(server, 443, context(ca.issue("server", ["vpn.test"])), FORM))
    prefix = ["env", f"OPENSSL_CONF={scene.write('openssl.cnf', config)}"]
    return Client(scene, client, URL, ca=ca.file, prefix=prefix).report()


@row("C40", "the library may only use FIPS and has none", "configurationFailed|negotiationFailed",
     "errSSLCrypto")
def no_algorithms(scene):
    return with_library(scene, "openssl_conf = init\n[init]\nalg_section = algorithms\n"
                        "[algorithms]\ndefault_properties = fips=yes\n")


@row("C41", "the library may not use its module of algorithms", "configurationFailed|negotiationFailed",
     "errSSLModuleAttach")
def no_module(scene):
    return with_library(scene, "openssl_conf = init\n[init]\nproviders = providers\n[providers]\n"
                        "base = base\n[base]\nactivate = 1\n")


@row("C42", "the file of trusted authorities holds none", "configurationFailed",
     "errSSLConfigurationFailed|errSSLBadCert")
def empty_trust(scene):
    client, _ = scene.pair()
    return Client(scene, client, URL, ca=scene.write("empty.pem", "nothing\n")).report()
