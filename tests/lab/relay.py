"""A relay of TLS records between client and server, which harms chosen ones on their way.

A rule names a direction ("c2s" or "s2c"), the number of the record in it (0 first, or "after CCS 1"
for the second one behind ChangeCipherSpec), and the harm: a function of the record that returns what
goes on instead, or raises Cut.
"""

import socket
import struct
import threading
import time

from . import record
from .listener import Server, reset


class Cut(Exception):
    """Ends both directions: the words still go out, then FIN, or RST, or nothing ever more."""

    def __init__(self, how, words=b""):
        super().__init__(how)
        self.how, self.words = how, words


class Relay(Server):
    """On a host's port, to another port of the same host."""

    def __init__(self, host, port, to_port, rules, to="127.0.0.1"):
        self.host, self.to, self.to_port = host, to, to_port
        self.rules = {(direction, number): harm for direction, number, harm in rules}
        self.seen = {"c2s": [], "s2c": []}
        super().__init__(host, port, self._relay)

    def cut(self):
        """Ends every connection that still stands, in both directions."""
        for connection in list(self.connections):
            try:
                connection.shutdown(2)
            except OSError:  # it has ended by itself
                continue

    def _relay(self, client):
        server = self.host.dial(self.to, self.to_port)
        server.settimeout(None)
        self.connections.append(server)
        back = threading.Thread(target=self._pump, args=("s2c", server, client), daemon=True)
        back.start()
        self._pump("c2s", client, server)
        back.join()

    def _pump(self, direction, source, target):
        number, switched = 0, None
        client = target if direction == "s2c" else source
        try:
            while found := record.read_record(source):
                kind, whole = found
                self.seen[direction].append(kind)
                if kind == record.CHANGE_CIPHER_SPEC:
                    switched = number
                behind = None if switched is None else f"after CCS {number - switched - 1}"
                harm = self.rules.get((direction, number)) or self.rules.get((direction, behind))
                target.sendall(harm(whole) if harm else whole)
                number += 1
            target.shutdown(socket.SHUT_WR)
        except Cut as cut:
            self._cut(cut, client, target)
        except OSError:
            return  # One side left; the other learns it from its own socket.

    def _cut(self, cut, client, target):
        if cut.words:
            target.sendall(cut.words)
        if cut.how == "fin":
            target.shutdown(socket.SHUT_WR)
        elif cut.how == "rst":
            reset(client)


def flip(at=-1):
    """Changes one bit of the byte at this place of the record."""
    def harm(whole):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        return bytes(damaged)
    return harm


def swallow(_):
    return b""


def double(whole):
    return whole + whole


def delay(seconds):
    def harm(whole):
        time.sleep(seconds)
        return whole
    return harm


def inject(words):
    """Puts these bytes before the record."""
    return lambda whole: words + whole


def instead(words):
    return lambda _: words


def retype(kind):
    return lambda whole: bytes([kind]) + whole[1:]


def too_big(whole):
    """A record longer than any version of TLS allows."""
    length = 18433
    return whole[:3] + struct.pack(">H", length) + bytes(length)


def fin(_):
    """FIN on the boundary before the record."""
    raise Cut("fin")


def fin_inside(whole):
    raise Cut("fin", whole[:len(whole) // 2])


def rst(_):
    raise Cut("rst")


def hang(_):
    raise Cut("hang")


def edit_hello(change):
    """Changes a ClientHello: change(suites, extensions) edits both lists in place."""
    def harm(whole):
        return rebuild_hello(whole, change)
    return harm


def rebuild_hello(whole, change):
    body = whole[9:]
    fixed, at = body[:34], 34
    session = body[at:at + 1 + body[at]]
    at += len(session)
    count = struct.unpack(">H", body[at:at + 2])[0]
    suites = [struct.unpack(">H", body[i:i + 2])[0] for i in range(at + 2, at + 2 + count, 2)]
    at += 2 + count
    compression = body[at:at + 1 + body[at]]
    at += len(compression) + 2
    extensions = []
    while at < len(body):
        kind, size = struct.unpack(">HH", body[at:at + 4])
        extensions.append((kind, body[at + 4:at + 4 + size]))
        at += 4 + size
    change(suites, extensions)
    packed = b"".join(struct.pack(">HH", kind, len(b)) + b for kind, b in extensions)
    new = (fixed + session + struct.pack(">H", 2 * len(suites)) +
           b"".join(struct.pack(">H", suite) for suite in suites) + compression +
           struct.pack(">H", len(packed)) + packed)
    return record.record(record.HANDSHAKE, record.message(1, new), 0x0301)
