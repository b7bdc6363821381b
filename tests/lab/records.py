"""Reads the DTLS records that pass a host, to hold that no nonce is ever used for two of them."""

import socket
import struct
import threading

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
APPLICATION_DATA, HANDSHAKE, CHANGE_CIPHER_SPEC = 23, 22, 20
SERVER_HELLO = 2


class Records:
    """Watches the UDP port on all interfaces of a host until `stop`.

    A key is one server's hello: a new one is a new handshake. Records of GCM carry the part of
    their nonce that changes in front; within one key and direction it may come again only with the
    very same record, a copy.
    """

    def __init__(self, host, port=443):
        self.port = port
        self.keys = 0  # handshakes that were seen
        self.sealed = {}  # (key, direction, explicit nonce) -> record
        self.of_data = 0
        self.copies = 0
        self.reused = []
        self._hello = {}  # client's port -> (key, random)
        self._stopping = False

        def make():
            watching = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
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
                frame, where = self.socket.recvfrom(1 << 17)
            except TimeoutError:
                if self._stopping:
                    return
                continue
            # Each packet passes the loopback or the cable once for this host; count it there once.
            if where[0] != "lo":
                self._frame(frame)

    def _frame(self, frame):
        if frame[12:14] == b"\x08\x00" and frame[23] == 17:
            datagram = frame[14 + 4 * (frame[14] & 15):]
        elif frame[12:14] == b"\x86\xdd" and frame[20] == 17:
            datagram = frame[54:]
        else:
            return
        source, target = struct.unpack(">HH", datagram[:4])
        if self.port not in (source, target):
            return
        is_up = target == self.port
        # A train is one packet here; its records follow one another as they would in one datagram.
        self._records(datagram[8:], is_up, source if is_up else target)

    def _records(self, data, is_up, client):
        at = 0
        while at + 13 <= len(data) and data[at] in (20, 21, 22, 23):
            kind, _, epoch = struct.unpack(">BHH", data[at:at + 5])
            size, = struct.unpack(">H", data[at + 11:at + 13])
            record = data[at:at + 13 + size]
            at += 13 + size
            if epoch == 0:
                if kind == HANDSHAKE and record[13] == SERVER_HELLO:
                    self._server_hello(client, bytes(record[27:59]))
            elif client in self._hello and len(record) == 13 + size:
                self._sealed(self._hello[client][0], is_up, bytes(record))

    def _server_hello(self, client, random):
        if self._hello.get(client, (0, b""))[1] != random:
            self.keys += 1
            self._hello[client] = (self.keys, random)

    def _sealed(self, key, is_up, record):
        self.of_data += record[0] == APPLICATION_DATA
        number = (key, is_up, record[13:21])
        before = self.sealed.setdefault(number, record)
        if before is record:
            return
        if before == record:
            self.copies += 1
        else:
            self.reused.append(number)
