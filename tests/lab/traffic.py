"""Traffic through a tunnel: files with checksums, and pings that must not be lost."""

import hashlib
import os
import re
import threading

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
