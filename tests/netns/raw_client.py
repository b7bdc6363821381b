"""A client written by hand, that may say what no honest client would: CSTP over Python's ssl."""

import re
import socket
import ssl
import struct
import time

LOGIN = """<?xml version="1.0" encoding="UTF-8"?>
<config-auth client="vpn" type="{kind}"><version who="vpn">v9.01</version>
<device-id>linux-64</device-id>{group}<auth>{fields}</auth></config-auth>"""

DATA, DPD, DPD_ANSWER, DISCONNECT, KEEPALIVE = 0, 3, 4, 5, 7


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo(source, target, number=1, identifier=0x4357):
    """An ICMP echo request in IPv4."""
    icmp = struct.pack(">BBHHH", 8, 0, 0, identifier, number) + bytes(32)
    icmp = icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:]
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), 0, 0, 64, 1, 0,
                       socket.inet_aton(source), socket.inet_aton(target))
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return head + icmp


class RawClient:
    """On a host of the lab; connected to the gateway by TLS from the start."""

    def __init__(self, host, address="10.77.0.2", port=443):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.tls = context.wrap_socket(host.dial(address, port), server_hostname="vpn.test")
        self.tls.settimeout(10)
        self.buffer = b""
        self.context = ""
        self.cookie = ""
        self.headers = {}

    def send(self, data):
        self.tls.sendall(data)

    def receive(self):
        """More bytes; nothing at the end."""
        try:
            return self.tls.recv(65536)
        except (ssl.SSLError, ConnectionError):
            return b""

    def post(self, body):
        """(status line, headers and body) of the answer."""
        cookie = f"Cookie: webvpncontext={self.context}\r\n" if self.context else ""
        self.send((f"POST / HTTP/1.1\r\nHost: vpn.test\r\n{cookie}"
                   f"User-Agent: OpenConnect VPN Agent (raw)\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
        return self.answer()

    def answer(self):
        while b"\r\n\r\n" not in self.buffer:
            more = self.receive()
            if not more:
                break
            self.buffer += more
        head, _, rest = self.buffer.partition(b"\r\n\r\n")
        text = head.decode()
        length = re.search(r"(?i)content-length: *(\d+)", text)
        wanted = int(length.group(1)) if length else 0
        while len(rest) < wanted:
            rest += self.receive()
        self.buffer = rest[wanted:]
        context = re.search(r"webvpncontext=([^;\s]+)", text)
        self.context = context.group(1) if context else self.context
        cookie = re.search(r"webvpn=([^;\s]+)", text)
        self.cookie = cookie.group(1) if cookie else self.cookie
        return text.split("\r\n")[0], text + "\n" + rest[:wanted].decode()

    def log_in(self, user="alice", password="secret", group=""):
        """The answer to the last form."""
        chosen = f"<group-select>{group}</group-select>" if group else ""
        self.post(LOGIN.format(kind="init", group=chosen, fields=""))
        answer = self.post(LOGIN.format(kind="auth-reply", group=chosen,
                                        fields=f"<username>{user}</username>"))
        if not self.cookie and " 200 " in answer[0]:
            answer = self.post(LOGIN.format(kind="auth-reply", group=chosen,
                                            fields=f"<password>{password}</password>"))
        return answer

    def connect(self, cookie=None):
        """CONNECT; the status line. Afterwards `headers` says what was granted."""
        self.cookie = cookie or self.cookie
        self.send((f"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: vpn.test\r\n"
                   f"Cookie: webvpn={self.cookie}\r\nX-CSTP-Version: 1\r\n"
                   f"X-CSTP-Base-MTU: 1500\r\nX-CSTP-Address-Type: IPv6,IPv4\r\n"
                   f"X-CSTP-Full-IPv6-Capability: true\r\n\r\n").encode())
        status, text = self.answer()
        self.headers = dict(line.split(": ", 1) for line in text.split("\r\n") if ": " in line)
        return status

    @property
    def address(self):
        return self.headers["X-CSTP-Address"]

    def put(self, kind, payload=b""):
        """One CSTP packet in one TLS record."""
        self.send(b"STF\x01" + struct.pack(">HBB", len(payload), kind, 0) + payload)

    def take(self, seconds=2.0):
        """The next CSTP packet as (type, payload); nothing when none came in time."""
        end = time.monotonic() + seconds
        while True:
            if len(self.buffer) >= 8:
                size, kind = struct.unpack(">HB", self.buffer[4:7])
                if len(self.buffer) >= 8 + size:
                    payload, self.buffer = self.buffer[8:8 + size], self.buffer[8 + size:]
                    return kind, payload
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.tls.settimeout(left)
            try:
                more = self.tls.recv(65536)
            except (ssl.SSLError, ConnectionError, TimeoutError):
                return None
            if not more:
                return None
            self.buffer += more

    def take_data(self, seconds=1.0):
        """All IP packets that come within a time."""
        packets = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            got = self.take(left)
            if got is None:
                break
            if got[0] == DATA:
                packets.append(got[1])
        return packets

    def take_goodbye(self, seconds=5.0):
        """(reason byte, text) of a DISCONNECT."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            got = self.take(left)
            if got is None:
                return None
            if got[0] == DISCONNECT:
                return got[1][0], got[1][1:].decode()
        return None

    def close(self):
        self.tls.close()


def connected(host, user="alice", password="secret"):
    """A client with a tunnel."""
    client = RawClient(host)
    client.log_in(user, password)
    status = client.connect()
    if " 200 " not in status:
        raise RuntimeError(f"CONNECT was answered {status}")
    return client
