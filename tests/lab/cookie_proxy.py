"""A TLS proxy before a gateway that changes or remembers the session cookie of a CONNECT."""

import re
import socket
import ssl
import threading

from .tls_server import TlsServer


class CookieProxy(TlsServer):
    """change(cookie) gives the cookie that the gateway sees; `cookies` are those that came."""

    def __init__(self, host, port, tls, to_port, change=lambda cookie: cookie):
        self.host, self.to_port, self.change = host, to_port, change
        self.cookies = []
        super().__init__(host, port, tls, self._proxy)

    def _proxy(self, client):
        gateway = dial_tls(self.host, "127.0.0.1", self.to_port)
        self.connections.append(gateway)
        back = threading.Thread(target=_copy, args=(gateway, client), daemon=True)
        back.start()
        while data := client.recv(16384):
            gateway.sendall(self._changed(data))
        gateway.close()
        back.join()

    def _changed(self, data):
        if not data.startswith(b"CONNECT "):
            return data
        found = re.search(rb"webvpn=([^;\r\n]+)", data)
        cookie = found.group(1).decode()
        self.cookies.append(cookie)
        return data.replace(found.group(1), self.change(cookie).encode())


def _copy(source, target):
    try:
        while data := source.recv(16384):
            target.sendall(data)
        target.unwrap()
    except OSError:
        pass  # Either side ended without a word: so must the other.
    end(target)


def end(stream):
    """FIN in both directions, unless it is gone already."""
    try:
        stream.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def dial_tls(host, address, port):
    """A TLS connection from a host that believes any certificate: the lab talks to itself."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    plain = host.dial(address, port)
    plain.settimeout(None)
    return tls.wrap_socket(plain)


def take_over(host, address, port, cookie):
    """Uses the cookie on a connection of its own, as a second device would; the open stream."""
    stream = dial_tls(host, address, port)
    stream.sendall(f"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: vpn.test\r\n"
                   f"User-Agent: Open AnyConnect VPN Agent v9.01\r\nCookie: webvpn={cookie}\r\n"
                   f"X-CSTP-Version: 1\r\nX-CSTP-Address-Type: IPv4\r\n"
                   f"X-CSTP-Base-MTU: 1500\r\n\r\n"
                   .encode())
    answer = stream.recv(4096)
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"the cookie was not taken: {answer[:200]!r}")
    return stream
