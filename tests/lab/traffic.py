"""Traffic through a tunnel: files with checksums, and pings that must not be lost."""

import hashlib
import os
import re
import threading
import time

from .process import Process

CHUNK = os.urandom(1 << 20)


def send_file(source, target, address, megabytes, port=5001):
    """Sends so many MB over TCP from one host to another's inner address.

    Returns (checksum of what was sent, checksum of what arrived).
    """
    listening = target.listen(port, address)
    arrived = hashlib.sha256()

    def receive():
        stream, _ = listening.accept()
        with stream:
            while data := stream.recv(1 << 18):
                arrived.update(data)
            stream.sendall(b"!")

    receiver = threading.Thread(target=receive)
    receiver.start()
    sent = hashlib.sha256()
    with source.dial(address, port) as stream:
        stream.settimeout(120)
        for number in range(megabytes):
            # No two pieces are equal, so that a lost and a doubled one cannot look alike.
            piece = number.to_bytes(8, "big") + CHUNK[8:]
            sent.update(piece)
            stream.sendall(piece)
        stream.shutdown(1)
        stream.recv(1)
    receiver.join()
    listening.close()
    return sent.hexdigest(), arrived.hexdigest()


class Pings:
    """Pings an address until it is stopped, and counts what was lost."""

    def __init__(self, host, address, interval=0.05, name="pings"):
        self.process = Process(host.command(["ping", "-n", "-i", interval, "-W", "2", address]),
                               host.folder / f"{name}.log")

    def stop(self):
        """(sent, received), without the newest ping if its answer was still on its way: ping(8)
        does not wait for it."""
        self.process.send(2)
        self.process.wait(10)
        output = self.process.output()
        sent = int(output.split(" packets transmitted, ")[0].split()[-1])
        answered = {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", output)}
        return sent if sent in answered else sent - 1, len(answered)


class Flow:
    """Sends over TCP as fast as it goes, until it is stopped; holds what arrives against it.

    Afterwards .received counts bytes, .longest_silence the seconds between two pieces of them, and
    .fault says where the first wrong byte was.
    """

    def __init__(self, source, target, address, port):
        self.received, self.longest_silence, self.fault = 0, 0.0, None
        self._stopping = False
        listening = target.listen(port, address)
        self._sender = threading.Thread(target=self._send, args=(source, address, port),
                                        daemon=True)
        self._receiver = threading.Thread(target=self._receive, args=(listening,), daemon=True)
        self._receiver.start()
        self._sender.start()

    @staticmethod
    def _piece(number):
        return number.to_bytes(8, "big") + CHUNK[8:]

    def _send(self, source, address, port):
        with source.dial(address, port, timeout=60) as stream:
            number = 0
            while not self._stopping:
                stream.sendall(self._piece(number))
                number += 1

    def _receive(self, listening):
        stream, _ = listening.accept()
        listening.close()
        number, expected = 0, memoryview(self._piece(0))
        at, last = 0, None
        with stream:
            while data := stream.recv(1 << 18):
                now = time.monotonic()
                if last is not None:
                    self.longest_silence = max(self.longest_silence, now - last)
                last = now
                self.received += len(data)
                data = memoryview(data)
                while data and not self.fault:
                    size = min(len(data), len(expected) - at)
                    if data[:size] != expected[at:at + size]:
                        self.fault = f"a wrong byte in piece {number}, from byte {at} on"
                    data, at = data[size:], at + size
                    if at == len(expected):
                        number, at = number + 1, 0
                        expected = memoryview(self._piece(number))

    def stop(self, timeout=30.0):
        self._stopping = True
        self._sender.join(timeout)
        self._receiver.join(timeout)
        if self._sender.is_alive() or self._receiver.is_alive():
            self.fault = self.fault or "the flow does not end"
        return self
