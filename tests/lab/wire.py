"""Watches a cable for packets that should be inside the tunnel."""

import ipaddress
import socket
import struct
import threading

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
IPV4, IPV6 = 0x0800, 0x86DD
ICMPV6, TCP, UDP = 58, 6, 17
# Neighbours and routers of the link itself, and who listens to which group on it.
LINK_MESSAGES = {130, 131, 132, 133, 134, 135, 136, 137, 143}


class Wire:
    """Holds every IP packet that passes the interface and neither belongs to the tunnel's own
    connections (`port`) nor to the link itself."""

    def __init__(self, host, interface, port=443):
        self.port = port
        self.passed = 0
        self.strangers = []
        self._stopping = False

        def make():
            watching = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            watching.bind((interface, ETH_P_ALL))
            watching.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
            watching.settimeout(0.2)
            return watching

        self.socket = host.inside(make)
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def stop(self):
        self._stopping = True
        self.thread.join()
        self.socket.close()
        return self

    def _watch(self):
        while True:
            try:
                frame = self.socket.recv(1 << 17)
            except TimeoutError:
                if self._stopping:
                    return
                continue
            self._packet(struct.unpack(">H", frame[12:14])[0], frame[14:])

    def _packet(self, kind, packet):
        if kind == IPV4:
            at, protocol = 4 * (packet[0] & 15), packet[9]
            source, target = packet[12:16], packet[16:20]
        elif kind == IPV6:
            # Of a hop-by-hop header, which multicast listeners send, the next one counts.
            at, protocol = (40, packet[6]) if packet[6] else (48, packet[40])
            source, target = packet[8:24], packet[24:40]
        else:
            return
        self.passed += 1
        ports = struct.unpack(">HH", packet[at:at + 4]) if len(packet) >= at + 4 else ()
        if protocol in (TCP, UDP) and self.port in ports:
            return
        if protocol == ICMPV6 and packet[at] in LINK_MESSAGES:
            return
        self.strangers.append((str(ipaddress.ip_address(source)),
                               str(ipaddress.ip_address(target)), protocol, ports))

    def count(self, address):
        """Strangers that go to this address or come from it."""
        return sum(address in stranger[:2] for stranger in self.strangers)
