"""A TLS server with a given certificate, versions and suites; what is said inside is given."""

import socket
import ssl

from .listener import Server


def context(identity, minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.MAXIMUM_SUPPORTED,
            ciphers="DEFAULT:@SECLEVEL=0", client_ca=None, crl=None):
    """Security level 0: the lab must be able to offer what a client has to refuse."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers(ciphers)
    made.minimum_version = minimum
    made.maximum_version = maximum
    made.load_cert_chain(identity.chain, identity.key)
    if client_ca:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(client_ca)
    if crl:
        made.load_verify_locations(crl)
        made.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return made


class TlsServer(Server):
    """serve(stream) gets each connection once its handshake is done; failures are collected."""

    def __init__(self, host, port, tls, serve=None):
        self.tls = tls
        self.inner = serve or waits
        self.failures = []
        super().__init__(host, port, self._serve_tls)

    def _serve_tls(self, connection):
        try:
            stream = self.tls.wrap_socket(connection, server_side=True)
        except (ssl.SSLError, OSError) as failure:
            self.failures.append(failure)
            return
        try:
            self.inner(stream)
        except (ssl.SSLError, OSError) as failure:
            self.failures.append(failure)


def waits(stream):
    """Reads whatever comes and never answers."""
    while stream.recv(4096):
        continue


def ends(stream):
    """Says close_notify, then FIN."""
    plain = stream.unwrap()
    plain.shutdown(socket.SHUT_WR)


def drops(stream):
    """FIN without close_notify, after what was sent."""
    stream.shutdown(socket.SHUT_WR)
    stream.close()
