"""Traffic through a tunnel: files with checksums, and pings that must not be lost."""

import hashlib
import os
import random
import re
import socket
import threading
import time

from .process import Process

CHUNK = os.urandom(1 << 20)
SO_RCVBUFFORCE, SO_MEMINFO = 33, 55


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


def send_streams(source, target, address, count, size, port=5002):
    """`count` TCP streams at once, `size` bytes each. The numbers of those whose bytes did not
    arrive as they were sent."""
    listening = target.listen(port, address)
    listening.settimeout(20)
    sent, arrived = [None] * count, [None] * count

    def send(number):
        content = number.to_bytes(4, "big") + random.Random(number).randbytes(size - 4)
        with source.dial(address, port, timeout=120) as stream:
            stream.sendall(content)
            stream.shutdown(1)
            # The other end closes once it has everything.
            stream.recv(1)
        sent[number] = hashlib.sha256(content).digest()

    def receive(stream):
        digest, number = hashlib.sha256(), b""
        with stream:
            while data := stream.recv(1 << 18):
                number = number if len(number) >= 4 else number + data[:4 - len(number)]
                digest.update(data)
        arrived[int.from_bytes(number, "big")] = digest.digest()

    work = [threading.Thread(target=send, args=(number,)) for number in range(count)]
    for thread in work:
        thread.start()
    with listening:
        for _ in range(count):
            stream, _ = listening.accept()
            stream.settimeout(120)
            work.append(threading.Thread(target=receive, args=(stream,)))
            work[-1].start()
    for thread in work:
        thread.join()
    return [n for n in range(count) if sent[n] is None or sent[n] != arrived[n]]


def send_datagrams(source, target, address, count, size, port=5003, window=32):
    """`count` datagrams with `size` bytes each, at most `window` of them under way.

    Returns (how many arrived as they were sent, how many arrived otherwise).
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    receiver = target.inside(lambda: socket.socket(family, socket.SOCK_DGRAM))
    sender = source.inside(lambda: socket.socket(family, socket.SOCK_DGRAM))
    room = threading.Semaphore(window)
    seen, wrong = set(), []

    def content(number):
        return number.to_bytes(4, "big") + CHUNK[number % 4096:][:size - 4]

    def receive():
        while len(seen) + len(wrong) < count:
            try:
                data = receiver.recv(1 << 16)
            except TimeoutError:
                return
            number = int.from_bytes(data[:4], "big")
            if data == content(number) and number not in seen:
                seen.add(number)
            else:
                wrong.append(number)
            room.release()

    with receiver, sender:
        receiver.settimeout(2)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        receiver.bind((address, port))
        thread = threading.Thread(target=receive)
        thread.start()
        for number in range(count):
            # Without an answer for so long it is lost, and makes room for the next.
            room.acquire(timeout=0.2)
            sender.sendto(content(number), (address, port))
        thread.join()
    return len(seen), len(wrong)


def flood(host, address, count, size=56):
    """How many of `count` pings were answered, each sent as soon as the one before was.

    The kernel counts: ping(8) may leave before it has read the last answer.
    """
    before = _echoes(host, address)
    host.run("ping", "-q", "-n", "-f", "-c", count, "-W", 2, "-s", size, address,
             check=False, timeout=count + 10)
    end = time.monotonic() + 2
    while (answered := _echoes(host, address) - before) < count and time.monotonic() < end:
        time.sleep(0.02)
    return answered


def _echoes(host, address):
    """Answers to pings that have arrived at the host, of the address's family."""
    if ":" in address:
        return int(re.search(r"Icmp6InEchoReplies\s+(\d+)",
                             host.run("cat", "/proc/net/snmp6")).group(1))
    names, values = (line.split() for line in host.run("cat", "/proc/net/snmp").splitlines()
                     if line.startswith("Icmp:"))
    return int(values[names.index("InEchoReps")])


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


