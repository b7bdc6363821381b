"""A DNS server of our own, over UDP: answers as told, or not at all."""

import ipaddress
import socket
import struct
import threading

A, AAAA = 1, 28
RCODES = {"nxdomain": 3, "servfail": 2, "refused": 5, "empty": 0}


class Resolver:
    """On a host's port 53. `says`: nxdomain, servfail, refused, empty, silence, or addresses.

    Addresses (a list of texts) answer A and AAAA questions for every name.
    """

    def __init__(self, host, address, says):
        self.says = says
        self.asked = []

        def make():
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            udp = socket.socket(family, socket.SOCK_DGRAM)
            udp.bind((address, 53))
            return udp
        self.socket = host.inside(make)
        self.socket.settimeout(0.2)
        self.open = True
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while self.open:
            try:
                query, peer = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            name, kind, end = question(query)
            self.asked.append((name, kind))
            if self.says != "silence":
                self.socket.sendto(self._answer(query[:end], kind), peer)

    def _answer(self, query, kind):
        """The header's second half and the answers, behind the question as it was asked."""
        answers, code = b"", 0
        if isinstance(self.says, str):
            code = RCODES[self.says]
            count = 0
        else:
            addresses = [ipaddress.ip_address(a) for a in self.says]
            wanted = [a for a in addresses if a.version == (6 if kind == AAAA else 4)
                      and kind in (A, AAAA)]
            count = len(wanted)
            for address in wanted:
                answers += struct.pack(">HHHIH", 0xC00C, kind, 1, 30, len(address.packed))
                answers += address.packed
        return (query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, count, 0, 0) + query[12:] +
                answers)

    def close(self):
        self.open = False
        self.thread.join()
        self.socket.close()


def question(query):
    """The name, the type and the end of the only question of a query."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
        at += 1 + query[at]
    return ".".join(labels), struct.unpack(">H", query[at + 1:at + 3])[0], at + 5