class NumberedFlow:
    """Sends numbered UDP packets at a rate until it is stopped; holds each that arrives against it.

    Afterwards .sent, .arrived, .doubled, .overtaken (older than one that came before), .overrun (the
    receiver's own socket was full), and .fault.
    """

    def __init__(self, source, target, address, port, rate=500, largest=1100, burst=4):
        self.sent = self.arrived = self.doubled = self.overtaken = self.overrun = 0
        self.fault = None
        self._stopping, self._largest, self._burst, self._rate = False, largest, burst, rate
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._in = target.inside(lambda: socket.socket(family, socket.SOCK_DGRAM))
        self._in.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self._in.bind((address, port))
        self._in.settimeout(0.1)
        self._out = source.inside(lambda: socket.socket(family, socket.SOCK_DGRAM))
        self._out.connect((address, port))
        self._done = False
        self._receiver = threading.Thread(target=self._receive, daemon=True)
        self._sender = threading.Thread(target=self._send, daemon=True)
        self._receiver.start()
        self._sender.start()

    def _payload(self, number):
        """Most are of one size, so that they travel in trains; all are different."""
        size = self._largest if number % 16 else 12 + number * 37 % (self._largest - 11)
        start = number * 97 % (len(CHUNK) - self._largest)
        return number.to_bytes(8, "big") + CHUNK[start:start + size - 8]

    def _send(self):
        began = time.monotonic()
        try:
            while not self._stopping:
                for _ in range(self._burst):
                    self._out.send(self._payload(self.sent))
                    self.sent += 1
                time.sleep(max(0.0, began + self.sent / self._rate - time.monotonic()))
        except OSError as error:
            self.fault = f"packet {self.sent} could not be sent: {error}"

    def _receive(self):
        seen, newest = set(), -1
        while True:
            try:
                payload = self._in.recv(65536)
            except TimeoutError:
                if self._done:
                    return
                continue
            number = int.from_bytes(payload[:8], "big")
            if payload != self._payload(number):
                self.fault = self.fault or f"packet {number} is not what was sent"
            self.arrived += 1
            self.doubled += number in seen
            self.overtaken += number < newest
            seen.add(number)
            newest = max(newest, number)

    def stop(self):
        """Sends no more."""
        self._stopping = True
        self._sender.join()
        return self

    def close(self):
        """Once all that was under way has arrived."""
        self._done = True
        self._receiver.join()
        memory = self._in.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36)
        self.overrun = int.from_bytes(memory[32:36], "little")
        self._in.close()
        self._out.close()
        return self


class Beat:
    """Sends a small UDP datagram every few milliseconds, until it is stopped.

    Afterwards .sent and .lost count them, and .longest_silence holds the seconds between two that
    arrived.
    """

    def __init__(self, source, target, address, port, interval=0.01):
        self.sent, self.lost, self.longest_silence = 0, 0, 0.0
        self._stopping, self._interval = False, interval
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._receiving = target.inside(lambda: self._bound(family, address, port))
        self._sending = source.inside(lambda: socket.socket(family, socket.SOCK_DGRAM))
        self._to = (address, port)
        self._threads = [threading.Thread(target=work, daemon=True)
                         for work in (self._receive, self._send)]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _bound(family, address, port):
        bound = socket.socket(family, socket.SOCK_DGRAM)
        bound.bind((address, port))
        bound.settimeout(0.2)
        return bound

    def _send(self):
        with self._sending as sending:
            while not self._stopping:
                try:
                    sending.sendto(self.sent.to_bytes(8, "big"), self._to)
                    self.sent += 1
                except OSError:  # no room at this moment, or no way: the receiver will notice
                    pass
                time.sleep(self._interval)

    def _receive(self):
        arrived, last = set(), None
        with self._receiving as receiving:
            while not self._stopping:
                try:
                    arrived.add(receiving.recv(8))
                except TimeoutError:
                    continue
                last = self._heard_since(last)
        self._heard_since(last)
        self.lost = self.sent - len(arrived)

    def _heard_since(self, last):
        now = time.monotonic()
        self.longest_silence = max(self.longest_silence, now - (last or now))
        return now

    def stop(self):
        self._stopping = True
        for thread in self._threads:
            thread.join()
        return self
